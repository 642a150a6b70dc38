from typing import Any

import pytest
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from pulmo.deidentify import Pseudonyms
from pulmo.deidentify.dataset import clean

PSEUDONYMS = Pseudonyms(b"k" * 32)


def made(**tags: object) -> Dataset:
    dataset = Dataset()
    for keyword, value in tags.items():
        setattr(dataset, keyword, value)
    return dataset


def cleaned(*, characteristics: bool = False, **tags: object) -> Dataset:
    dataset = made(**tags)
    clean(dataset, PSEUDONYMS, characteristics=characteristics)
    return dataset


def code(value: str, scheme: str) -> Dataset:
    return made(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning="postero-anterior")


def test_it_says_what_was_done() -> None:
    dataset = cleaned(DeidentificationMethod="by Dr. Doe")
    assert dataset.PatientIdentityRemoved == "YES"
    assert dataset.LongitudinalTemporalInformationModified == "REMOVED"
    assert dataset.DeidentificationMethod.startswith("pulmo ")
    methods = dataset.DeidentificationMethodCodeSequence
    assert [(item.CodeValue, item.CodingSchemeDesignator) for item in methods] == [
        ("113100", "DCM")
    ]


def test_the_option_is_said_too() -> None:
    methods = cleaned(characteristics=True).DeidentificationMethodCodeSequence
    assert [item.CodeValue for item in methods] == ["113100", "113108"]


@pytest.mark.parametrize(
    ("tags", "real"),
    [
        ({"PatientID": "4711", "PatientName": "DOE^JANE"}, "4711"),
        ({"PatientID": "", "PatientName": "DOE^JANE"}, "DOE^JANE"),
        ({"StudyInstanceUID": "1.2.3"}, "1.2.3"),
    ],
)
def test_a_patient_gets_a_pseudonym(tags: dict[str, Any], real: str) -> None:
    dataset = cleaned(**tags)
    assert dataset.PatientID == PSEUDONYMS.patient(real)
    assert dataset.PatientName == f"{PSEUDONYMS.patient(real)}^"


def test_nobody_gets_none() -> None:
    dataset = cleaned(PatientID="", Modality="CR")
    assert (dataset.PatientID, dataset.Modality) == ("", "CR")
    assert "PatientName" not in dataset


CHARACTERISTICS: dict[str, Any] = {
    "PatientSex": "F",
    "PatientAge": "044Y",
    "PatientWeight": "61",
    "PatientBirthDate": "19800305",
    "StudyDate": "20240305",
    "ViewPosition": "PA",
}


def test_characteristics_are_taken() -> None:
    dataset = cleaned(**CHARACTERISTICS)
    assert dataset.PatientSex == dataset.PatientBirthDate == dataset.StudyDate == ""
    assert "PatientAge" not in dataset
    assert "PatientWeight" not in dataset
    assert dataset.ViewPosition == "PA"


def test_characteristics_are_kept() -> None:
    dataset = cleaned(characteristics=True, **CHARACTERISTICS)
    assert (dataset.PatientSex, dataset.PatientAge, dataset.PatientWeight) == ("F", "044Y", 61)
    assert dataset.PatientBirthDate == dataset.StudyDate == ""


def test_an_age_is_kept_where_only_dates_tell_it() -> None:
    del (tags := dict(CHARACTERISTICS))["PatientAge"]
    assert cleaned(characteristics=True, **tags).PatientAge == "044Y"
    assert "PatientAge" not in cleaned(**tags)


def test_identifiers_are_renamed_alike_wherever_they_are() -> None:
    reference = made(
        ReferencedSOPClassUID="1.2.840.10008.5.1.4.1.1.1", ReferencedSOPInstanceUID="1.2.3"
    )
    dataset = cleaned(
        SOPClassUID="1.2.840.10008.5.1.4.1.1.1",
        SOPInstanceUID="1.2.3",
        SourceImageSequence=[reference],
        IrradiationEventUID=["1.2.3", "1.2.4"],
        FrameOfReferenceUID="",
    )
    new = PSEUDONYMS.uid("1.2.3")
    (item,) = dataset.SourceImageSequence
    assert dataset.SOPInstanceUID == item.ReferencedSOPInstanceUID == new
    assert dataset.SOPClassUID == item.ReferencedSOPClassUID == "1.2.840.10008.5.1.4.1.1.1"
    assert list(dataset.IrradiationEventUID) == [new, PSEUDONYMS.uid("1.2.4")]
    assert not dataset.FrameOfReferenceUID


def test_what_must_have_a_value_gets_a_dummy() -> None:
    dataset = cleaned(
        ClinicalTrialSubjectID="DOE^JANE",
        RadiopharmaceuticalStartDateTime="20240305",
        AnnotationGroupUID="1.2.3",
        DateTime="20240305",
        ContentSequence=[made(TextValue="DOE^JANE")],
    )
    assert dataset.ClinicalTrialSubjectID == "REMOVED"
    assert dataset.DateTime == "19000101000000"
    assert dataset.AnnotationGroupUID == PSEUDONYMS.uid("1.2.3")
    assert "ContentSequence" not in dataset
    assert "RadiopharmaceuticalStartDateTime" not in dataset


def test_an_empty_sequence_stays_where_it_must_be() -> None:
    dataset = cleaned(AcquisitionContextSequence=[made(PatientName="DOE^JANE")])
    assert len(dataset.AcquisitionContextSequence) == 0


def test_sequences_are_cleaned_as_deep_as_they_go() -> None:
    inner = made(PatientName="DOE^JANE", KVP="120", SeriesNumber="3")
    inner.private_block(0x0009, "Doe", create=True).add_new(1, "LO", "DOE^JANE")
    middle = made(ExposureSequence=[inner], InstitutionName="City Hospital")
    dataset = cleaned(SharedFunctionalGroupsSequence=[middle])
    (item,) = dataset.SharedFunctionalGroupsSequence
    assert [element.keyword for element in item] == ["ExposureSequence"]
    assert {element.keyword for element in item.ExposureSequence[0]} >= {"KVP", "SeriesNumber"}
    assert "Doe" not in str(dataset)
    assert "DOE^JANE" not in str(dataset)


def test_only_codes_of_published_schemes_are_kept() -> None:
    dataset = cleaned(ViewCodeSequence=[code("1", "99HOSP"), code("272479007", "SCT")])
    assert [item.CodeValue for item in dataset.ViewCodeSequence] == ["272479007"]
    assert "ViewCodeSequence" not in cleaned(ViewCodeSequence=[code("1", "99HOSP")])


def test_what_cannot_be_read_is_removed() -> None:
    dataset = made(Rows=4)
    dataset.add(DataElement("KVP", "LO", "DOE^JANE"))
    dataset.add(DataElement("FrameOfReferenceUID", "SQ", [made(PatientName="DOE^JANE")]))
    clean(dataset, PSEUDONYMS, characteristics=False)
    assert "KVP" not in dataset
    assert "FrameOfReferenceUID" not in dataset
    assert dataset.Rows == 4


def test_private_overlays_and_curves_are_removed() -> None:
    dataset = made(Rows=4)
    dataset.private_block(0x0009, "Doe", create=True).add_new(1, "LO", "DOE^JANE")
    dataset.add_new(0x60003000, "OW", b"DOE^JANE")
    dataset.add_new(0x60000010, "US", 4)
    dataset.add_new(0x50003000, "OW", b"DOE^JANE")
    clean(dataset, PSEUDONYMS, characteristics=False)
    assert {element.tag.group for element in dataset} == {0x12, 0x28}
