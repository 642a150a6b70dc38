import logging
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

from fixtures.refuses import refuses
from pulmo.core.errors import RefusedError
from pulmo.radiograph.guard import damage_of, quiet_decoders


def warn(module: str) -> None:
    """Warns as code in `module` does."""
    warnings.warn_explicit("odd", UserWarning, f"{module}.py", 1, module)


@pytest.mark.parametrize(
    "module",
    ["PIL.Image", "PIL.TiffImagePlugin", "pydicom", "pydicom.uid", "pulmo.radiograph.display"],
)
def test_warnings_of_decoders_are_ignored_inside_only(module: str) -> None:
    with quiet_decoders:
        with quiet_decoders:
            warn(module)
        warn(module)
    with pytest.warns(UserWarning, match="odd"):
        warn(module)


@pytest.mark.parametrize("module", ["pulmo.evaluate", "PILlow", "mypydicom"])
def test_warnings_of_others_pass(module: str) -> None:
    with pytest.warns(UserWarning, match="odd"), quiet_decoders:
        warn(module)


@pytest.mark.parametrize("name", ["pydicom", "pydicom.pixels.utils", "PIL.TiffImagePlugin"])
def test_what_decoders_log_is_dropped_inside_only(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        with quiet_decoders:
            logging.getLogger(name).warning("DOE^JANE")
            logging.getLogger("pulmo").warning("inside")
        logging.getLogger(name).warning("outside")
    assert caplog.messages == ["inside", "outside"]


def test_an_error_ends_it_too() -> None:
    before = list(warnings.filters)
    with pytest.raises(ValueError, match="cut"), quiet_decoders:
        raise ValueError("cut")
    assert list(warnings.filters) == before


def test_threads_are_inside_together_and_leave_the_filters_as_they_were() -> None:
    before = list(warnings.filters)
    together = threading.Barrier(4)

    def work() -> None:
        with quiet_decoders:
            # A thread that waited for another to leave would let this time out.
            together.wait(timeout=10)
            warn("PIL.Image")
            together.wait(timeout=10)

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(work) for _ in range(4)]:
            done.result()
    assert list(warnings.filters) == before


def test_anything_becomes_one_sentence_without_its_words() -> None:
    with (
        refuses("image-damaged", "image.dcm", "DICOM") as raised,
        damage_of("image.dcm", "DICOM"),
    ):
        raise KeyError("DOE^JANE")
    assert "DOE" not in str(raised.value)
    assert raised.value.__suppress_context__


def test_our_own_errors_pass() -> None:
    with refuses("image-too-large"), damage_of("image.png", "PNG"):
        raise RefusedError("image-too-large", "image.png is too large.")


def test_a_want_of_memory_is_no_damage() -> None:
    with (
        refuses("image-memory", "image.png", "PNG"),
        damage_of("image.png", "PNG"),
    ):
        raise MemoryError


def test_the_element_that_an_error_names_is_reported() -> None:
    with (
        refuses("image-damaged", "ValueError at Rows (0028,0010)"),
        damage_of("image.dcm", "DICOM"),
    ):
        raise ValueError("With tag (0028,0010) got exception: SECRET")
    with (
        refuses("image-damaged", "ValueError at an element (0029,1010)"),
        damage_of("image.dcm", "DICOM"),
    ):
        raise ValueError("Unknown Value Representation 'SECRET' in tag (0029,1010)")
