"""The codes of the report: SNOMED CT and DICOM's own, and those of pulmo where neither has one."""

from typing import Final

from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from pulmo.core.labels import LabelScheme
from pulmo.predictions.operating_point import Band

OWN: Final = "99PULMO"
"""The coding scheme of pulmo; names that begin with 99 are private (PS3.16 8)."""

_LABELS: Final = {
    "covid": Code("882784691000119100", "SCT", "Pneumonia caused by SARS-CoV-2"),
    "bacterial": Code("53084003", "SCT", "Bacterial pneumonia"),
    "viral": Code("75570004", "SCT", "Viral pneumonia"),
    "pneumonia": Code("233604007", "SCT", "Pneumonia"),
    "normal": Code("17621005", "SCT", "Normal"),
    "other": Code("74964007", "SCT", "Other"),
}

BANDS: Final[dict[Band, Code]] = {
    "negative": Code("260385009", "SCT", "Negative"),
    "uncertain": Code("82334004", "SCT", "Indeterminate"),
    "positive": Code("10828004", "SCT", "Positive"),
}

PROCEDURES: Final = {
    "X-ray": Code("399208008", "SCT", "Plain X-ray of chest"),
    "CT": Code("169069000", "SCT", "CT of chest"),
}
IMAGING: Final = Code("363679005", "SCT", "Imaging")
"""The procedure where the modality is not known."""

PROBABILITY: Final = codes.DCM.Probability
DECISION: Final = Code("decision", OWN, "Class with the highest probability")
POSITIVE: Final = Code("positive", OWN, "Result at the threshold")
POSITIVE_PROBABILITY: Final = Code(
    "positive-probability", OWN, "Summed probability of the positive classes"
)
THRESHOLD: Final = Code("threshold", OWN, "Threshold of the summed probability")
BAND: Final = Code("band", OWN, "Triage band")
IN_SET: Final = Code("prediction-set", OWN, "Class of the prediction set")
LUNG_SHARE: Final = Code("lung-share", OWN, "Area as a share of the image")
OPACITY: Final = Code("opacity", OWN, "Opacity, 0 as air and 1 as soft tissue")
EVIDENCE: Final = Code("evidence", OWN, "Highest evidence for the class")

ONE: Final = Code("1", "UCUM", "no units")
LOGIT: Final = Code("{logit}", "UCUM", "units of the logit")


def class_code(label: str, scheme: LabelScheme) -> Code:
    """Returns the code of a model's class.

    A class into which other labels are merged means more than the standard's code says, so it
    gets one of pulmo.
    """
    merged = sorted(each for each, target in scheme.merge.items() if target == label)
    if not merged:
        return _LABELS[label]
    parts = [label, *merged]
    # Code Value has 16 characters at most and Code Meaning 64 (PS3.5 6.2).
    value = "+".join(part[:4] for part in parts)[:16]
    return Code(value, OWN, " or ".join(parts)[:64])
