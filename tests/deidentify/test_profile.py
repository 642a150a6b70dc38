import pytest
from pydicom.config import IGNORE
from pydicom.datadict import dictionary_description, dictionary_has_tag, dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.tag import Tag

from pulmo.deidentify.profile import (
    _kept_words,
    _rows_of,
    _table,
    action_by_tag,
    action_by_value,
)


def test_the_table_names_attributes_as_the_dictionary_does() -> None:
    rows = _rows_of("profile.tsv")
    assert len(rows) == 652
    named = [row for row in rows if dictionary_has_tag(int(row[0], 16))]
    # Those that came into the standard after pydicom 3.0 are not in its dictionary.
    assert len(rows) - len(named) <= 25
    same = sum(dictionary_description(int(tag, 16)) == name for tag, _, _, name in named)
    assert same > 0.97 * len(named)


@pytest.mark.parametrize(
    ("keyword", "plain", "kept"),
    [
        # As table E.1-1 has them, with and without the Retain Patient Characteristics Option.
        ("PatientName", "empty", "empty"),
        ("PatientID", "empty", "empty"),
        ("PatientBirthDate", "empty", "empty"),
        ("PatientSex", "empty", "keep"),
        ("PatientAge", "remove", "keep"),
        ("PatientWeight", "remove", "keep"),
        ("EthnicGroup", "remove", "keep"),
        ("PatientSexNeutered", "empty", "keep"),
        ("Allergies", "remove", "remove"),
        ("StudyDate", "empty", "empty"),
        ("AcquisitionDateTime", "remove", "remove"),
        ("SOPInstanceUID", "rename", "rename"),
        ("ClinicalTrialSubjectID", "replace", "replace"),
        ("ReferencedImageSequence", "keep", "keep"),
        ("IconImageSequence", "remove", "remove"),
        ("ViewPosition", None, None),
    ],
)
def test_rows(keyword: str, plain: str | None, kept: str | None) -> None:
    tag = Tag(keyword)
    assert action_by_tag(tag, characteristics=False) == plain
    assert action_by_tag(tag, characteristics=True) == kept


@pytest.mark.parametrize(
    "tag",
    [
        0x00091001,  # private
        0x60003000,  # overlay data
        0x60000010,  # overlay rows
        0x601E0022,  # the description of the sixteenth overlay
        0x50003000,  # curve data
        0x00080000,  # group length
        0x00081FFF,  # in no dictionary
    ],
)
def test_whole_groups(tag: int) -> None:
    assert action_by_tag(Tag(tag), characteristics=True) == "remove"


@pytest.mark.parametrize(
    ("keyword", "value", "action"),
    [
        ("Rows", 100, "keep"),
        ("KVP", "120", "keep"),
        ("PixelData", b"\0\0", "keep"),
        ("ICCProfile", b"\0\0", "remove"),
        ("AnatomicRegionSequence", [], "keep"),
        ("RelatedGeneralSOPClassUID", "1.2.840.10008.1.1", "rename"),
        ("Manufacturer", "Acme", "keep"),
        ("ViewPosition", "PA", "keep"),
        ("ViewPosition", "", "keep"),
        ("ViewPosition", "DOE^JANE", "remove"),
        ("ImageType", ["ORIGINAL", "PRIMARY"], "keep"),
        ("ImageType", ["ORIGINAL", "DOE^JANE"], "remove"),
        ("PositionReferenceIndicator", "Jane's nose", "empty"),
        ("FilterType", "any words", "remove"),
        ("EvaluatorName", "DOE^JANE", "remove"),
        ("DateOfGainCalibration", "20200101", "remove"),
    ],
)
def test_beyond_the_table(keyword: str, value: object, action: str) -> None:
    tag = Tag(keyword)
    assert action_by_tag(tag, characteristics=True) is None
    kind = dictionary_VR(tag).split(" or ")[-1]
    element = DataElement(tag, kind, value, validation_mode=IGNORE)
    assert action_by_value(element) == action


def test_a_kind_that_an_attribute_cannot_have_is_removed() -> None:
    assert action_by_value(DataElement(Tag("KVP"), "LO", "DOE^JANE")) == "remove"


def test_words_are_kept_of_attributes_that_are_there_and_not_in_the_table() -> None:
    known = {dictionary_description(tag): tag for tag in map(Tag, _kept_words())}
    assert len(known) == len(_kept_words())
    assert not set(known.values()) & set(_table())
