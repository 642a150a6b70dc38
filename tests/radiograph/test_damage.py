"""Random damage to small files: the reader gives an image or one of its own errors."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, JPEGExtended12Bit

from fixtures.compressed import file_in
from pulmo.core.errors import InputError, RefusedError
from pulmo.radiograph import Radiograph, decode_radiograph
from pulmo.radiograph.dicom_syntax import COMPRESSIONS

CASES = 150


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """Flips bits of up to eight bytes, or cuts the end off, or both."""
    spoilt = bytearray(data)
    for at in rng.integers(0, len(data), rng.integers(0, 9)):
        spoilt[at] ^= int(rng.integers(1, 256))
    return bytes(spoilt[: rng.integers(1, len(data) + 1)] if rng.random() < 0.3 else spoilt)


def outcome(data: bytes) -> Radiograph | str:
    """The radiograph, or why there is none."""
    try:
        return decode_radiograph(data, "image")
    except (InputError, RefusedError) as error:
        return str(error)


def survives(data: bytes, before: bytes = b"", after: bytes = b"") -> None:
    """Checks the outcomes of damage to `data`, with whole bytes before and after it."""
    rng = np.random.default_rng(7)
    stopped = 0
    for _ in range(CASES):
        image = outcome(before + damaged(data, rng) + after)
        if isinstance(image, str):
            stopped += 1
            assert "image" in image
        else:
            assert 0 <= image.pixels.min() < image.pixels.max() <= 1
    assert stopped > CASES / 10


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF"])
@pytest.mark.parametrize("deep", [False, True])
def test_rasters(grey: NDArray[np.uint8], form: str, deep: bool) -> None:  # noqa: FBT001 - a parameter
    stored = grey.astype(np.uint16) * 257 if deep and form != "JPEG" else grey
    file = io.BytesIO()
    Image.fromarray(stored).save(file, form)
    survives(file.getvalue())


@pytest.mark.parametrize("syntax", COMPRESSIONS)
def test_dicom(dicom: Callable[..., bytes], grey: NDArray[np.uint8], syntax: UID) -> None:
    deep = syntax == JPEGExtended12Bit
    values = grey.astype(np.uint16) * 16 if deep else grey
    whole = file_in(dicom, syntax, values)
    if syntax == DeflatedExplicitVRLittleEndian:
        survives(whole[132:], before=whole[:132])
        return
    # The pixel data come last: what says where they are, and the image.
    head = whole.rfind(b"\xe0\x7f\x10\0" if syntax.is_little_endian else b"\x7f\xe0\0\x10")
    survives(whole[head:], before=whole[:head])


@pytest.mark.parametrize("form", ["BMP", "WEBP", "JPEG2000"])
def test_other_rasters(grey: NDArray[np.uint8], form: str) -> None:
    file = io.BytesIO()
    Image.fromarray(grey).save(file, form)
    survives(file.getvalue())


def test_the_head_of_a_dicom_file(dicom: Callable[..., bytes], grey: NDArray[np.uint8]) -> None:
    whole = dicom(grey, {"WindowCenter": 100, "WindowWidth": 200, "RescaleSlope": 1})
    head = whole.find(b"\xe0\x7f\x10\0")
    survives(whole[132:head], whole[:132], whole[head:])
