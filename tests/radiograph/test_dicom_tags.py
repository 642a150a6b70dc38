from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.dataelem import DataElement
from pydicom.uid import (
    CTImageStorage,
    DigitalXRayImageStorageForProcessing,
    SecondaryCaptureImageStorage,
)

from pulmo.radiograph import decode_radiograph
from pulmo.radiograph.dicom_elements import element_name
from pulmo.radiograph.facts import Facts

MakeDicom = Callable[..., bytes]


@pytest.fixture
def facts(dicom: MakeDicom, grey: NDArray[np.uint8]) -> Callable[..., Facts]:
    """Gives the facts of an image with these tags."""
    return lambda **tags: decode_radiograph(dicom(grey, tags), "image").facts


def code(scheme: str, value: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, "chest PA"
    return item


def test_facts(facts: Callable[..., Facts]) -> None:
    found = facts(
        ViewPosition="AP",
        Modality="CR",
        PatientAge="018M",
        PatientSex="F",
        ImagerPixelSpacing=[0.143, 0.144],
    )
    assert found[2:7] == ("AP", "X-ray", 1.5, "F", (0.143, 0.144))


SPACINGS: dict[str, tuple[dict[str, object], tuple[float, float] | None]] = {
    "of a CT slice": ({"PixelSpacing": [0.2, 0.3]}, (0.2, 0.2)),
    "none in the patient": ({"PixelSpacing": [0, 0.2]}, None),
    "of one number": ({"ImagerPixelSpacing": 0.2}, None),
    "empty": ({"ImagerPixelSpacing": None}, None),
    "of a scanner": ({"NominalScannedPixelSpacing": [0.4, 0.4]}, (0.4, 0.4)),
    "at the detector": ({"ImagerPixelSpacing": [0.2, 0.2], "PixelSpacing": [0.2, 0.2]}, (0.2, 0.2)),
    "magnified": (
        {"ImagerPixelSpacing": [0.2, 0.4], "EstimatedRadiographicMagnificationFactor": 1.25},
        (0.16, 0.16),
    ),
    "magnified, repeated": (
        {
            "ImagerPixelSpacing": [0.2, 0.4],
            "PixelSpacing": [0.2, 0.4],
            "EstimatedRadiographicMagnificationFactor": 1.25,
        },
        (0.16, 0.16),
    ),
    "magnified by less than nothing": (
        {"ImagerPixelSpacing": [0.2, 0.2], "EstimatedRadiographicMagnificationFactor": 0.5},
        (0.2, 0.2),
    ),
    "calibrated": (
        {
            "ImagerPixelSpacing": [0.2, 0.2],
            "PixelSpacing": [0.18, 0.18],
            "EstimatedRadiographicMagnificationFactor": 1.25,
        },
        (0.18, 0.18),
    ),
    "calibrated, and the same": (
        {
            "ImagerPixelSpacing": [0.2, 0.2],
            "PixelSpacing": [0.2, 0.2],
            "PixelSpacingCalibrationType": "FIDUCIAL",
            "EstimatedRadiographicMagnificationFactor": 1.25,
        },
        (0.2, 0.2),
    ),
    "calibrated to nothing": (
        {
            "ImagerPixelSpacing": [0.2, 0.2],
            "PixelSpacing": [0, 0],
            "PixelSpacingCalibrationType": "GEOMETRY",
        },
        (0.2, 0.2),
    ),
}


@pytest.mark.parametrize("case", SPACINGS)
def test_spacing(facts: Callable[..., Facts], case: str) -> None:
    tags, spacing = SPACINGS[case]
    found = facts(**tags).spacing
    assert found == (None if spacing is None else pytest.approx(spacing))


VIEWS: dict[str, tuple[dict[str, object], str | None]] = {
    "a position": ({"ViewPosition": "PA"}, "PA"),
    "the first of several": ({"ViewPosition": ["PA", "LL"]}, "PA"),
    "a position before a code": (
        {"ViewPosition": "PA", "ViewCodeSequence": [code("SCT", "399348003")]},
        "PA",
    ),
    "an empty position, a code": (
        {"ViewPosition": "", "ViewCodeSequence": [code("SCT", "399348003")]},
        "AP",
    ),
    "an older code": ({"ViewCodeSequence": [code("SNM3", "R-10214")]}, "PA"),
    "a code that says little, orientation": (
        {"ViewCodeSequence": [code("SCT", "399033003")], "PatientOrientation": ["P", "F"]},
        "lateral",
    ),
    "a code of a hospital": ({"ViewCodeSequence": [code("99HOSP", "399348003")]}, None),
    "frontal": ({"PatientOrientation": ["L", "F"]}, None),
    "half an orientation": ({"PatientOrientation": "P"}, None),
    "words": ({"SeriesDescription": "Chest PA", "StudyDescription": "PA"}, None),
}


@pytest.mark.parametrize("case", VIEWS)
def test_view(facts: Callable[..., Facts], case: str) -> None:
    tags, view = VIEWS[case]
    assert facts(**tags).view == view


@pytest.mark.parametrize(
    ("tags", "age"),
    [
        ({"PatientAge": "044Y", "PatientBirthDate": "19400305", "StudyDate": "20040826"}, 44),
        ({"PatientAge": "", "PatientBirthDate": "19400305", "StudyDate": "20040826"}, 64),
        ({"PatientBirthDate": "19400305", "StudyDate": "20040304"}, 63),
        ({"PatientBirthDate": "19400305"}, None),
    ],
)
def test_age(facts: Callable[..., Facts], tags: dict[str, object], age: float | None) -> None:
    assert facts(**tags).age == age


def kinds(found: Facts) -> list[str]:
    return [note.kind for note in found.notes]


def kinds_but_scope(found: Facts) -> list[str]:
    return [kind for kind in kinds(found) if kind != "scope"]


@pytest.mark.parametrize(
    ("tags", "part"),
    [
        ({"BodyPartExamined": "CHEST"}, "chest"),
        ({"BodyPartExamined": "THORAX"}, "chest"),
        ({"BodyPartExamined": "CHEST_PA"}, "chest"),
        ({"BodyPartExamined": "HAND"}, "hand"),
        ({"BodyPartExamined": "L KNEE"}, "knee"),
        ({"BodyPartExamined": "CHESTABDOMEN"}, "chest and abdomen"),
        ({"BodyPartExamined": "CHEST ABDOMEN"}, "chest and abdomen"),
        ({"AnatomicRegionSequence": [code("SCT", "816094009")]}, "chest"),
        ({"AnatomicRegionSequence": [code("SRT", "T-D3000")]}, "chest"),
        ({"AnatomicRegionSequence": [code("SCT", "85562004")]}, "hand"),
        ({"AnatomicRegionSequence": [code("99HOSP", "85562004")]}, None),
        ({}, None),
    ],
)
def test_body_part(facts: Callable[..., Facts], tags: dict[str, object], part: str | None) -> None:
    found = facts(**tags)
    assert found.body_part == part
    assert kinds_but_scope(found) == []


@pytest.mark.parametrize(
    ("tags", "intent"),
    [
        ({"PresentationIntentType": "FOR PROCESSING"}, "for processing"),
        ({"SOPClassUID": DigitalXRayImageStorageForProcessing}, "for processing"),
        ({"PresentationIntentType": "FOR PRESENTATION"}, None),
        ({}, None),
    ],
)
def test_intent(facts: Callable[..., Facts], tags: dict[str, object], intent: str | None) -> None:
    assert facts(**tags).intent == intent


@pytest.mark.parametrize(
    ("tags", "modality", "noted"),
    [
        ({"Modality": "", "SOPClassUID": CTImageStorage}, "CT", []),
        ({"Modality": "CR", "SOPClassUID": CTImageStorage}, "CT", ["contradiction"]),
        ({"Modality": "CT"}, "CT", ["contradiction"]),
        ({"Modality": "QQ"}, "X-ray", ["value-unusable"]),
        ({"Modality": "QQ", "SOPClassUID": SecondaryCaptureImageStorage}, None, ["value-unusable"]),
        ({"Modality": "SEG", "SOPClassUID": SecondaryCaptureImageStorage}, "other", []),
    ],
)
def test_modality(
    facts: Callable[..., Facts], tags: dict[str, object], modality: str | None, noted: list[str]
) -> None:
    found = facts(**tags)
    assert found.modality == modality
    assert kinds_but_scope(found) == noted


@pytest.mark.parametrize(
    ("directions", "words"),
    [
        (["L", "F"], None),
        (["LA", "FP"], None),
        (["R", "F"], "mirrored"),
        (["R", "H"], "upside down"),
        (["L", "H"], "upside down and mirrored"),
        (["F", "L"], "turned on its side"),
        (["A", "F"], None),
        (["X", "Y"], None),
    ],
)
def test_an_orientation_that_is_not_as_one_hangs_an_image(
    facts: Callable[..., Facts], directions: list[str], words: str | None
) -> None:
    found = facts(PatientOrientation=directions)
    assert kinds_but_scope(found) == ([] if words is None else ["orientation"])
    assert all(words in note.text for note in found.notes if words and note.kind != "scope")


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("PixelSpacing", [0.0, 0.1]),
        ("PatientAge", "999Y"),
        ("PatientSex", "X"),
        ("ViewPosition", "XYZ"),
        ("BodyPartExamined", "QQQ"),
        ("EstimatedRadiographicMagnificationFactor", 0.2),
    ],
)
def test_a_value_that_no_result_needs_is_unknown_and_noted(
    facts: Callable[..., Facts], keyword: str, value: object
) -> None:
    found = facts(**{keyword: value, "ImagerPixelSpacing": [0.2, 0.2]})
    assert kinds(found) == ["value-unusable"]
    assert element_name(keyword) in found.notes[0].text
    assert str(value) not in repr(found.notes)


