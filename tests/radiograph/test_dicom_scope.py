import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom.data
import pytest
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.dataelem import DataElement
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
)

from fixtures.dicom_files import decoded, shipped
from fixtures.refuses import refuses
from pulmo.core.errors import PulmoError
from pulmo.radiograph import Limits, Radiograph, decode_radiograph

MakeDicom = Callable[..., bytes]


def test_a_transfer_syntax_that_nobody_names(dicom: MakeDicom, grey: NDArray[np.uint8]) -> None:
    data = dicom(grey, {}, RLELossless)
    length = struct.unpack_from("<I", data, 140)[0]
    with refuses("dicom-pixel-data-length", "image"):
        decoded(data[144 + length :])


@pytest.mark.parametrize(
    ("keyword", "kind", "value"),
    [
        ("NumberOfFrames", "IS", -1),
        ("NumberOfFrames", "IS", [1, 1]),
        ("NumberOfFrames", "DS", "1"),
        ("NumberOfFrames", "LO", "some"),
        ("PlanarConfiguration", "LO", "some"),
        ("HighBit", "DS", "99"),
        ("PixelRepresentation", "DS", "0"),
        ("PatientOrientation", "SQ", [Dataset()]),
    ],
)
def test_odd_numbers_that_no_image_needs(
    dicom: MakeDicom, grey: NDArray[np.uint8], keyword: str, kind: str, value: object
) -> None:
    image = decoded(dicom(grey, {keyword: DataElement(keyword, kind, value)}))
    np.testing.assert_allclose(image.pixels, grey / 255, atol=1e-6)


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        ({"PlanarConfiguration": None}, "dicom-planar-missing"),
        ({"PlanarConfiguration": 7}, "dicom-planar-missing"),
        (
            {"PlanarConfiguration": 1, "PhotometricInterpretation": "YBR_FULL_422"},
            "dicom-planar-contradicts",
        ),
    ],
)
def test_planes_of_colours_that_are_not_certain(
    dicom: MakeDicom, grey: NDArray[np.uint8], tags: dict[str, object], code: str
) -> None:
    with refuses(code, "Planar Configuration"):
        decoded(dicom(np.dstack([grey] * 3), tags))


@pytest.mark.parametrize(
    ("tags", "refused"),
    [
        ({"BitsAllocated": 12}, ("dicom-bits-unsupported", "image", "12")),
        ({"NumberOfFrames": 2}, ("dicom-several-frames", "image")),
        ({"PhotometricInterpretation": "HSV"}, ("dicom-photometric-unsupported", "HSV")),
        ({"PhotometricInterpretation": "DOE"}, ("dicom-photometric-unsupported",)),
        ({"Rows": 60000, "Columns": 60000}, ("image-too-large", "image", "60,000")),
        ({"Rows": 3}, ("image-too-small", "16")),
        ({"PixelData": b"\7" * 768}, ("image-blank", "image")),
    ],
)
def test_what_is_refused(
    dicom: MakeDicom, grey: NDArray[np.uint8], tags: dict[str, object], refused: tuple[str, ...]
) -> None:
    with refuses(*refused):
        decoded(dicom(grey, tags))


@pytest.mark.parametrize(
    ("tags", "refused"),
    [
        ({"PixelData": b"\7" * 700}, ("image-truncated", "image", "700", "768")),
        ({"PixelData": b"\7" * 900}, ("dicom-pixel-data-length", "image", "900", "768")),
        (
            {"PhotometricInterpretation": "RGB"},
            ("dicom-samples-contradict", "image", "RGB", "1"),
        ),
        ({"BitsStored": None}, ("dicom-elements-missing", "image", "Bits Stored")),
        (
            {"BitsStored": 9},
            ("dicom-bits-contradict", "image", "9", "8"),
        ),
        ({"PixelRepresentation": None}, ("dicom-elements-missing", "Pixel Representation")),
        (
            {"RescaleSlope": 1e308, "RescaleIntercept": 0},
            ("dicom-rescale-invalid",),
        ),
    ],
)
def test_what_is_damaged(
    dicom: MakeDicom, grey: NDArray[np.uint8], tags: dict[str, object], refused: tuple[str, ...]
) -> None:
    with refuses(*refused):
        decoded(dicom(grey, tags))


@pytest.mark.parametrize(
    ("syntax", "words"),
    [
        ("1.2.840.10008.1.2.4.103", "MPEG-4 AVC/H.264 BD-compatible"),
        ("1.2.840.10008.1.2.4.94", "JPIP Referenced"),
        ("1.2.840.10008.1.2.4.110", "JPEG XL Lossless (1.2.840.10008.1.2.4.110)"),
        ("1.2.3.4.5.6", "an unknown transfer syntax (1.2.3.4.5.6)"),
        ("1.2.DOE^JANE", "an unknown transfer syntax."),
        (f"1.2.{'3' * 61}", "an unknown transfer syntax."),
    ],
)
def test_other_transfer_syntaxes_are_refused_by_name(
    dicom: MakeDicom, grey: NDArray[np.uint8], syntax: str, words: str
) -> None:
    data = dicom(grey, {}, JPEG2000Lossless)
    named = data.index(JPEG2000Lossless.encode()) - 2
    length = struct.unpack_from("<H", data, named)[0]
    uid = syntax.encode() + b"\0" * (len(syntax) % 2)
    group_length = struct.unpack_from("<I", data, 140)[0] + len(uid) - length
    head = data[:140] + struct.pack("<I", group_length) + data[144:named]
    other = head + struct.pack("<H", len(uid)) + uid + data[named + 2 + length :]
    with refuses("dicom-compression-unsupported", words):
        decoded(other)


