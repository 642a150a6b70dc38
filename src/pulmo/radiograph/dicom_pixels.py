"""The pixel data of a DICOM data set become stored values."""

from typing import Any

from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset
from pydicom.encaps import get_frame, parse_basic_offsets
from pydicom.pixels.processing import convert_color_space
from pydicom.pixels.utils import get_expected_length, pixel_array

from pulmo.core.errors import InputError, RefusedError
from pulmo.radiograph.codestream import (
    J2K,
    MOST_BITS,
    Codestream,
    codestream_of,
    end_of_2000,
    jpeg_segments,
    start_of_2000,
)
from pulmo.radiograph.decoders import TruncatedError, decode_codestream
from pulmo.radiograph.dicom_elements import Elements
from pulmo.radiograph.dicom_syntax import compression_of, syntax_name
from pulmo.radiograph.limits import check_effort
from pulmo.radiograph.notes import Note
from pulmo.radiograph.stored_bits import SampleBits, image_bits


def stored_values(dataset: FileDataset, name: str) -> tuple[NDArray[Any], tuple[Note, ...]]:
    """Decodes the pixel data of a data set of one frame that `check_pixel_data` has passed.

    Args:
        dataset: the data set.
        name: what a message calls the file.

    Returns:
        integers [rows, columns], or [rows, columns, 3] in red, green and blue; and notes on bits
        that were removed or that the header and the compressed image disagree on.

    Raises:
        InputError: the compressed image is damaged or truncated.
        RefusedError: the header and the image contradict each other on the number of bits.
        Exception: whatever pydicom raises on damaged pixel data.
    """
    bits = SampleBits.of(dataset, name)
    if not compression_of(dataset):
        values = pixel_array(
            dataset, index=0, raw=True, allow_excess_frames=False, correct_unused_bits=False
        )
        values, notes = image_bits(values, int(dataset["BitsAllocated"].value), bits, name)
        return _in_rgb(values, dataset), notes
    frame = get_frame(dataset["PixelData"].value, 0, number_of_frames=1)
    head = _checked_head(frame, dataset, name)
    values = _decompressed(frame, head, dataset, name)
    notes = (
        *_notes_on_kind(head, dataset),
        *_notes_on_bits(values, head, bits, dataset, name),
    )
    values, more = image_bits(values, head.bits, bits, name)
    return _in_rgb(values, dataset, head), (*notes, *more)


def check_pixel_data(dataset: FileDataset, name: str) -> None:
    """Checks the length of plain pixel data, and the header of the image in compressed ones.

    Raises:
        InputError: it is not what Rows, Columns and Samples per Pixel say.
        RefusedError: a compressed image has more bits or scans than are read.
    """
    pixel_data: bytes = dataset["PixelData"].value
    if compression_of(dataset):
        several = len(parse_basic_offsets(pixel_data)) > 1
        if not several:
            frame = get_frame(pixel_data, 0, number_of_frames=1)
            head = _checked_head(frame, dataset, name)
            several = _holds_another(frame, head)
            if not head.is_ended:
                _decompressed(frame, head, dataset, name)
        if several:
            raise InputError(
                "dicom-several-codestreams",
                f"{name} contains several compressed images, but its header states one.",
            )
        return
    expected = get_expected_length(dataset)
    if len(pixel_data) < expected:
        raise InputError(
            "image-truncated",
            f"{name} is truncated: {len(pixel_data):,} of {expected:,} bytes of pixel data.",
        )
    # PS3.5 8.1.1: what follows the image is padding, so it holds nothing. The byte that makes
    # the length even is exempt: in big-endian words it is not the last one.
    if pixel_data[expected + expected % 2 :].strip(b"\0"):
        raise InputError(
            "dicom-pixel-data-length",
            f"{name} contains {len(pixel_data):,} bytes of pixel data, but its header states "
            f"{expected:,}.",
        )


def _holds_another(frame: bytes, head: Codestream) -> bool:
    """Tells whether a second image follows the end of a compressed one."""
    if head.kind == "RLE":
        return False
    if head.kind == "JPEG 2000":
        return J2K in frame[end_of_2000(frame[start_of_2000(frame) :]) :]
    end = max((segment.end for segment in jpeg_segments(frame)), default=len(frame))
    return head.is_ended and frame[end:].lstrip(b"\0\xff").startswith(b"\xd8\xff")


def has_hidden_bits(dataset: FileDataset) -> bool:
    """Tells whether pixel data hold more than the image, in bits that are not its own.

    Raises:
        Exception: whatever `check_pixel_data` and `stored_values` raise.
    """
    check_pixel_data(dataset, "it")
    return any(note.kind == "bits-masked" for note in stored_values(dataset, "it")[1])


