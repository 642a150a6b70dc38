from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset

from pulmo.radiograph import decode_radiograph
from pulmo.radiograph.facts import Facts

MakeDicom = Callable[..., bytes]


@pytest.fixture
def facts(dicom: MakeDicom, grey: NDArray[np.uint8]) -> Callable[..., Facts]:
    """Gives the facts of a film with these tags."""
    return lambda **tags: decode_radiograph(dicom(grey, tags), "film").facts


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
