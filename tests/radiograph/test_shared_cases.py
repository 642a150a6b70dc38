"""Small files of the kinds that were once read wrongly, next to the project; skipped without them.

Each has the right minimum, mean and maximum of `pixels * 255`, by DCMTK, libjpeg, libpng or
pydicom. Every kind is drawn anew by the other tests.
"""

from pathlib import Path
from typing import NamedTuple

import pytest

from fixtures.refuses import refuses
from pulmo.bundle.card import Card
from pulmo.bundle.scope import check_scope
from pulmo.radiograph import read_radiograph

CASES = Path(__file__).parents[3] / "shared" / "cases"
IMAGE = (0.0, 100.7, 248.0)


class Right(NamedTuple):
    """What is right: the values, and the kinds of notes, in any order."""

    values: tuple[float, float, float]
    notes: tuple[str, ...] = ()


READ = {
    "base12.dcm": Right(IMAGE),
    "agfa_voi_1745_1401_12.dcm": Right(IMAGE),
    "agfa_voi_1745_1401_16.dcm": Right(IMAGE, ("table-range",)),
    "voi16_entries12.dcm": Right(IMAGE, ("table-range",)),
    "pal_16_gamma.dcm": Right((0.0, 100.3, 247.0)),
    "pal_16_gamma_be.dcm": Right((0.0, 100.3, 247.0)),
    "overlay_bit12.dcm": Right(IMAGE, ("bits-masked",)),
    "overlay_bit12_jls.dcm": Right(IMAGE, ("bits-masked",)),
    "no_window.dcm": Right((0.0, 103.5, 255.0), ("own-range",)),
    "width0.dcm": Right((0.0, 103.5, 255.0), ("window-unusable", "own-range")),
    "windows_uneven.dcm": Right(IMAGE, ("window-first",)),
    "voi_neg_first_SS.dcm": Right(IMAGE),
    "voi_neg_first_SS_implicit.dcm": Right(IMAGE),
    "spacing_UT.dcm": Right(IMAGE, ("value-unusable",)),
    "spacing_junk.dcm": Right(IMAGE, ("value-unusable",)),
    "window_comma.dcm": Right(IMAGE, ("value-repaired",)),
    "window_first_blank.dcm": Right(IMAGE, ("window-first",)),
    "voi_seq_empty_item.dcm": Right(IMAGE, ("value-unusable",)),
    "pal_12_words.dcm": Right(IMAGE),
    "slope0.dcm": Right((0.0, 100.2, 248.0), ("value-unusable",)),
    "png16_values12.png": Right((0.0, 6.3, 15.5), ("bits-unused",)),
    "hot_pixel_no_window.dcm": Right((0.0, 109.6, 255.0), ("own-range", "hot-pixel")),
    "mono1_padding0.dcm": Right((0.0, 93.1, 248.0), ("padding",)),
    "shutter.dcm": Right((0.0, 93.1, 248.0), ("shutter",)),
    "enhanced_one_frame.dcm": Right((0.0, 178.0, 255.0)),
    "aspect.dcm": Right((0.0, 100.6, 245.0), ("aspect",)),
    "mirrored_orientation.dcm": Right(IMAGE, ("orientation",)),
    "jls_b7_a8.dcm": Right((0.0, 100.7, 249.0)),
    "jll_b7_a8.dcm": Right((0.0, 100.7, 249.0)),
    "for_processing.dcm": Right((0.0, 103.5, 255.0), ("contradiction", "own-range", "scope")),
    "lateral.dcm": Right(IMAGE, ("scope",)),
    "jpeg8_header12.dcm": Right((0.0, 100.7, 250.0), ("bits-differ",)),
}
REFUSED: dict[str, tuple[str, ...]] = {
    "jpeg_cut50_eoi.jpg": ("image-truncated",),
    "jpeg8_cut50_eoi.dcm": ("image-truncated",),
    "png_short_rows.png": ("image-truncated",),
    "shape_MONOCHROME2_INVERSE.dcm": ("dicom-polarity-contradicts", "Presentation LUT Shape"),
    "says_jxl.dcm": ("dicom-compression-unsupported", "1.2.840.10008.1.2.4.110"),
}


def case(name: str) -> Path:
    path = CASES / name
    if not path.exists():
        pytest.skip("../shared/cases is not here")
    return path


@pytest.mark.parametrize("name", READ)
def test_each_is_read_with_its_notes(name: str) -> None:
    image = read_radiograph(case(name))
    grey = image.pixels * 255.0
    assert (grey.min(), grey.mean(), grey.max()) == pytest.approx(READ[name].values, abs=1.5)
    assert sorted(note.kind for note in image.facts.notes) == sorted(READ[name].notes)


@pytest.mark.parametrize("name", REFUSED)
def test_each_is_refused_with_its_reason(name: str) -> None:
    with refuses(*REFUSED[name]):
        read_radiograph(case(name))


@pytest.mark.parametrize("name", ["for_processing.dcm", "lateral.dcm"])
def test_a_model_of_frontal_images_refuses_the_header(name: str, plain_card: Card) -> None:
    with refuses("image-out-of-scope"):
        check_scope(plain_card, read_radiograph(case(name)).facts, name)
