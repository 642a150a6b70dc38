import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gdcm
import numpy as np
import pydicom.data
import pytest
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
)

from fixtures.refuses import refuses
from pulmo.core.errors import PulmoError
from pulmo.deidentify import Deidentified, Pseudonyms, deidentify
from pulmo.radiograph import decode_radiograph
from pulmo.radiograph.guard import quiet_decoders

MakeDicom = Callable[..., bytes]
Dcmtk = Callable[..., Path]

PSEUDONYMS = Pseudonyms(b"k" * 32)
FOLDER = Path(pydicom.data.__file__).parent / "test_files"
IMAGE = Path(__file__).parents[3] / "shared" / "data" / "dicom" / "RG1_J2KI.dcm"


def done(data: bytes, **options: Any) -> Deidentified:  # noqa: ANN401 - of several types
    return deidentify(data, "image", PSEUDONYMS, **options)


@pytest.mark.parametrize(
    "syntax",
    [
        ImplicitVRLittleEndian,
        ExplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
        RLELossless,
        JPEG2000Lossless,
    ],
)
def test_the_pixel_data_are_the_same_to_the_bit(
    dicom: MakeDicom, twelve: NDArray[np.uint16], syntax: UID
) -> None:
    data = dicom(twelve, {"PatientName": "DOE^JANE", "Modality": "DX"}, syntax)
    written = done(data).data
    before, after = dcmread(io.BytesIO(data)), dcmread(io.BytesIO(written))
    assert after.PixelData == before.PixelData
    assert after.file_meta.TransferSyntaxUID == before.file_meta.TransferSyntaxUID
    assert b"DOE" not in written
    pixels = decode_radiograph(written, "image").pixels
    np.testing.assert_array_equal(pixels, decode_radiograph(data, "image").pixels)


def test_the_head_of_the_file_is_new(dicom: MakeDicom, grey: NDArray[np.uint8]) -> None:
    dataset = dcmread(io.BytesIO(dicom(grey)))
    dataset.preamble = b"DOE^JANE" * 16
    dataset.file_meta.SourceApplicationEntityTitle = "DOE_JANE"
    dataset.file_meta.PrivateInformationCreatorUID = UID("1.2.3.4")
    dataset.file_meta.PrivateInformation = b"DOE^JANE"
    file = io.BytesIO()
    dataset.save_as(file)
    result = done(file.getvalue())
    again = dcmread(io.BytesIO(result.data))
    assert result.data[:132] == bytes(128) + b"DICM"
    assert again.file_meta.MediaStorageSOPInstanceUID == again.SOPInstanceUID == result.uid
    assert result.uid == PSEUDONYMS.uid("1.2.3")
    assert b"DOE" not in result.data


def test_what_is_reported_of_it(dicom: MakeDicom, grey: NDArray[np.uint8]) -> None:
    result = done(dicom(grey, {"PatientID": "4711"}))
    assert result.patient == PSEUDONYMS.patient("4711")
    assert result.reasons == ()
    assert done(dicom(grey, {"StudyInstanceUID": ""})).patient == ""


def test_characteristics_are_kept_on_demand(dicom: MakeDicom, grey: NDArray[np.uint8]) -> None:
    data = dicom(grey, {"PatientSex": "F", "PatientAge": "044Y", "ViewPosition": "PA"})
    plain = decode_radiograph(done(data).data, "image").facts
    kept = decode_radiograph(done(data, characteristics=True).data, "image").facts
    assert (plain.view, plain.age, plain.sex) == ("PA", None, None)
    assert (kept.view, kept.age, kept.sex) == ("PA", 44, "F")


def test_a_file_without_file_meta_gets_one(dicom: MakeDicom, grey: NDArray[np.uint8]) -> None:
    data = dicom(grey)
    length = int.from_bytes(data[140:144], "little")
    result = done(data[144 + length :])
    assert dcmread(io.BytesIO(result.data)).file_meta.TransferSyntaxUID == ExplicitVRLittleEndian


