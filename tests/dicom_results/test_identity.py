"""Whose the objects are, what they are called, and that nothing else of the source is in them."""

import io
import re
from collections.abc import Iterator, Mapping

import pytest
from pydicom import dcmread
from pydicom.charset import encode_string
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.uid import UID

import pulmo
from fixtures.canaries import CANARY, fill, leaks, written
from fixtures.dicom_answers import IDENTITY, FixedModel, MakeSource
from pulmo.workflows.dicom_results import DicomAnswer, answer_dicom, file_of

ALLOWED = {
    # Who the patient is, and which the study: PS3.3 C.7.1.1 and C.7.2.1.
    "PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex",
    "StudyInstanceUID", "StudyID", "StudyDate", "StudyTime", "AccessionNumber",
    "ReferringPhysicianName",
    # What refers to the source.
    "ReferencedSOPInstanceUID", "SeriesInstanceUID",
}  # fmt: skip
"""The attributes of an object in which a value of the source may be."""


def read(answer: DicomAnswer) -> list[Dataset]:
    assert (answer.status, answer.reason) == ("done", None)
    assert len(answer.objects) == 3
    return [dcmread(io.BytesIO(file_of(made))) for made in answer.objects]


def elements(dataset: Dataset) -> Iterator[tuple[DataElement, Dataset]]:
    """Every element, those in items of sequences too, with what it is in."""
    for element in dataset:
        yield element, dataset
        if element.VR == "SQ":
            for item in element.value:
                yield from elements(item)


def test_patient_and_study_are_those_of_the_source(
    fixed_model: FixedModel, drawn: MakeSource
) -> None:
    source = drawn()
    for made in read(answer_dicom(fixed_model, source.data)):
        found = {keyword: str(made[keyword].value) for keyword in IDENTITY}
        assert found == IDENTITY
        assert made.StudyInstanceUID == source.dataset.StudyInstanceUID


