"""PNG, JPEG, TIFF, BMP, WebP and JPEG 2000 become grey images."""

import io
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from pulmo.core.errors import InputError, RefusedError
from pulmo.radiograph.codestream import codestream_of
from pulmo.radiograph.colour import grey_of_colour
from pulmo.radiograph.facts import Facts, FileFormat
from pulmo.radiograph.guard import damage_of
from pulmo.radiograph.jpeg2000 import jpeg_2000_head, jpeg_2000_samples
from pulmo.radiograph.jpeg_data import with_end
from pulmo.radiograph.limits import Limits, check_effort
from pulmo.radiograph.notes import Note
from pulmo.radiograph.tiff import counted_from_black, tiff_layout
from pulmo.radiograph.webp import webp_shape
from pulmo.radiograph.whole import check_whole, is_grey_and_whole, load_whole, png_is_ended

# The chunk, and the keywords of other chunks, in which a PNG may state an orientation.
_PNG_TURNS: Final = (b"eXIf", b"Raw profile type exif", b"XML:com.adobe.xmp")


class _Layout(NamedTuple):
    """How samples are stored; Pillow cuts 16 bits of several channels, `deep_colour`, to 8."""

    bits: int
    deep_colour: bool
    from_white: bool = False


class _Samples(NamedTuple):
    """Decoded samples [height, width] or [height, width, 3] in [0, top], and their opacity."""

    values: NDArray[Any]
    top: int
    opacity: NDArray[Any] | None = None


def decode_raster(
    data: bytes, form: FileFormat, name: str, limits: Limits
) -> tuple[NDArray[np.float32], Facts]:
    """Decodes any file but DICOM.

    Grey values are divided by the largest that their bits can hold; no range is guessed: a PNG
    encoder has already scaled its samples to all bits, whatever its sBIT chunk says (PNG, third
    edition, "Sample depth scaling"). Transparent parts are black, and the orientation of EXIF is
    applied. A JPEG file without its end marker is read if its data reach the last row.

    Args:
        data: the file's bytes.
        form: what `format_of` says of them.
        name: what a message calls the file.
        limits: the image's size is checked against them before it is decoded.

    Returns:
        float32 [height, width] in [0, 1] and what is known of the image.

    Raises:
        InputError: the file is damaged or truncated.
        RefusedError: it is a colour photograph, holds several images, is too large or too small,
            or is stored in a way that is not read.
    """
    with damage_of(name, form):
        if form == "JPEG 2000":
            head = jpeg_2000_head(data, name, limits)
            layout, orientation = _Layout(head.bits, deep_colour=False), 1
            samples = _Samples(*jpeg_2000_samples(data, head, name))
        else:
            layout, image, ended = _opened(data, form, name, limits)
            load_whole(image, name)
            orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
            # What is sure costs nothing; the check decodes a JPEG image again.
            if not (ended is data and is_grey_and_whole(data, image)):
                check_whole(ended, image, name, is_decoded=True)
            samples = _deep_colour(data, name) if layout.deep_colour else _samples(image, name)
    pixels, notes = _grey(samples, name)
    if layout.from_white:
        pixels = 1 - pixels
    # Pillow turns TIFF images itself, and so does OpenCV.
    turned = pixels if form == "TIFF" else oriented(pixels, orientation)
    return turned, Facts(form, layout.bits, notes=notes)


def read_raster_header(
    data: bytes, form: FileFormat, name: str, limits: Limits
) -> tuple[tuple[int, int], Facts]:
    """Reads the header of any file but DICOM, without decoding the image.

    Args:
        data: the file's bytes.
        form: what `format_of` says of them.
        name: what a message calls the file.
        limits: the image's size is checked against them.

    Returns:
        height and width of the image as `decode_raster` gives it, and what is known of it.

    Raises:
        InputError: the header is damaged, or the file ends before its image does. Coded data that
            end early before an end marker are not seen without decoding.
        RefusedError: it holds several images, is too large or too small, or is stored in a way
            that is not read. A colour photograph is not seen without decoding.
    """
    with damage_of(name, form):
        if form == "JPEG 2000":
            head = jpeg_2000_head(data, name, limits)
            return (head.height, head.width), Facts(form, head.bits)
        layout, image, ended = _opened(data, form, name, limits)
        # Pillow decodes a PNG to its end to look for what may turn it.
        turns = form != "PNG" or any(word in data for word in _PNG_TURNS)
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1) if turns else 1
        if ended is not data:
            load_whole(image, name)
        check_whole(ended, image, name, is_decoded=ended is not data)
    turned = form != "TIFF" and orientation in range(5, 9)
    shape = (image.width, image.height) if turned else (image.height, image.width)
    return shape, Facts(form, layout.bits)


class _Opened(NamedTuple):
    """A file that is opened.

    Attributes:
        layout: how its samples are stored.
        image: the image, not decoded.
        data: the file's bytes, of a JPEG file with an end marker where it is missing.
    """

    layout: _Layout
    image: Image.Image
    data: bytes


def _opened(data: bytes, form: FileFormat, name: str, limits: Limits) -> _Opened:
    """Opens the image of a file, if it is within the limits."""
    layout = _layout(data, form, name)
    if form == "WebP" and (shape := webp_shape(data)):
        limits.check_shape(*shape, name)
    ended = _ended_jpeg(data, name) if form == "JPEG" else data
    image = _open(ended, form, layout, name)
    limits.check_shape(image.height, image.width, name)
    return _Opened(layout, image, ended)


