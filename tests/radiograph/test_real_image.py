"""A real chest X-ray, by two decoders."""

from pathlib import Path

import gdcm
import numpy as np
import pytest

from pulmo.radiograph import read_radiograph

IMAGE = Path(__file__).parents[3] / "shared" / "data" / "dicom" / "RG1_J2KI.dcm"

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not IMAGE.exists(), reason=f"{IMAGE.name} is not next to the project"),
]


def test_the_lungs_are_dark() -> None:
    image = read_radiograph(IMAGE)
    assert image.pixels.shape == (1955, 1841)
    assert image.facts[:6] == ("DICOM", 15, "PA", "X-ray", 55, "F")
    rows, columns = image.pixels.shape
    left = image.pixels[rows // 6 : rows // 3, columns // 6 : columns // 3]
    spine = image.pixels[rows // 6 : rows // 3, columns * 9 // 20 : columns * 11 // 20]
    assert left.mean() < spine.mean() - 0.2


def test_gdcm_gives_the_same_stored_values() -> None:
    reader = gdcm.ImageReader()
    reader.SetFileName(str(IMAGE))
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
    # The image is MONOCHROME1.
    expected = 1 - np.clip(line, 0, 1)
    np.testing.assert_allclose(read_radiograph(IMAGE).pixels, expected, atol=1e-6)