def test_a_compressed_image_of_another_size_is_never_decoded(
    dicom: MakeDicom, grey: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("pulmo.radiograph.dicom.stored_values")
    data = bytearray(dicom(grey, {}, JPEG2000Lossless))
    struct.pack_into(">I", data, data.find(b"\xff\x4f\xff\x51") + 8, 100_000)
    with refuses("dicom-size-contradicts", "100000", "24"):
        decoded(bytes(data))


def test_a_deflated_bomb_is_refused_before_it_unpacks(
    dicom: MakeDicom, grey: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = dicom(grey, {}, DeflatedExplicitVRLittleEndian)
    head = whole[: 144 + struct.unpack_from("<I", whole, 140)[0]]
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    bomb = head + packer.compress(bytes(10 * 2**20)) + packer.flush()
    monkeypatch.delattr("pulmo.radiograph.dicom.dcmread")
    with refuses("file-too-large", "What image unpacks to", "1"):
        decode_radiograph(bomb, "image", Limits(max_bytes=2**20))


def test_a_directory_is_refused() -> None:
    path = Path(pydicom.data.__file__).parent / "test_files" / "dicomdirtests" / "DICOMDIR"
    with refuses("dicom-directory", "image"):
        decode_radiograph(path.read_bytes(), "image")


@pytest.mark.parametrize(
    ("name", "words"),
    [("rtplan.dcm", "RT Plan Storage"), ("UN_sequence.dcm", "of an unknown kind")],
)
def test_a_file_without_an_image_is_refused(name: str, words: str) -> None:
    with refuses("dicom-without-image", words):
        decode_radiograph(shipped(name), "image")


@pytest.mark.parametrize("keep", [0.05, 0.2, 0.4, 0.6, 0.8, 0.99])
def test_a_truncated_file_is_damaged(
    dicom: MakeDicom, grey: NDArray[np.uint8], keep: float
) -> None:
    data = dicom(grey)
    # The head up to the class of the object stays: without it, nothing says that it is an image.
    start = data.find(b"\x08\0\x16\0UI") + 40
    with refuses(("dicom-pixel-data-missing", "image-truncated"), "image"):
        decoded(data[: start + int((len(data) - start) * keep)])


def outcome(data: bytes, name: str) -> Radiograph | str:
    """The radiograph, or why there is none."""
    try:
        return decode_radiograph(data, name)
    except PulmoError as error:
        return str(error)


def test_no_message_or_note_names_the_patient(
    dicom: MakeDicom, grey: NDArray[np.uint8], capfd: pytest.CaptureFixture[str]
) -> None:
    names = ["PatientName", "PatientID", "AccessionNumber", "InstitutionName", "StudyDescription"]
    tags: dict[str, object] = dict.fromkeys(names, "SECRET12")
    spoils: list[dict[str, object]] = [
        {},
        {"PatientAge": "999Y", "PatientSex": "O", "ViewPosition": "SECRET"},
        {"WindowCenter": "1", "WindowWidth": "5", "VOILUTFunction": "SECRET"},
        {"PhotometricInterpretation": "SECRET"},
        {"NumberOfFrames": 3},
        {"PixelData": b"\0" * 8},
        {"BitsAllocated": 5},
    ]
    said = []
    for spoil in spoils:
        data = dicom(grey, tags | spoil)
        for damaged in (data, data.replace(b"SECRET12", b"SECRE\xff\xfe2"), data[:-99]):
            image = outcome(damaged, "image")
            said.append(image if isinstance(image, str) else repr(image.facts))
    assert len(said) == 3 * len(spoils)
    assert "SECRE" not in "".join([*said, *capfd.readouterr()])


def test_a_number_that_is_text_is_not_quoted(dicom: MakeDicom, grey: NDArray[np.uint8]) -> None:
    data = dicom(grey, {"WindowCenter": "123456", "WindowWidth": "10"})
    image = decoded(data.replace(b"123456", b"SECRET"))
    kinds = [note.kind for note in image.facts.notes]
    assert kinds == ["value-unusable", "window-unusable"]
    assert "SECRET" not in repr(image.facts)


@pytest.mark.parametrize("keyword", ["HighBit", "NumberOfFrames"])
def test_an_unreadable_number_that_the_others_tell_is_no_hindrance(
    dicom: MakeDicom, grey: NDArray[np.uint8], keyword: str
) -> None:
    odd = DataElement(keyword, "OB", b"\x01\x02")
    image = decoded(dicom(grey, {keyword: odd}))
    np.testing.assert_allclose(image.pixels, grey / 255, atol=1e-6)
    assert [note.kind for note in image.facts.notes] == ["value-unusable"]
