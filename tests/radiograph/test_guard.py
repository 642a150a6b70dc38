import threading
import warnings

import pytest

from pulmo.core.errors import InputError, RefusedError
from pulmo.radiograph.guard import damage_of, held_warnings


def test_warnings_are_held_back_and_come_back_afterwards() -> None:
    with held_warnings() as held:
        warnings.warn("odd", UserWarning, stacklevel=1)
    assert [str(warning.message) for warning in held] == ["odd"]
    with pytest.warns(UserWarning, match="again"):
        warnings.warn("again", UserWarning, stacklevel=1)


def test_threads_leave_the_filters_as_they_were() -> None:
    before = list(warnings.filters)
    barrier = threading.Barrier(4)

    def work() -> None:
        barrier.wait()
        for _ in range(50):
            with held_warnings():
                warnings.warn("odd", UserWarning, stacklevel=1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(warnings.filters) == before


def test_anything_becomes_one_sentence_without_its_words() -> None:
    with (
        pytest.raises(InputError, match=r"film\.dcm could not be read as DICOM") as raised,
        damage_of("film.dcm", "DICOM"),
    ):
        raise KeyError("DOE^JANE")
    assert "DOE" not in str(raised.value)
    assert raised.value.__suppress_context__


def test_our_own_errors_pass() -> None:
    with pytest.raises(RefusedError, match="too large"), damage_of("film.png", "PNG"):
        raise RefusedError("film.png is too large.")