@pytest.mark.parametrize(("charset", "name"), [
    ("ISO_IR 100", "Müller^Jörg"),
    ("ISO_IR 192", "山田^太郎"),
    (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう"),
])  # fmt: skip
def test_names_keep_their_bytes(
    fixed_model: FixedModel, drawn: MakeSource, charset: str | list[str], name: str
) -> None:
    source = drawn(tags={"SpecificCharacterSet": charset, "PatientName": name, "PatientID": "Ä1"
                         if charset == "ISO_IR 100" else "1"})  # fmt: skip
    stored = source.dataset.get_item("PatientName").value
    for made in answer_dicom(fixed_model, source.data).objects:
        again = dcmread(io.BytesIO(file_of(made)))
        assert again.get_item("PatientName").value == stored
        assert again.PatientName == name
        assert again.SpecificCharacterSet == charset
    if charset == "ISO_IR 100":
        assert encode_string("Müller^Jörg", ["latin_1"]) in stored


def test_an_unknown_character_set_is_left_out(fixed_model: FixedModel, drawn: MakeSource) -> None:
    data = drawn(tags={"SpecificCharacterSet": "ISO_IR 192"}).data
    for made in read(answer_dicom(fixed_model, data.replace(b"ISO_IR 192", b"ISO_IR 999"))):
        assert "SpecificCharacterSet" not in made
        assert made.PatientName == IDENTITY["PatientName"]


def test_what_the_source_lacks_stays_empty(fixed_model: FixedModel, drawn: MakeSource) -> None:
    lacking = dict.fromkeys(IDENTITY)
    for made in read(answer_dicom(fixed_model, drawn(tags=lacking).data)):
        assert "IssuerOfPatientID" not in made
        for keyword in set(IDENTITY) - {"IssuerOfPatientID"}:
            assert made[keyword].is_empty, keyword


def test_values_that_depart_from_the_standard_are_kept(
    fixed_model: FixedModel, drawn: MakeSource
) -> None:
    dataset = drawn().dataset
    dataset["PatientSex"] = DataElement("PatientSex", "CS", "UNKNOWN", validation_mode=0)
    dataset["StudyDate"] = DataElement("StudyDate", "DA", "2026.1.2", validation_mode=0)
    for made in read(answer_dicom(fixed_model, written(dataset))):
        assert (made.PatientSex, made.StudyDate) == ("UNKNOWN", "2026.1.2")


def test_an_element_of_another_kind_is_left_out(fixed_model: FixedModel, drawn: MakeSource) -> None:
    dataset = drawn().dataset
    item = Dataset()
    item.PatientComments = "ZQX00001"
    dataset["PatientID"] = DataElement("PatientID", "SQ", [item])
    for made in read(answer_dicom(fixed_model, written(dataset))):
        assert made["PatientID"].is_empty
        assert not leaks(file_of(made))


def test_the_same_image_and_model_give_the_same_identifiers(
    fixed_model: FixedModel, drawn: MakeSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    def uids(objects: tuple[Dataset, ...]) -> list[str]:
        found = (element for made in objects for element, _ in elements(made))
        return [str(element.value) for element in found if element.VR == "UI"]

    source = drawn()
    given = source.dataset
    first = answer_dicom(fixed_model, source.data).objects
    assert uids(answer_dicom(fixed_model, source.data).objects) == uids(first)
    own = {uid for made in first for uid in (made.SOPInstanceUID, made.SeriesInstanceUID)}
    assert len(own) == 6
    known = {given.SOPInstanceUID, given.SeriesInstanceUID, given.StudyInstanceUID}
    new = {uid for uid in uids(first) if uid.startswith("2.25.")} - known
    assert own < new
    assert all(re.fullmatch(r"2\.25\.[1-9]\d{0,38}", uid) for uid in new)
    # As where an archive replaces an image under its old identifier.
    replaced = drawn((240, 300)).dataset
    replaced.SOPInstanceUID = replaced.file_meta.MediaStorageSOPInstanceUID = given.SOPInstanceUID
    images = {"image": drawn((240, 300)).data, "bytes": written(replaced)}
    for changed in ("model", "image", "bytes", "version"):
        with monkeypatch.context() as patch:
            if changed == "model":
                patch.setattr(fixed_model, "sha256", "cd" * 32)
            if changed == "version":
                patch.setattr(pulmo, "__version__", "99.0")
            data = images.get(changed, source.data)
            answer = answer_dicom(fixed_model, data, kinds=["sr", "gsps"])
            assert own.isdisjoint(uids(answer.objects)), changed


def test_the_source_is_not_changed(fixed_model: FixedModel, drawn: MakeSource) -> None:
    data = drawn().data
    before = bytes(data)
    read(answer_dicom(fixed_model, data))
    assert data == before


@pytest.fixture(scope="module")
def canaries(drawn: MakeSource) -> bytes:
    """An image whose every element, private and nested ones too, holds a canary."""
    tags: Mapping[str, object] = dict.fromkeys(IDENTITY)
    dataset = drawn(tags=tags).dataset
    fill(dataset)
    # These two decide whether the model takes the image at all.
    dataset.PresentationIntentType, dataset.BodyPartExamined = "FOR PRESENTATION", "CHEST"
    return written(dataset)


def test_canaries_are_only_where_identity_belongs(fixed_model: FixedModel, canaries: bytes) -> None:
    found = set()
    for made in read(answer_dicom(fixed_model, canaries)):
        for element, within in elements(made):
            if element.VR == "SQ":
                continue
            value = element.value
            raw = value if isinstance(value, bytes) else str(value).encode()
            if element.keyword != "PixelData" and CANARY.search(raw):
                found.add(element.keyword)
                if element.keyword == "SeriesInstanceUID":
                    # Of the source, not of the object.
                    assert within is not made
        assert not leaks(str(made.file_meta).encode())
        assert not leaks(bytes(made.preamble or b""))
    assert found <= ALLOWED
    assert {"PatientName", "PatientID", "StudyInstanceUID", "ReferencedSOPInstanceUID"} <= found


def test_canaries_are_in_the_bytes_nowhere_else(fixed_model: FixedModel, canaries: bytes) -> None:
    """Also where no element of pydicom's would show them, as in a preamble or behind the end."""
    answer = answer_dicom(fixed_model, canaries)
    assert answer.result is not None
    for made in read(answer):
        for element, within in list(elements(made)):
            if element.keyword in ALLOWED:
                del within[element.tag]
        made.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3")
        made.SOPInstanceUID = UID("1.2.3")
        if "PixelData" in made:
            made.PixelData = b"\0" * len(made.PixelData)
        assert not leaks(file_of(made))
    assert not leaks(repr(answer).encode())
    assert not leaks(" ".join(map(str, answer.result.notes)).encode())


@pytest.mark.parametrize("spoil", ["truncated", "frames", "identifiers", "class", "part"])
def test_no_reason_holds_a_canary(
    fixed_model: FixedModel, canaries: bytes, caplog: pytest.LogCaptureFixture, spoil: str
) -> None:
    dataset = dcmread(io.BytesIO(canaries))
    if spoil == "frames":
        dataset.NumberOfFrames = 3
    if spoil == "identifiers":
        dataset["StudyInstanceUID"] = DataElement(
            "StudyInstanceUID", "UI", "ZQX00001", validation_mode=0
        )
    if spoil == "class":
        dataset.SOPClassUID = "1.2.987654.1"
    if spoil == "part":
        dataset.BodyPartExamined = "HAND"
    data = written(dataset)
    answer = answer_dicom(fixed_model, data[: len(data) - 9000] if spoil == "truncated" else data)
    assert answer.status == ("failed" if spoil == "truncated" else "refused")
    assert answer.reason is not None
    assert not leaks(repr(answer).encode())
    assert not leaks(caplog.text.encode())