def _ended_jpeg(data: bytes, name: str) -> bytes:
    """Returns a JPEG file with an end marker, if Pillow decodes it in a time its size explains.

    Raises:
        RefusedError: it does not.
    """
    head = codestream_of(data)
    if head is None:
        return data
    if head.kind == "JPEG-LS" or head.bits != 8:
        raise RefusedError(
            "image-bits-unsupported",
            f"{name} is a {head.kind} file of {head.bits} bits a sample; JPEG of 8 bits is read "
            "outside DICOM.",
        )
    check_effort(head, len(data), name)
    return data if head.is_ended else with_end(data)


def oriented(pixels: NDArray[np.float32], orientation: int) -> NDArray[np.float32]:
    """Returns an image turned and mirrored as EXIF 2.32, tag 274, asks.

    Args:
        pixels: [height, width] as stored.
        orientation: 1 to 8; anything else leaves the image as it is.
    """
    if orientation not in range(2, 9):
        return pixels
    if orientation >= 5:
        pixels = pixels.T
    if orientation in {3, 4, 7, 8}:
        pixels = pixels[::-1]
    return pixels[:, ::-1] if orientation in {2, 3, 6, 7} else pixels


def _layout(data: bytes, form: FileFormat, name: str) -> _Layout:
    if form == "BMP":
        # Bits of a pixel: of an index or, in colour, of all its samples.
        bits = int.from_bytes(data[28:30], "little")
        return _Layout({1: 1, 4: 4, 16: 5}.get(bits, 8), deep_colour=False)
    if form in {"JPEG", "WebP"}:
        return _Layout(8, deep_colour=False)
    if form == "PNG":
        # Bit depth and colour type of the header chunk, which always comes first.
        bits, kind = data[24], data[25]
        if not png_is_ended(data):
            raise InputError(
                "image-truncated", f"{name} is a truncated PNG file: its end is missing."
            )
        return _Layout(bits, deep_colour=bits == 16 and kind != 0)
    tiff = tiff_layout(data, name)
    deep = tiff.bits == 16
    if deep and tiff.samples not in {1, 3}:
        raise RefusedError(
            "image-channels-unsupported",
            f"{name} is a 16-bit TIFF file with {tiff.samples} channels; 1 or 3 are read.",
        )
    # Pillow inverts the shallower ones itself.
    return _Layout(tiff.bits, deep and tiff.samples == 3, deep and tiff.from_white)


def _open(data: bytes, form: FileFormat, layout: _Layout, name: str) -> Image.Image:
    """Opens the image without decoding it."""
    file = io.BytesIO(counted_from_black(data) if layout.from_white else data)
    try:
        image = Image.open(file, formats=(form.upper(),))
    except Image.DecompressionBombError:
        raise RefusedError("image-too-large", f"{name} has more pixels than are read.") from None
    if getattr(image, "n_frames", 1) != 1:
        raise RefusedError(
            "image-several", f"{name} contains several images. One image was expected."
        )
    return image


def _samples(image: Image.Image, name: str) -> _Samples:
    """Returns what Pillow decoded."""
    key = image.info.get("transparency")
    if image.mode.startswith("I;16"):
        values = np.asarray(image)
        return _Samples(values, 65535, None if key is None else (values != key) * np.uint16(65535))
    if image.mode in {"1", "L"} and key is None:
        return _Samples(np.asarray(image.convert("L")), 255)
    if image.mode == "CMYK":
        return _Samples(np.asarray(image.convert("RGB")), 255)
    if image.mode not in {"1", "L", "LA", "P", "PA", "RGB", "RGBA"}:
        raise RefusedError(
            "image-mode-unsupported",
            f"{name} stores its pixels as {image.mode}. Grey was expected.",
        )
    rgba = np.asarray(image.convert("RGBA"))
    return _Samples(rgba[..., :3], 255, rgba[..., 3])


def _deep_colour(data: bytes, name: str) -> _Samples:
    """Decodes 16 bits of several channels, after Pillow has read the file without complaint."""
    import cv2  # noqa: PLC0415 - only these rare files need it

    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None or decoded.dtype != np.uint16 or decoded.ndim != 3:
        raise InputError("image-bits-lost", f"{name} could not be decoded with its 16 bits.")
    opacity = decoded[..., 3] if decoded.shape[2] == 4 else None
    return _Samples(decoded[..., 2::-1], 65535, opacity)


def _grey(samples: _Samples, name: str) -> tuple[NDArray[np.float32], tuple[Note, ...]]:
    """Returns samples as grey in [0, 1], transparent parts on black, and notes on that."""
    values, top, opacity = samples
    notes: tuple[Note, ...] = ()
    if opacity is not None and opacity.min() < top:
        share = np.divide(opacity, top, dtype=np.float32)
        values = values * (share if values.ndim == 2 else share[..., None])
        notes = (Note("transparency", "Transparent parts were made black."),)
    if values.ndim == 2:
        return np.divide(values, top, dtype=np.float32), notes
    grey, colour_notes = grey_of_colour(values, top, name)
    return grey, notes + colour_notes