@pytest.mark.parametrize("keyword", ["PixelSpacing", "WindowCenter", "PatientAge", "ViewPosition"])
@pytest.mark.parametrize("kind", ["OB", "UT", "SQ", "FD", "LO"])
def test_an_element_of_another_value_representation_stops_nothing(
    dicom: MakeDicom, grey: NDArray[np.uint8], keyword: str, kind: str
) -> None:
    content: dict[str, object] = {"OB": b"\x01\x02", "SQ": [Dataset()], "FD": 3.5}
    element = DataElement(keyword, kind, content.get(kind, "SECRET"))
    found = decode_radiograph(dicom(grey, {keyword: element}), "image").facts
    assert found.spacing is None
    assert "SECRET" not in repr(found)


def test_views_that_contradict_each_other_are_noted(facts: Callable[..., Facts]) -> None:
    found = facts(ViewPosition="PA", ViewCodeSequence=[code("SCT", "399067008")])
    assert found.view == "PA"
    assert kinds(found) == ["contradiction"]


def test_the_age_is_that_of_the_day_of_the_image(facts: Callable[..., Facts]) -> None:
    days = {"PatientBirthDate": "19400305", "StudyDate": "20040826"}
    assert facts(**days, AcquisitionDate="19950826").age == 55


@pytest.mark.parametrize(
    "tags",
    [
        {"Modality": "CT", "SOPClassUID": CTImageStorage},
        {"PresentationIntentType": "FOR PROCESSING"},
        {"ViewPosition": "LL"},
        {"BodyPartExamined": "HAND"},
    ],
)
def test_what_is_no_frontal_chest_x_ray_is_noted(
    facts: Callable[..., Facts], tags: dict[str, object]
) -> None:
    assert kinds(facts(**tags)) == ["scope"]
    assert kinds(facts(ViewPosition="AP", BodyPartExamined="CHEST")) == []