def other(data: bytes, **tags: object) -> bytes:
    dataset = dcmread(io.BytesIO(data))
    for keyword, value in tags.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    file = io.BytesIO()
    dataset.save_as(file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("tags", "refused"),
    [
        ({"DirectoryRecordSequence": [Dataset()]}, ("dicom-directory", "image")),
        ({"PixelData": None}, ("dicom-without-image", "image")),
        ({"SOPClassUID": UID("1.2.3")}, ("dicom-kind-unknown",)),
    ],
)
def test_what_is_refused(
    dicom: MakeDicom, grey: NDArray[np.uint8], tags: dict[str, object], refused: tuple[str, ...]
) -> None:
    with refuses(*refused):
        done(other(dicom(grey), **tags))


def test_a_shipped_directory_is_refused() -> None:
    with refuses("dicom-directory", "image"):
        done((FOLDER / "dicomdirtests" / "DICOMDIR").read_bytes())


@pytest.mark.parametrize(
    ("missing", "refused"),
    [
        ({"SOPInstanceUID": None}, ("dicom-elements-missing", "image", "SOPInstanceUID")),
        (
            {"SOPInstanceUID": None, "SOPClassUID": None},
            ("dicom-elements-missing", "image", "SOPClassUID and SOPInstanceUID"),
        ),
    ],
)
def test_what_lacks_identity_of_its_own(
    dicom: MakeDicom, grey: NDArray[np.uint8], missing: dict[str, object], refused: tuple[str, ...]
) -> None:
    with refuses(*refused):
        done(other(dicom(grey), **missing))


def test_what_is_no_dicom_file() -> None:
    with refuses("dicom-expected", "image"):
        done(b"\x89PNG\r\n\x1a\n")


def test_a_change_of_the_pixels_would_be_noticed(
    dicom: MakeDicom, grey: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    spoilt = dicom(grey[::-1].copy())
    monkeypatch.setattr("pulmo.deidentify.file._written", lambda _: spoilt)
    with refuses("dicom-not-rewritable"):
        done(dicom(grey))


@pytest.mark.parametrize(
    "name", ["CT_small.dcm", "MR_small_RLE.dcm", "dicomdirtests/77654033/CR1/6154"]
)
def test_dcmtk_and_gdcm_read_what_is_written(dcmtk: Dcmtk, tmp_path: Path, name: str) -> None:
    data = (FOLDER / name).read_bytes()
    path = tmp_path / "new.dcm"
    path.write_bytes(done(data).data)
    assert dcmread(dcmtk("dcmconv", source=path)) == dcmread(path)
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    assert reader.Read()


NAMED = ("PatientID", "PatientName", "InstitutionName", "StudyInstanceUID", "StudyDate")


def test_nothing_that_names_is_left_in_the_shipped_files() -> None:
    written = 0
    for path in sorted(FOLDER.rglob("*.dcm")):
        try:
            result = deidentify(path.read_bytes(), path.name, PSEUDONYMS)
        except PulmoError:
            continue
        written += 1
        with quiet_decoders:
            before = dcmread(path, force=True)
        for keyword in NAMED:
            name = str(before.get(keyword, ""))
            if len(name) > 3 and name not in str(before.get("Manufacturer")):
                assert name.encode() not in result.data
    assert written > 40


@pytest.mark.real
@pytest.mark.skipif(not IMAGE.exists(), reason=f"{IMAGE.name} is not next to the project")
def test_a_real_image() -> None:
    data = IMAGE.read_bytes()
    result = done(data, characteristics=True)
    assert result.reasons == ()
    for word in (b"CompressedSamples", b"9RG1", b"26210", b"Hamburg", b"THORAVISION", b"20040826"):
        assert word in data
        assert word not in result.data
    before, after = (decode_radiograph(each, "image") for each in (data, result.data))
    np.testing.assert_array_equal(after.pixels, before.pixels)
    assert after.facts == before.facts
