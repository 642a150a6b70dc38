"""A real chest film, by two decoders."""

from pathlib import Path

import gdcm
import numpy as np
import pytest

from pulmo.radiograph import read_radiograph

FILM = Path(__file__).parents[3] / "shared" / "data" / "dicom" / "RG1_J2KI.dcm"

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not FILM.exists(), reason=f"{FILM.name} is not beside the project"),
]


def test_the_lungs_are_dark() -> None:
    film = read_radiograph(FILM)
    assert film.pixels.shape == (1955, 1841)
    assert film.facts[:6] == ("DICOM", 15, "PA", "X-ray", 55, "F")
    rows, columns = film.pixels.shape
    left = film.pixels[rows // 6 : rows // 3, columns // 6 : columns // 3]
    spine = film.pixels[rows // 6 : rows // 3, columns * 9 // 20 : columns * 11 // 20]
    assert left.mean() < spine.mean() - 0.2


def test_gdcm_gives_the_same_stored_values() -> None:
    reader = gdcm.ImageReader()
    reader.SetFileName(str(FILM))
    assert reader.Read()
    image = reader.GetImage()
    stored = np.frombuffer(
        image.GetBuffer().encode("utf-8", errors="surrogateescape"), np.uint16
    ).reshape(1955, 1841)
    tag = {}
    for keyword, element in (("center", 0x1050), ("width", 0x1051)):
        value = reader.GetFile().GetDataSet().GetDataElement(gdcm.Tag(0x28, element)).GetValue()
        tag[keyword] = float(str(value).split("\\")[0])
    line = (stored - (tag["center"] - 0.5)) / (tag["width"] - 1) + 0.5
    # The film is MONOCHROME1.
    expected = 1 - np.clip(line, 0, 1)
    np.testing.assert_allclose(read_radiograph(FILM).pixels, expected, atol=1e-6)
