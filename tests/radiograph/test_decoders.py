"""Compressed frames of every depth, against the values that went in and against DCMTK."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import FileDataset
from pydicom.encaps import encapsulate, get_frame
from pydicom.uid import (
    HTJ2K,
    UID,
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from fixtures.compressed import COMPRESSED, LOSSY, frame_in, lossless_jpeg, wrapped
from fixtures.refuses import DAMAGED, refuses
from pulmo.radiograph import LIMITS, decode_radiograph
from pulmo.radiograph.codestream import codestream_of
from pulmo.radiograph.decoders import DECODERS, TruncatedError, decode_codestream
from pulmo.radiograph.dicom import parse_dicom
from pulmo.radiograph.dicom_pixels import stored_values
from pulmo.radiograph.dicom_syntax import COMPRESSIONS

MakeDicom = Callable[..., bytes]
Dcmtk = Callable[..., Path]

END = b"\xff\xd9"


def drawn(bits: int, *, signed: bool = False, channels: int = 1) -> NDArray[Any]:
    """A smooth image with some noise that uses all bits: [40, 56], or with channels."""
    rng = np.random.default_rng(bits)
    rows, columns = np.mgrid[:40, :56]
    grey = (np.sin(columns / 9) + np.cos(rows / 7) + 2) / 4 + rng.normal(0, 0.01, rows.shape)
    grey = np.rint(grey.clip(0, 1) * (2**bits - 1)) - (2 ** (bits - 1) if signed else 0)
    values = grey.astype(f"{'i' if signed else 'u'}{1 if bits <= 8 else 2}")
    return values if channels == 1 else np.dstack([values, values[::-1], values[:, ::-1]])


def stored_of(data: bytes) -> NDArray[Any]:
    return stored_values(parse_dicom(data, "image", LIMITS), "image")[0]


def frame_of(dataset: FileDataset) -> bytes:
    frame: bytes = get_frame(dataset.PixelData, 0, number_of_frames=1)
    return frame


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("bits", range(6, 17))
def test_jpeg_lossless_of_every_depth(
    dicom: MakeDicom,
    dcmtk: Dcmtk,
    bits: int,
    signed: bool,  # noqa: FBT001 - a parameter
) -> None:
    values = drawn(bits, signed=signed)
    frame = lossless_jpeg(values, bits, predictor=1 + bits % 7)
    data = wrapped(dicom, values, frame, JPEGLossless, bits)
    np.testing.assert_array_equal(stored_of(data), values)
    if bits in {8, 12, 16} and not signed:
        theirs = dcmread(dcmtk("dcmdjpeg", source=data))
        kind = f"<u{values.itemsize}"
        plain = np.frombuffer(theirs.PixelData, kind).reshape(values.shape)
        np.testing.assert_array_equal(stored_of(data), plain)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("bits", range(6, 17))
def test_jpeg_2000_of_every_depth(
    dicom: MakeDicom,
    bits: int,
    signed: bool,  # noqa: FBT001 - a parameter
) -> None:
    values = drawn(bits, signed=signed)
    frame = imagecodecs.jpeg2k_encode(values, 0, codecformat="j2k", bitspersample=bits)
    data = wrapped(dicom, values, bytes(frame), JPEG2000Lossless, bits)
    np.testing.assert_array_equal(stored_of(data), values)


@pytest.mark.parametrize(("option", "near"), [("+el", 0), ("+en", 2)])
@pytest.mark.parametrize("bits", [6, 7, 8, 10, 12, 14, 16])
def test_jpeg_ls_gives_the_values_of_dcmtk(
    dicom: MakeDicom, dcmtk: Dcmtk, bits: int, option: str, near: int
) -> None:
    # DCMTK takes other thresholds than the standard's below 8 bits, and does not say so.
    values = drawn(bits)
    plain = dicom(values, {"BitsStored": bits, "HighBit": bits - 1})
    coded = dcmtk("dcmcjpls", "+pc", option, source=plain)
    head = codestream_of(frame_of(dcmread(coded)))
    assert head is not None
    assert head.bits == bits
    decoded = stored_of(coded.read_bytes())
    theirs = dcmread(dcmtk("dcmdjpls", source=coded))
    kind = f"<u{values.itemsize}"
    np.testing.assert_array_equal(
        decoded, np.frombuffer(theirs.PixelData, kind).reshape(values.shape)
    )
    assert np.abs(decoded.astype(int) - values).max() == near


@pytest.mark.parametrize("tool", ["dcmcjpeg", "dcmcjpls", "dcmcrle"])
@pytest.mark.parametrize("bits", [8, 16])
def test_lossless_colours_are_those_that_went_in(
    dicom: MakeDicom, dcmtk: Dcmtk, tool: str, bits: int
) -> None:
    values = drawn(bits, channels=3)
    coded = dcmtk(tool, source=dicom(values)).read_bytes()
    np.testing.assert_array_equal(stored_of(coded), values)


def test_colours_of_high_throughput_jpeg_2000(dicom: MakeDicom) -> None:
    for bits in (8, 16):
        values = drawn(bits, channels=3)
        frame = bytes(imagecodecs.htj2k_encode(values))
        tags = {"PhotometricInterpretation": "YBR_RCT"}
        data = wrapped(dicom, values, frame, HTJ2KLossless, bits, **tags)
        np.testing.assert_array_equal(stored_of(data), values)


# JPEG of 8 bits has fewer samples of colours than pixels, and of 12 bits these are refused.
CASES = [(syntax, 1) for syntax in COMPRESSED]
CASES += [(x, 3) for x in COMPRESSED if x not in {JPEGBaseline8Bit, JPEGExtended12Bit}]


@pytest.mark.parametrize(("syntax", "channels"), CASES)
def test_every_compressed_syntax_gives_the_values_that_went_in(
    dicom: MakeDicom, syntax: UID, channels: int
) -> None:
    bits = {JPEGBaseline8Bit: 8, JPEGExtended12Bit: 12}.get(syntax, 8 if channels == 3 else 16)
    # Away from both ends, where nothing is cut.
    values = drawn(bits, channels=channels) // 2 + 2 ** (bits - 2)
    frame = frame_in(syntax, values, bits)
    decoded = stored_of(wrapped(dicom, values, frame, syntax, bits)).astype(int)
    farthest = np.abs(decoded - values).max()
    assert farthest < 0.03 * 2**bits if syntax in LOSSY else farthest == 0


@pytest.mark.parametrize("level", [0.0, 0.001, 0.01])
@pytest.mark.parametrize(("bits", "channels"), [(8, 1), (16, 1), (8, 3)])
def test_high_throughput_jpeg_2000_agrees_with_openjph(
    dicom: MakeDicom, level: float, bits: int, channels: int
) -> None:
    # Away from both ends: OpenJPH puts what is beyond one of them at the other.
    values = drawn(bits, channels=channels) // 2 + 2 ** (bits - 2)
    frame = bytes(imagecodecs.htj2k_encode(values, level))
    decoded = stored_of(wrapped(dicom, values, frame, HTJ2K, bits)).astype(int)
    theirs = imagecodecs.htj2k_decode(frame).astype(int)
    assert np.abs(decoded - theirs).max() <= (0 if not level else 4 if bits == 16 else 1)


def test_lossy_high_throughput_jpeg_2000_is_cut_at_the_ends_of_its_range(dicom: MakeDicom) -> None:
    values = np.where(drawn(8) > 128, 255, 0).astype(np.uint8)
    frame = bytes(imagecodecs.htj2k_encode(values, 0.01))
    decoded = stored_of(wrapped(dicom, values, frame, HTJ2K, 8)).astype(int)
    assert np.abs(decoded - values).max() < 16


@pytest.mark.parametrize("syntax", [JPEGLosslessSV1, JPEG2000Lossless])
def test_a_codestream_of_another_kind_than_its_syntax_is_read_and_noted(
    dicom: MakeDicom, syntax: UID
) -> None:
    values = drawn(16)
    frame = frame_in(JPEGLSLossless, values, 16)
    dataset = parse_dicom(wrapped(dicom, values, frame, syntax, 16), "image", LIMITS)
    stored, notes = stored_values(dataset, "image")
    np.testing.assert_array_equal(stored, values)
    assert [note.kind for note in notes] == ["contradiction"]
    assert f"The transfer syntax is {syntax.name}" in notes[0].text
    assert "JPEG-LS" in notes[0].text


PAGE = Path(__file__).parents[2] / "docs" / "images.md"


def test_the_page_lists_the_decoder_of_every_transfer_syntax() -> None:
    rows = PAGE.read_text().partition("| transfer syntax | UID |")[2].partition("\n\n")[0]
    listed = [row.strip("| ").split(" | ") for row in rows.splitlines()[2:]]
    expected = [
        [syntax.name, str(syntax), DECODERS[kind].library if kind else "none"]
        for syntax, kind in COMPRESSIONS.items()
    ]
    assert listed == expected


def jpeg(values: NDArray[Any], **options: Any) -> bytes:  # noqa: ANN401 - Pillow's
    file = io.BytesIO()
    Image.fromarray(values).save(file, "JPEG", **options)
    return file.getvalue()


FRAMES: dict[str, tuple[UID, int, Callable[[], bytes]]] = {
    "baseline": (JPEGBaseline8Bit, 8, lambda: jpeg(drawn(8))),
    "restarts": (JPEGBaseline8Bit, 8, lambda: jpeg(drawn(8), restart_marker_rows=1)),
    "extended": (
        JPEGExtended12Bit,
        12,
        lambda: bytes(imagecodecs.jpeg8_encode(drawn(12), 90, bitspersample=12)),
    ),
    "lossless 8": (JPEGLosslessSV1, 8, lambda: lossless_jpeg(drawn(8), 8)),
    "lossless 16": (JPEGLosslessSV1, 16, lambda: lossless_jpeg(drawn(16), 16)),
    "JPEG-LS": (JPEGLSLossless, 16, lambda: bytes(imagecodecs.jpegls_encode(drawn(16)))),
    "JPEG-LS near": (JPEGLSNearLossless, 8, lambda: bytes(imagecodecs.jpegls_encode(drawn(8), 2))),
    "JPEG 2000": (
        JPEG2000Lossless,
        16,
        lambda: bytes(imagecodecs.jpeg2k_encode(drawn(16), 0, codecformat="j2k")),
    ),
    "HTJ2K": (HTJ2KLossless, 16, lambda: bytes(imagecodecs.htj2k_encode(drawn(16)))),
}


@pytest.mark.parametrize("name", FRAMES)
@pytest.mark.parametrize("keep", [0.3, 0.5, 0.75, 0.97])
def test_data_that_end_early_before_an_end_marker_are_refused(
    dicom: MakeDicom, name: str, keep: float
) -> None:
    syntax, bits, make = FRAMES[name]
    frame = make()
    assert decode_radiograph(wrapped(dicom, drawn(bits), frame, syntax, bits), "image")
    start = max(frame.find(b"\xff\xda"), frame.find(b"\xff\x93")) + 14
    cut = frame[: start + int((len(frame) - 2 - start) * keep)] + END
    with refuses(DAMAGED, "image"):
        decode_radiograph(wrapped(dicom, drawn(bits), cut, syntax, bits), "image")


@pytest.mark.parametrize("name", ["baseline", "restarts", "extended", "lossless 8", "lossless 16"])
def test_every_cut_through_jpeg_data_is_seen(name: str) -> None:
    frame = FRAMES[name][2]()
    start = frame.find(b"\xff\xda") + 10
    head = codestream_of(frame)
    assert head is not None
    whole = decode_codestream(frame, head)
    for length in range(start, len(frame) - 2, 5):
        try:
            decoded = decode_codestream(frame[:length] + END, head)
        except TruncatedError:
            continue
        # A cut through the bits of the last samples alone may pass.
        assert length > len(frame) - 8
        assert np.count_nonzero(decoded != whole) <= 64


@pytest.mark.parametrize("name", ["baseline", "lossless 16", "JPEG-LS", "JPEG 2000", "HTJ2K"])
def test_a_frame_without_its_end_marker_is_read_if_its_rows_are_there(
    dicom: MakeDicom, name: str
) -> None:
    syntax, bits, make = FRAMES[name]
    frame = make()
    whole = stored_of(wrapped(dicom, drawn(bits), frame, syntax, bits))
    for shorter in (frame[:-1], frame[:-2]):
        data = wrapped(dicom, drawn(bits), shorter, syntax, bits)
        np.testing.assert_array_equal(stored_of(data), whole)
    middle = (max(frame.find(b"\xff\xda"), frame.find(b"\xff\x93")) + len(frame)) // 2
    half = wrapped(dicom, drawn(bits), frame[:middle], syntax, bits)
    with refuses(DAMAGED, "image"):
        decode_radiograph(half, "image")


@pytest.mark.parametrize("name", FRAMES)
@pytest.mark.parametrize("offsets", [True, False])
def test_a_second_image_is_not_passed_over(dicom: MakeDicom, name: str, *, offsets: bool) -> None:
    syntax, bits, make = FRAMES[name]
    dataset = dcmread(io.BytesIO(wrapped(dicom, drawn(bits), make(), syntax, bits)))
    dataset.PixelData = encapsulate([make(), make()], has_bot=offsets)
    file = io.BytesIO()
    dataset.save_as(file)
    with refuses("dicom-several-codestreams", "image"):
        decode_radiograph(file.getvalue(), "image")


def test_rle_of_more_rows_than_the_header_says(dicom: MakeDicom) -> None:
    dataset = dcmread(io.BytesIO(dicom(drawn(16), {}, RLELossless)))
    dataset.Rows -= 3
    file = io.BytesIO()
    dataset.save_as(file)
    with refuses("image-damaged", "image"):
        decode_radiograph(file.getvalue(), "image")


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("keep", [0.2, 0.6, 0.98])
def test_rle_that_ends_early_is_refused(dicom: MakeDicom, bits: int, keep: float) -> None:
    values = drawn(bits)
    frame = frame_of(dcmread(io.BytesIO(dicom(values, {}, RLELossless))))
    np.testing.assert_array_equal(
        stored_of(wrapped(dicom, values, frame, RLELossless, bits)), values
    )
    cut = frame[: 64 + int((len(frame) - 64) * keep)]
    with refuses(DAMAGED, "image"):
        decode_radiograph(wrapped(dicom, values, cut, RLELossless, bits), "image")


def test_rle_of_another_number_of_segments_is_damaged(dicom: MakeDicom) -> None:
    frame = frame_of(dcmread(io.BytesIO(dicom(drawn(8), {}, RLELossless))))
    with refuses("image-damaged", "RLE Lossless"):
        decode_radiograph(wrapped(dicom, drawn(16), frame, RLELossless, 16), "image")


def test_a_jpeg_in_another_syntax_is_named(dicom: MakeDicom) -> None:
    data = wrapped(dicom, drawn(8), jpeg(drawn(8))[:200] + END, JPEGBaseline8Bit, 8)
    with refuses("codestream-header-invalid", "image", "JPEG Baseline (Process 1)"):
        decode_radiograph(data, "image")
