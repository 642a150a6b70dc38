"""What the tags of a DICOM data set say of its image, as plain values."""

from collections.abc import Callable
from typing import Final

from pulmo.radiograph.dicom_codes import (
    body_part_of,
    body_part_of_code,
    intent_of,
    modality_of_class,
    modality_of_header,
)
from pulmo.radiograph.dicom_elements import Elements
from pulmo.radiograph.facts import (
    FRONTAL,
    Edge,
    Facts,
    age_between,
    age_of,
    orientation_of,
    patient_right_of,
    sex_of,
    view_of,
    view_of_code,
    view_of_orientation,
)

_CALIBRATED: Final = ("GEOMETRY", "FIDUCIAL")
_DAYS: Final = ("AcquisitionDate", "SeriesDate", "StudyDate")


def facts_of(elements: Elements, bits: int) -> Facts:
    """Returns what a data set says of its image; no free text, such as a description, is read.

    The view is that of View Position, else of View Code Sequence, else of Patient Orientation; the
    age Patient's Age, else the whole years from Patient's Birth Date to the date of acquisition, of
    the series or of the study. A value that cannot be used counts as unknown, and is noted.

    Returns:
        the facts; their notes are still with `elements`.
    """
    sop_class = elements.text("SOPClassUID")
    return Facts(
        format="DICOM",
        bits=bits,
        view=_view_of(elements),
        modality=_modality_of(elements, sop_class),
        age=_age_of(elements),
        sex=_known(elements, "PatientSex", sex_of),
        spacing=_spacing_of(elements),
        body_part=_body_part_of(elements),
        intent=intent_of(elements.text("PresentationIntentType"), sop_class),
        patient_right=_patient_right_of(elements),
    )


def aspect_of(elements: Elements) -> float:
    """Returns the height of a pixel divided by its width (PS3.3 C.7.6.3.1.7).

    It follows from Pixel Aspect Ratio or, without it, from the spacing. What cannot be used counts
    as 1, and is noted.
    """
    stated = elements.numbers("PixelAspectRatio")
    if stated:
        if len(stated) == 2 and min(stated) > 0:
            return stated[0] / stated[1]
        elements.unusable("PixelAspectRatio")
    measures = frame_item(elements, "PixelMeasuresSequence") or elements
    for holder, keyword in (
        (elements, "PixelSpacing"),
        (measures, "PixelSpacing"),
        (elements, "ImagerPixelSpacing"),
        (elements, "NominalScannedPixelSpacing"),
    ):
        if pair := _pair(holder, keyword):
            return pair[0] / pair[1]
    return 1.0


def note_orientation(elements: Elements) -> None:
    """Notes a Patient Orientation (PS3.3 C.7.6.1.1.1) that differs from the way images are hung."""
    directions = elements.texts("PatientOrientation")
    if len(directions) == 2:
        turned = orientation_of(*directions)
        if turned:
            elements.note(
                "orientation",
                f"Patient Orientation says that the image is {turned}; it was left as it is.",
            )


def note_scope(elements: Elements, facts: Facts) -> None:
    """Notes what the header states that does not fit a frontal chest X-ray image."""
    stated = {
        "Modality": facts.modality not in (None, "X-ray") and facts.modality,
        "Presentation Intent Type": facts.intent,
        "view": facts.view not in (None, *FRONTAL) and facts.view,
        "part of the body": facts.body_part != "chest" and facts.body_part,
    }
    for what, value in stated.items():
        if value:
            elements.note("scope", f"The {what} that the header states is {value}.")


def frame_item(elements: Elements, keyword: str) -> Elements | None:
    """Returns the item that the functional groups of the one frame have of a macro's sequence.

    The groups of the frame go before those that all frames share (PS3.3 C.7.6.16).
    """
    for groups in ("PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence"):
        for group in elements.items(groups)[:1]:
            for item in elements.within(group).items(keyword)[:1]:
                return elements.within(item)
    return None


