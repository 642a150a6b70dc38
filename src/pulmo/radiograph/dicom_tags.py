"""What the tags of a DICOM data set say of its picture, as plain values."""

import math
from collections.abc import MutableSequence
from typing import Final

from pydicom.dataset import Dataset

from pulmo.radiograph.facts import (
    Facts,
    age_between,
    age_of,
    modality_of,
    sex_of,
    view_of,
    view_of_code,
    view_of_orientation,
)

_CALIBRATED: Final = ("GEOMETRY", "FIDUCIAL")


def facts_of(dataset: Dataset, bits: int) -> Facts:
    """Returns what a data set says of its picture; no free text, such as a description, is read.

    The view is that of View Position, else of View Code Sequence, else of Patient Orientation; the
    age Patient's Age, else the whole years from Patient's Birth Date to Study Date.
    """
    age = age_of(text_of(dataset, "PatientAge"))
    if age is None:
        age = age_between(text_of(dataset, "PatientBirthDate"), text_of(dataset, "StudyDate"))
    return Facts(
        format="DICOM",
        bits=bits,
        view=_view_of(dataset),
        modality=modality_of(text_of(dataset, "Modality")),
        age=age,
        sex=sex_of(text_of(dataset, "PatientSex")),
        spacing=_spacing_of(dataset),
    )


def text_of(dataset: Dataset, keyword: str) -> str:
    """Returns an element's text, its first value if there are several, "" without one."""
    value = dataset.get(keyword)
    if isinstance(value, MutableSequence):
        value = next(iter(value), None)
    return "" if value is None else str(value).strip()


def numbers_of(dataset: Dataset, keyword: str) -> list[float]:
    """Returns an element's numbers; none without one.

    Raises:
        Exception: pydicom's, where the element holds something else.
    """
    value = dataset.get(keyword)
    if value is None or value == "":
        return []
    several = value if hasattr(value, "__iter__") and not isinstance(value, str) else [value]
    return [float(number) for number in several]


def _view_of(dataset: Dataset) -> str | None:
    """Returns the view, from the attribute that says most of it."""
    if view := view_of(text_of(dataset, "ViewPosition")):
        return view
    for item in dataset.get("ViewCodeSequence") or []:
        scheme, code = (text_of(item, word) for word in ("CodingSchemeDesignator", "CodeValue"))
        if view := view_of_code(scheme, code):
            return view
    directions = dataset.get("PatientOrientation") or []
    return view_of_orientation(*directions) if len(directions) == 2 else None


def _spacing_of(dataset: Dataset) -> tuple[float, float] | None:
    """Returns the distance of neighbouring rows and columns in mm (PS3.3 10.7.1.1).

    Pixel Spacing is that in the patient, if it was calibrated: then it says so, or differs from
    the spacing at the detector. Else that at the detector is divided by the magnification, which
    is stated (PS3.3 C.8.1.2) or taken to be 1.
    """
    stated = _pair(dataset, "PixelSpacing")
    at_detector = _pair(dataset, "ImagerPixelSpacing") or _pair(
        dataset, "NominalScannedPixelSpacing"
    )
    calibrated = text_of(dataset, "PixelSpacingCalibrationType") in _CALIBRATED
    if at_detector is None or (stated and (calibrated or stated != at_detector)):
        return stated
    magnification = [*numbers_of(dataset, "EstimatedRadiographicMagnificationFactor"), 1.0][0]
    # The source is in front of the patient, and the detector behind.
    if not (math.isfinite(magnification) and magnification >= 1):
        return at_detector
    return at_detector[0] / magnification, at_detector[1] / magnification


def _pair(dataset: Dataset, keyword: str) -> tuple[float, float] | None:
    """Returns two positive numbers of an element; None for anything else."""
    steps = numbers_of(dataset, keyword)
    usable = len(steps) == 2 and all(math.isfinite(step) and step > 0 for step in steps)
    return (steps[0], steps[1]) if usable else None
