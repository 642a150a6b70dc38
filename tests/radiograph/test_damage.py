"""Random damage to small files: the reader gives an image or one of its own errors."""

import io
from collections.abc import Callable

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom import dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from pulmo.core.errors import InputError, RefusedError
from pulmo.radiograph import Radiograph, decode_radiograph

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


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless, JPEG2000Lossless])
def test_dicom(dicom: Callable[..., bytes], grey: NDArray[np.uint8], syntax: UID) -> None:
    survives(dicom(grey.astype(np.uint16), {"WindowCenter": 100, "WindowWidth": 200}, syntax))


def jpeg_lossless(grey: NDArray[np.uint8]) -> bytes:
    return bytes(imagecodecs.jpeg8_encode(grey, lossless=True))


def jpeg_ls(grey: NDArray[np.uint8]) -> bytes:
    return bytes(imagecodecs.jpegls_encode(grey))


def jpeg(grey: NDArray[np.uint8]) -> bytes:
    return bytes(imagecodecs.jpeg8_encode(grey, 90))


FRAMES: list[tuple[UID, Callable[[NDArray[np.uint8]], bytes]]] = [
    (JPEGBaseline8Bit, jpeg),
    (JPEGLosslessSV1, jpeg_lossless),
    (JPEGLSLossless, jpeg_ls),
]


@pytest.mark.parametrize(("syntax", "encode"), FRAMES)
def test_frames(
    dicom: Callable[..., bytes],
    grey: NDArray[np.uint8],
    syntax: UID,
    encode: Callable[[NDArray[np.uint8]], bytes],
) -> None:
    dataset = dcmread(io.BytesIO(dicom(grey)))
    dataset.file_meta.TransferSyntaxUID = syntax
    frame = encode(grey)
    dataset.PixelData = encapsulate([frame])
    file = io.BytesIO()
    dataset.save_as(file)
    before, _, after = file.getvalue().partition(frame)
    survives(frame, before, after)


@pytest.mark.parametrize("form", ["BMP", "WEBP", "JPEG2000"])
def test_other_rasters(grey: NDArray[np.uint8], form: str) -> None:
    file = io.BytesIO()
    Image.fromarray(grey).save(file, form)
    survives(file.getvalue())


def test_high_throughput_jpeg_2000(htj2k: bytes) -> None:
    frame = htj2k.find(b"\xff\x4f\xff\x51")
    survives(htj2k[frame:], htj2k[:frame])


def test_the_head_of_a_dicom_file(dicom: Callable[..., bytes], grey: NDArray[np.uint8]) -> None:
    whole = dicom(grey, {"WindowCenter": 100, "WindowWidth": 200, "RescaleSlope": 1})
    head = whole.find(b"\xe0\x7f\x10\0")
    survives(whole[132:head], whole[:132], whole[head:])
