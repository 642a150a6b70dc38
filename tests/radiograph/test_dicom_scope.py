import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom.data
import pytest
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.data import get_testdata_file
from pydicom.dataelem import DataElement
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
)

from pulmo.core.errors import InputError, PulmoError, RefusedError
from pulmo.radiograph import Limits, Radiograph, decode_radiograph

MakeDicom = Callable[..., bytes]


def decoded(data: bytes) -> Radiograph:
    radiograph = decode_radiograph(data, "image")
    assert radiograph.pixels.dtype == np.float32
    assert radiograph.pixels.flags.c_contiguous
    assert radiograph.facts.format == "DICOM"
    return radiograph


def shipped(name: str) -> bytes:
    """One of pydicom's own test files, without the network."""
    path = get_testdata_file(name, download=False)
    assert path is not None
    return Path(str(path)).read_bytes()


def test_a_transfer_syntax_that_nobody_names(dicom: MakeDicom, grey: NDArray[np.uint8]) -> None:
    data = dicom(grey, {}, RLELossless)
    length = struct.unpack_from("<I", data, 140)[0]
    with pytest.raises(InputError, match="image"):
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
    "tags",
    [
        {"PlanarConfiguration": None},
        {"PlanarConfiguration": 7},
        {"PlanarConfiguration": 1, "PhotometricInterpretation": "YBR_FULL_422"},
    ],
)
def test_planes_of_colours_that_are_not_certain(
    dicom: MakeDicom, grey: NDArray[np.uint8], tags: dict[str, object]
) -> None:
    with pytest.raises(InputError, match="Planar Configuration"):
        decoded(dicom(np.dstack([grey] * 3), tags))


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ({"BitsAllocated": 12}, "image has 12 Bits Allocated"),
        ({"NumberOfFrames": 2}, "image holds several frames; one image was expected"),
        ({"PhotometricInterpretation": "HSV"}, "a Photometric Interpretation HSV that is not"),
        ({"PhotometricInterpretation": "DOE"}, "a Photometric Interpretation that is not"),
        ({"Rows": 60000, "Columns": 60000}, "image is 60,000 x 60,000 pixels"),
        ({"Rows": 3}, "at least 16 pixels"),
        ({"PixelData": b"\7" * 768}, "image shows nothing"),
    ],
)
def test_what_is_refused(
    dicom: MakeDicom, grey: NDArray[np.uint8], tags: dict[str, object], words: str
) -> None:
    with pytest.raises(RefusedError, match=words):
        decoded(dicom(grey, tags))


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ({"PixelData": b"\7" * 700}, "image is truncated: 700 of 768 bytes of pixel data"),
        ({"PixelData": b"\7" * 900}, "image holds 900 bytes of pixel data; its size says 768"),
        (
            {"PhotometricInterpretation": "RGB"},
            "image contradicts itself: .* RGB .* Samples per Pixel 1",
        ),
        ({"BitsStored": None}, "image is a DICOM image whose header lacks Bits Stored"),
        (
            {"BitsStored": 9},
            "image contradicts itself: its Bits Stored are 9 and its Bits Allocated 8",
        ),
        ({"PixelRepresentation": None}, "header lacks Pixel Representation"),
        (
            {"RescaleSlope": 1e308, "RescaleIntercept": 0},
            "a Rescale Slope or Intercept that is too",
        ),
    ],
)
def test_what_is_damaged(
    dicom: MakeDicom, grey: NDArray[np.uint8], tags: dict[str, object], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        decoded(dicom(grey, tags))


@pytest.mark.parametrize(
    ("syntax", "words"),
    [
        ("1.2.840.10008.1.2.4.103", "MPEG-4 AVC/H.264 BD-compatible"),
        ("1.2.840.10008.1.2.4.94", "JPIP Referenced"),
        ("1.2.840.10008.1.2.4.110", r"JPEG XL Lossless \(1\.2\.840\.10008\.1\.2\.4\.110\)"),
        ("1.2.3.4.5.6", r"an unknown transfer syntax \(1\.2\.3\.4\.5\.6\)"),
        ("1.2.DOE^JANE", r"an unknown transfer syntax\."),
        (f"1.2.{'3' * 61}", r"an unknown transfer syntax\."),
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
    with pytest.raises(RefusedError, match=f"compressed in a way that is not read: {words}"):
        decoded(other)


def test_a_compressed_image_of_another_size_is_never_decoded(
    dicom: MakeDicom, grey: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("pulmo.radiograph.dicom.stored_values")
    data = bytearray(dicom(grey, {}, JPEG2000Lossless))
    struct.pack_into(">I", data, data.find(b"\xff\x4f\xff\x51") + 8, 100_000)
    with pytest.raises(InputError, match="its compressed image has 100000 x 24"):
        decoded(bytes(data))


def test_a_deflated_bomb_is_refused_before_it_unpacks(
    dicom: MakeDicom, grey: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = dicom(grey, {}, DeflatedExplicitVRLittleEndian)
    head = whole[: 144 + struct.unpack_from("<I", whole, 140)[0]]
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    bomb = head + packer.compress(bytes(10 * 2**20)) + packer.flush()
    monkeypatch.delattr("pulmo.radiograph.dicom.dcmread")
    with pytest.raises(RefusedError, match="What image unpacks to holds 1 MiB"):
        decode_radiograph(bomb, "image", Limits(max_bytes=2**20))


def test_a_directory_is_refused() -> None:
    path = Path(pydicom.data.__file__).parent / "test_files" / "dicomdirtests" / "DICOMDIR"
    with pytest.raises(RefusedError, match="image is a DICOMDIR, a list of other files"):
        decode_radiograph(path.read_bytes(), "image")


@pytest.mark.parametrize(
    ("name", "words"),
    [("rtplan.dcm", "RT Plan Storage"), ("UN_sequence.dcm", "of an unknown kind")],
)
def test_a_file_without_an_image_is_refused(name: str, words: str) -> None:
    with pytest.raises(RefusedError, match=rf"image is a DICOM file without an image \({words}\)"):
        decode_radiograph(shipped(name), "image")


@pytest.mark.parametrize("keep", [0.05, 0.2, 0.4, 0.6, 0.8, 0.99])
def test_a_truncated_file_is_damaged(
    dicom: MakeDicom, grey: NDArray[np.uint8], keep: float
) -> None:
    data = dicom(grey)
    # The head up to the class of the object stays: without it, nothing says that it is an image.
    start = data.find(b"\x08\0\x16\0UI") + 40
    with pytest.raises(InputError, match="image"):
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