def _known(elements: Elements, keyword: str, read: Callable[[str], str | None]) -> str | None:
    """Returns what `read` makes of an element's code, and notes a code that it does not know."""
    code = elements.text(keyword)
    found = read(code)
    if code and found is None:
        elements.unusable(keyword, "is not one that is known")
    return found


def _modality_of(elements: Elements, sop_class: str) -> str | None:
    """Returns the modality of the header; the kind of the DICOM object tells it where it must."""
    code = elements.text("Modality")
    stated, kept = modality_of_header(code), modality_of_class(sop_class)
    if code and stated is None and code.upper() not in {"OT", "SC"}:
        elements.unusable("Modality", "is not one that is known")
    if stated and kept and stated != kept:
        elements.note(
            "contradiction",
            f"Modality says {stated}, and the kind of the DICOM object says {kept}.",
        )
    return kept if kept not in (None, "X-ray") else stated or kept


def _age_of(elements: Elements) -> float | None:
    stated = elements.text("PatientAge")
    age = age_of(stated)
    if stated and age is None:
        elements.unusable("PatientAge")
    if age is None:
        birth = elements.text("PatientBirthDate")
        days = (elements.text(keyword) for keyword in _DAYS)
        age = age_between(birth, next((day for day in days if day), ""))
    return age


def _view_of(elements: Elements) -> str | None:
    """Returns the view, from the attribute that says most of it."""
    found = [_known(elements, "ViewPosition", view_of)]
    items = map(elements.within, elements.items("ViewCodeSequence"))
    found += [view_of_code(*_code(item)) for item in items]
    directions = elements.texts("PatientOrientation")
    if len(directions) == 2:
        found.append(view_of_orientation(*directions))
    views = [view for view in found if view]
    if len(set(views)) > 1:
        elements.note(
            "contradiction", f"The header states several views: {', '.join(dict.fromkeys(views))}."
        )
    return next(iter(views), None)


def _patient_right_of(elements: Elements) -> Edge | None:
    directions = elements.texts("PatientOrientation")
    return patient_right_of(*directions) if len(directions) == 2 else None


def _body_part_of(elements: Elements) -> str | None:
    stated = _known(elements, "BodyPartExamined", body_part_of)
    anatomy = frame_item(elements, "FrameAnatomySequence")
    for holder in (elements, anatomy):
        for item in holder.items("AnatomicRegionSequence") if holder else ():
            stated = stated or body_part_of_code(*_code(elements.within(item)))
    return stated


def _code(item: Elements) -> tuple[str, str]:
    return item.text("CodingSchemeDesignator"), item.text("CodeValue")


def _spacing_of(elements: Elements) -> tuple[float, float] | None:
    """Returns the distance of neighbouring rows and columns in mm (PS3.3 10.7.1.1).

    Pixel Spacing is that in the patient, if it was calibrated: then it says so, or differs from
    the spacing at the detector. Else that at the detector is divided by the magnification, which
    is stated (PS3.3 C.8.1.2) or taken to be 1.
    """
    measures = frame_item(elements, "PixelMeasuresSequence") or elements
    stated = _pair(elements, "PixelSpacing") or _pair(measures, "PixelSpacing")
    at_detector = _pair(elements, "ImagerPixelSpacing") or _pair(
        elements, "NominalScannedPixelSpacing"
    )
    calibrated = elements.text("PixelSpacingCalibrationType") in _CALIBRATED
    if at_detector is None or (stated and (calibrated or stated != at_detector)):
        return stated
    magnification = [*elements.numbers("EstimatedRadiographicMagnificationFactor"), 1.0][0]
    # The source is in front of the patient, and the detector behind.
    if magnification < 1:
        elements.unusable("EstimatedRadiographicMagnificationFactor")
        return at_detector
    return at_detector[0] / magnification, at_detector[1] / magnification


def _pair(elements: Elements, keyword: str) -> tuple[float, float] | None:
    """Returns two positive numbers of an element; None for anything else."""
    steps = elements.numbers(keyword)
    if steps and not (len(steps) == 2 and min(steps) > 0):
        elements.unusable(keyword)
        return None
    return (steps[0], steps[1]) if steps else None
