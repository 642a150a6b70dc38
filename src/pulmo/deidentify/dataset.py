"""A DICOM data set loses what could identify its patient (PS3.15 E.1.1)."""

from typing import Any, Final

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

import pulmo
from pulmo.deidentify.profile import EDITION, Action, action_by_tag, action_by_value
from pulmo.radiograph.dicom_elements import Elements, text_of
from pulmo.radiograph.dicom_tags import facts_of
from pulmo.radiograph.pseudonyms import Pseudonyms, is_of_the_standard

# What replaces a value that must be there.
_DUMMIES: Final[dict[str, Any]] = {
    "AS": "000Y",
    "DA": "19000101",
    "DT": "19000101000000",
    "TM": "000000",
    "OB": b"\0\0",
    "UN": b"\0\0",
    "UR": "http://removed.invalid",
}

# Coding schemes of publishers (PS3.16 table 8-1). Others are of a hospital or a manufacturer.
_SCHEMES: Final = ("DCM", "SCT", "SRT", "SNM3", "99SDM", "UCUM", "FMA", "LN", "RADLEX")

# PS3.16 CID 7050.
_BASIC_PROFILE: Final = ("113100", "Basic Application Confidentiality Profile")
_CHARACTERISTICS: Final = ("113108", "Retain Patient Characteristics Option")


def clean(dataset: Dataset, pseudonyms: Pseudonyms, *, characteristics: bool) -> None:
    """Takes out of a data set what the profile takes, and says in it that this was done.

    Args:
        dataset: is changed; its pixel data are left alone.
        pseudonyms: what replaces identifiers.
        characteristics: whether age, sex, size, weight and the like are kept.
    """
    patient = _identity_of(dataset)
    age = facts_of(Elements(dataset), bits=0).age if characteristics else None
    _treat(dataset, pseudonyms, characteristics=characteristics)
    if patient:
        dataset.PatientID = pseudonyms.patient(patient)
        dataset.PatientName = f"{dataset.PatientID}^"
    if age is not None and "PatientAge" not in dataset:
        dataset.PatientAge = f"{int(age):03d}Y"
    dataset.PatientIdentityRemoved = "YES"
    dataset.LongitudinalTemporalInformationModified = "REMOVED"
    dataset.DeidentificationMethod = f"pulmo {pulmo.__version__}, {EDITION}"
    done = [_BASIC_PROFILE, _CHARACTERISTICS] if characteristics else [_BASIC_PROFILE]
    dataset.DeidentificationMethodCodeSequence = [_code(*method) for method in done]


def _identity_of(dataset: Dataset) -> str:
    """Returns what identifies the patient; "" if nothing does."""
    found = (text_of(dataset, word) for word in ("PatientID", "PatientName", "StudyInstanceUID"))
    return next(filter(None, found), "")


def _treat(dataset: Dataset, pseudonyms: Pseudonyms, *, characteristics: bool) -> None:
    for tag in list(dataset.keys()):
        action = action_by_tag(tag, characteristics=characteristics)
        if action != "remove":
            try:
                element = dataset[tag]
                action = action or action_by_value(element)
                _apply(action, element, pseudonyms, characteristics=characteristics)
                is_void = element.VR == "SQ" and action != "empty" and not element.value
            except Exception:  # noqa: BLE001 - pydicom raises anything on values that are none
                is_void = True
        if action == "remove" or is_void:
            del dataset[tag]


def _apply(
    action: Action, element: DataElement, pseudonyms: Pseudonyms, *, characteristics: bool
) -> None:
    """Does to an element whatever leaves it in its place."""
    if action == "empty":
        element.clear()
    elif action == "rename" or (action == "replace" and element.VR == "UI"):
        _rename(element, pseudonyms)
    elif action == "replace":
        # What is in a sequence cannot be checked here.
        element.value = [] if element.VR == "SQ" else _DUMMIES.get(element.VR, "REMOVED")
    elif action == "keep" and element.VR == "SQ":
        for item in element.value:
            _treat(item, pseudonyms, characteristics=characteristics)
        element.value = [item for item in element.value if _says_something(item)]


def _rename(element: DataElement, pseudonyms: Pseudonyms) -> None:
    """Replaces unique identifiers, but not the standard's own, such as a class of objects."""
    given = element.value if element.VM > 1 else [element.value]
    new = [uid if not uid or is_of_the_standard(uid) else pseudonyms.uid(uid) for uid in given]
    element.value = new if len(new) > 1 else new[0]


def _says_something(item: Dataset) -> bool:
    """Tells whether an item is worth keeping: not an empty one, and no code of a private scheme."""
    if "CodeMeaning" in item or "CodeValue" in item:
        return text_of(item, "CodingSchemeDesignator") in _SCHEMES
    return len(item) > 0


def _code(value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
    return item
