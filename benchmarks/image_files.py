"""Drawn images as files of every format and every transfer syntax of DICOM that are read."""

import io
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom import dcmread
from pydicom.encaps import get_frame
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    JPEG2000MC,
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    JPEG2000Lossless,
    JPEG2000MCLossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from pulmo.radiograph.dicom_syntax import COMPRESSIONS
from pulmo.radiograph.encoded import dicom_file, rle_frame

DEPTHS: Final = range(6, 17)
SAME: Final = (JPEG2000MCLossless, JPEG2000MC, HTJ2KLosslessRPCL)
"""Transfer syntaxes whose images of one channel and one quality are those of another."""
SYNTAXES: Final[dict[str, UID]] = {
    syntax.keyword: syntax for syntax in COMPRESSIONS if syntax not in SAME
}
RASTERS: Final = ("PNG", "JPEG", "TIFF", "JP2", "WebP", "BMP")
Shape = tuple[int, int]


class Pixels(NamedTuple):
    """Pixel data of one image, compressed unless its transfer syntax is not.

    Attributes:
        data: a frame, or plain samples.
        bits: of a sample.
        samples: of a pixel.
    """

    data: bytes
    bits: int
    samples: int = 1


def drawn(shape: Shape, bits: int, samples: int = 1) -> NDArray[Any]:
    """A smooth image with some noise that uses all bits: [height, width], or [..., 3]."""
    height, width = shape
    rows, columns = np.mgrid[:height, :width] / height
    grey = (np.sin(9 * columns) + np.cos(7 * rows) + 2) / 4
    grey += np.random.default_rng(bits).normal(0, 0.004, shape)
    kind = np.uint8 if bits <= 8 else np.uint16
    values: NDArray[Any] = np.rint(grey.clip(0, 1) * (2**bits - 1)).astype(kind)
    if samples == 1:
        return values
    # Nearly grey, as a coloured radiograph that is read.
    shade = values // 2
    return np.dstack([values, values - shade // 8, values - shade // 16])


def pillow(values: NDArray[Any], form: str, mode: str = "", **options: Any) -> bytes:  # noqa: ANN401 - Pillow's
    """Returns a file that Pillow writes, of the image in one of its modes."""
    image, file = Image.fromarray(values), io.BytesIO()
    (image.convert(mode) if mode else image).save(file, form, **options)
    return file.getvalue()


def images_of(syntax: UID, shape: Shape) -> Iterator[Pixels]:
    """Yields drawn images in a transfer syntax: all depths and ways of it that can be written."""
    makers = {
        JPEGBaseline8Bit: _baseline,
        JPEGExtended12Bit: _extended,
        JPEGLossless: _lossless,
        JPEGLosslessSV1: _first_predictor,
        JPEGLSLossless: _jpeg_ls,
        JPEGLSNearLossless: _near,
        JPEG2000Lossless: _reversible,
        JPEG2000: _irreversible,
        HTJ2KLossless: _high_throughput,
        HTJ2K: _lossy_high_throughput,
        RLELossless: _rle,
    }
    if syntax in makers:
        yield from makers[syntax](shape)
        return
    for bits, samples in ((12, 1), (8, 1), (16, 1), (8, 3)):
        values = drawn(shape, bits, samples)
        swapped = values.byteswap() if syntax == ExplicitVRBigEndian else values
        yield Pixels(swapped.tobytes(), bits, samples)


def _baseline(shape: Shape) -> Iterator[Pixels]:
    for samples in (1, 3):
        for options in ({}, {"progressive": True}, {"restart_marker_rows": 1}):
            data = pillow(drawn(shape, 8, samples), "JPEG", quality=90, **options)
            yield Pixels(data, 8, samples)


def _extended(shape: Shape) -> Iterator[Pixels]:
    for quality in (90, 30):
        yield _pixels(imagecodecs.jpeg8_encode(drawn(shape, 12), quality, bitspersample=12), 12)


def _lossless(shape: Shape, predictors: tuple[int, ...] = (4, 7)) -> Iterator[Pixels]:
    for bits in (12, *DEPTHS):
        for predictor in predictors:
            data = imagecodecs.jpeg8_encode(
                drawn(shape, bits), lossless=True, bitspersample=bits, predictor=predictor
            )
            yield _pixels(data, bits)
    yield _pixels(imagecodecs.jpeg8_encode(drawn(shape, 8, 3), lossless=True), 8, 3)


def _first_predictor(shape: Shape) -> Iterator[Pixels]:
    yield from _lossless(shape, (1,))


def _jpeg_ls(shape: Shape, near: int = 0) -> Iterator[Pixels]:
    for bits, samples in ((16, 1), (8, 1), (8, 3)):
        yield _pixels(imagecodecs.jpegls_encode(drawn(shape, bits, samples), near), bits, samples)
    for bits in range(6, 16):
        yield from _by_dcmtk(shape, bits, "+en" if near else "+el")


def _near(shape: Shape) -> Iterator[Pixels]:
    yield from _jpeg_ls(shape, near=3)


def _by_dcmtk(shape: Shape, bits: int, option: str) -> Iterator[Pixels]:
    """JPEG-LS of any depth, by DCMTK; nothing where it is not installed."""
    program = shutil.which("dcmcjpls")
    if program is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        plain, coded = Path(folder, "plain.dcm"), Path(folder, "coded.dcm")
        pixels = Pixels(drawn(shape, bits).tobytes(), bits)
        plain.write_bytes(file_of(pixels, ExplicitVRLittleEndian, shape))
        subprocess.run([program, option, plain, coded], check=True, capture_output=True)
        yield Pixels(get_frame(dcmread(coded).PixelData, 0, number_of_frames=1), bits)


def _reversible(shape: Shape, level: int = 0) -> Iterator[Pixels]:
    for bits in (12, *DEPTHS):
        data = imagecodecs.jpeg2k_encode(
            drawn(shape, bits), level, codecformat="j2k", bitspersample=bits, reversible=not level
        )
        yield _pixels(data, bits)
    for samples in (1, 3):
        for options in ({"tile_size": (16, 16)}, {"num_resolutions": 2, "progression": "RPCL"}):
            file = io.BytesIO()
            image = Image.fromarray(drawn(shape, 8, samples))
            image.save(file, "JPEG2000", no_jp2=True, irreversible=level > 0, **options)
            yield Pixels(file.getvalue(), 8, samples)


def _irreversible(shape: Shape) -> Iterator[Pixels]:
    yield from _reversible(shape, level=40)


def _high_throughput(shape: Shape, level: float = 0.0) -> Iterator[Pixels]:
    for bits in (16, 8):
        for samples in (1, 3):
            data = imagecodecs.htj2k_encode(drawn(shape, bits, samples), level)
            yield _pixels(data, bits, samples)


def _lossy_high_throughput(shape: Shape) -> Iterator[Pixels]:
    yield from _high_throughput(shape, level=0.01)


def _rle(shape: Shape) -> Iterator[Pixels]:
    for bits, samples in ((16, 1), (8, 1), (12, 1), (8, 3), (16, 3)):
        yield Pixels(rle_frame(drawn(shape, bits, samples), bits), bits, samples)


def _pixels(data: bytes | bytearray, bits: int, samples: int = 1) -> Pixels:
    return Pixels(bytes(data), bits, samples)


def file_of(pixels: Pixels, syntax: UID, shape: Shape) -> bytes:
    """Returns a DICOM file of an image."""
    return dicom_file(pixels.data, syntax, shape, bits=pixels.bits, samples=pixels.samples)


def raster_files(form: str, shape: Shape) -> Iterator[bytes]:
    """Yields drawn images in a format of Pillow, in several ways of it."""
    grey, deep, colour = drawn(shape, 8), drawn(shape, 16), drawn(shape, 8, 3)
    if form == "JPEG":
        for values, mode in ((grey, ""), (colour, ""), (colour, "CMYK")):
            yield pillow(values, form, mode)
            yield pillow(values, form, mode, progressive=True)
            yield pillow(values, form, mode, restart_marker_rows=1)
    elif form == "PNG":
        yield from (pillow(grey, form, mode) for mode in ("L", "1", "LA", "P", "RGBA"))
        yield from (pillow(deep, form), bytes(imagecodecs.png_encode(drawn(shape, 16, 3))))
    elif form == "TIFF":
        for values, mode in ((grey, ""), (deep, ""), (colour, "")):
            for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
                if compression != "jpeg" or values is not deep:
                    yield pillow(values, form, mode, compression=compression)
        yield from (pillow(grey, form, "1", compression=way) for way in ("group3", "group4"))
        yield pillow(grey, form, big_tiff=True)
    elif form == "JP2":
        yield from (pillow(values, "JPEG2000") for values in (grey, deep, colour))
    elif form == "WebP":
        yield from (pillow(grey, form, lossless=lossless) for lossless in (False, True))
    else:
        yield from (pillow(grey, form, mode) for mode in ("L", "1", "RGB"))