def _checked_head(frame: bytes, dataset: FileDataset, name: str) -> Codestream:
    """Returns the header of a compressed image, so that a decoder allocates no more than it may."""
    rows, columns, samples = (
        int(dataset[word].value) for word in ("Rows", "Columns", "SamplesPerPixel")
    )
    if compression_of(dataset) == "RLE":
        return Codestream("RLE", rows, columns, samples, int(dataset["BitsAllocated"].value))
    head = codestream_of(frame)
    if head is None:
        raise InputError(
            "codestream-header-invalid",
            f"{name} contains a compressed image ({syntax_name(dataset)}) whose header is damaged, "
            "incomplete or of a kind that is not read.",
        )
    if (head.height, head.width, head.samples) != (rows, columns, samples):
        raise InputError(
            "dicom-size-contradicts",
            f"{name} states {columns} x {rows} pixels with {samples} channels, but its "
            f"compressed image has {head.width} x {head.height} with {head.samples}. It is "
            "damaged, or its header is wrong.",
        )
    if not 2 <= head.bits <= MOST_BITS:
        raise RefusedError(
            "image-bits-unsupported",
            f"{name} contains a compressed image of {head.bits} bits a sample; 2 to {MOST_BITS} "
            "are read.",
        )
    check_effort(head, len(frame), name)
    return head


def _decompressed(frame: bytes, head: Codestream, dataset: FileDataset, name: str) -> NDArray[Any]:
    try:
        return decode_codestream(frame, head)
    except TruncatedError:
        raise InputError(
            "image-truncated",
            f"{name} is truncated: its compressed image ({syntax_name(dataset)}) ends before its "
            "last row.",
        ) from None
    except Exception:  # noqa: BLE001 - a decoder raises anything, and its words may quote data
        raise InputError(
            "image-damaged",
            f"{name} contains a damaged or truncated image: it could not be decoded as "
            f"{syntax_name(dataset)}.",
        ) from None


def _notes_on_kind(head: Codestream, dataset: Dataset) -> tuple[Note, ...]:
    """Returns a note where the transfer syntax says another compression than the image does."""
    if head.kind == compression_of(dataset):
        return ()
    text = (
        f"The transfer syntax is {syntax_name(dataset)}, but the compressed image is {head.kind}; "
        f"it was read as {head.kind}."
    )
    return (Note("contradiction", text),)


def _notes_on_bits(
    values: NDArray[Any], head: Codestream, bits: SampleBits, dataset: Dataset, name: str
) -> tuple[Note, ...]:
    """Returns notes where the header and the compressed image disagree on the samples.

    Raises:
        RefusedError: they disagree so that the values have no certain meaning.
    """
    notes = []
    # Some encoders code all bits allocated, among them those that are not stored.
    whole = head.bits in {bits.above, int(dataset["BitsAllocated"].value)}
    if (head.bits != bits.stored and not whole) or head.bits < bits.stored:
        text = (
            f"The compressed image has {head.bits} bits a sample, but the header says "
            f"{bits.stored}; the values of the compressed image were used."
        )
        notes.append(Note("bits-differ", text))
    if head.bits < bits.stored:
        sign = bits.signed and not head.signed and int(values.max()) >= 2 ** (head.bits - 1)
        if sign or _is_beyond(head.bits, dataset):
            raise RefusedError(
                "dicom-bits-exceeded",
                f"{name} contains a compressed image of {head.bits} bits a sample, but its header "
                f"states values of {bits.stored} bits, so their meaning is not certain.",
            )
    negative = head.signed and int(values.min()) < 0
    if negative and not bits.signed:
        notes.append(
            Note(
                "contradiction",
                "The compressed image holds negative values, but the header says that all are "
                "positive; the header was followed.",
            )
        )
    return tuple(notes)


def _is_beyond(bits: int, dataset: Dataset) -> bool:
    """Tells whether the centre of the stated window is no value that so few bits can hold."""
    # Whoever asks for the greyscale gets the notes on these elements.
    header = Elements(dataset)
    centers, slope, intercept = (
        [number for number in header.written_numbers(keyword) if number is not None]
        for keyword in ("WindowCenter", "RescaleSlope", "RescaleIntercept")
    )
    if not centers:
        return False
    first, step = (intercept or [0.0])[0], (slope or [1.0])[0]
    ends = sorted((first, first + step * (2**bits - 1)))
    return not ends[0] <= centers[0] <= ends[1]


def _in_rgb(values: NDArray[Any], dataset: Dataset, head: Codestream | None = None) -> NDArray[Any]:
    """Returns colours as red, green and blue; what a compressed image says of them goes first."""
    if values.ndim == 2:
        return values
    is_rgb = not str(dataset["PhotometricInterpretation"].value).startswith("YBR_FULL")
    if head is not None and head.is_rgb is not None:
        is_rgb = head.is_rgb
    return values if is_rgb else convert_color_space(values.copy(), "YBR_FULL", "RGB")
