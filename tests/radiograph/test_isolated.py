from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file

from pulmo.core.errors import InputError
from pulmo.radiograph import decode_radiograph
from pulmo.radiograph.isolated import isolated_pixels


def shipped(name: str) -> Path:
    return Path(str(get_testdata_file(name, download=False)))


def test_jpeg_ls_gives_the_stored_values_of_its_plain_copy() -> None:
    plain = dcmread(shipped("MR_small.dcm"))
    stored = np.frombuffer(plain.PixelData, "<i2").reshape(64, 64)
    decoded = isolated_pixels(shipped("MR_small_jpeg_ls_lossless.dcm").read_bytes())
    assert decoded.dtype == np.int16
    np.testing.assert_array_equal(decoded, stored)


def test_jpeg_of_12_bits_is_read() -> None:
    # DCMTK decodes it to 0 to 264 (test_pydicom_samples.py).
    stored = isolated_pixels(shipped("JPGExtended.dcm").read_bytes())
    assert stored.dtype == np.uint16
    assert stored.shape == (1024, 256)
    assert (stored.min(), stored.max()) == (0, 264)


def test_a_crash_of_gdcm_is_an_error_like_others() -> None:
    data = bytearray(shipped("MR_small_jpeg_ls_lossless.dcm").read_bytes())
    # A precision of 130 bits: GDCM 3.2 ends its process on it.
    data[data.find(b"\xff\xd8\xff\xf7") + 6] = 130
    with pytest.raises(InputError, match="film could not be read as DICOM pixel data in JPEG-LS"):
        decode_radiograph(bytes(data), "film")
