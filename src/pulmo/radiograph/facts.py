"""Facts: what a file says of its image."""

from datetime import date
from typing import Final, Literal, NamedTuple

from pulmo.radiograph.notes import Note

FRONTAL: Final = ("PA", "AP", "AP supine")
"""The frontal views."""

Edge = Literal["left", "right"]

AgeGroup = Literal["child", "adult"]
"""Whether a patient is below `ADULT`."""

ADULT: Final = 18
"""Age in years from which a patient is an adult."""

FileFormat = Literal["PNG", "JPEG", "TIFF", "BMP", "WebP", "JPEG 2000", "DICOM"]


class Facts(NamedTuple):
    """What a file says of its image; None where it says nothing.

    Attributes:
        format: the format of the file, by its content; `array` if there was no file.
        bits: bits of one stored sample.
        view: PA, AP, lateral, oblique or decubitus.
        modality: X-ray, CT, MR, US, NM, PT, MG, XA or other.
        age: of the patient in years, 0 to 130.
        sex: F, M or O.
        body_part: that the header names, such as chest, hand, or chest and abdomen.
        intent: for processing, where the image is the detector's and not meant to be looked at.
        patient_right: the edge of the image at which the patient's right side lies.
        spacing: distance of neighbouring rows and of neighbouring columns in mm: in the patient
            where the file was calibrated or states its magnification, else at the detector, where
            a chest is about a tenth larger.
        notes: what was assumed about the image, or done to it, that a user must know of.
    """

    format: FileFormat | Literal["array"]
    bits: int
    view: str | None = None
    modality: str | None = None
    age: float | None = None
    sex: str | None = None
    spacing: tuple[float, float] | None = None
    body_part: str | None = None
    intent: str | None = None
    patient_right: Edge | None = None
    notes: tuple[Note, ...] = ()


# The defined terms of PS3.3 C.8.1.1, whose sides are dropped, and two spellings that are not in the
# standard but in files.
_VIEWS: Final = {
    "PA": "PA",
    "AP": "AP",
    "LL": "lateral",
    "RL": "lateral",
    "LAT": "lateral",
    "LATERAL": "lateral",
    "LLD": "decubitus",
    "RLD": "decubitus",
    "LLO": "oblique",
    "RLO": "oblique",
}

# PS3.16 CID 4010, as SNOMED CT and as the older SNOMED RT, whose designators are SRT, SNM3 and
# 99SDM. `frontal` is not here: it may be PA or AP.
_VIEW_CODES: Final = {
    "272479007": "PA",
    "R-10214": "PA",
    "R-40888": "PA",
    "399348003": "AP",
    "R-10206": "AP",
    "399067008": "lateral",
    "R-102CD": "lateral",
    "399173006": "lateral",
    "R-10236": "lateral",
    "399198007": "lateral",
    "R-10232": "lateral",
    "399182000": "oblique",
    "R-102C1": "oblique",
    "399236003": "oblique",
    "R-10234": "oblique",
    "399184004": "oblique",
    "R-10238": "oblique",
    "399356000": "oblique",
    "R-40985": "oblique",
    "R-10218": "oblique",
    "399135007": "oblique",
    "R-10220": "oblique",
    "399038007": "oblique",
    "R-10210": "oblique",
    "399006002": "oblique",
    "R-10212": "oblique",
    "399312000": "oblique",
    "R-10208": "oblique",
    "399059000": "oblique",
    "R-10216": "oblique",
}
SNOMED: Final = ("SCT", "SRT", "SNM3", "99SDM")
"""Coding schemes whose codes are those of SNOMED CT or RT."""

MODALITIES: Final = {
    "CR": "X-ray",
    "DX": "X-ray",
    "DR": "X-ray",
    "RG": "X-ray",
    "RF": "X-ray",
    "CT": "CT",
    "MR": "MR",
    "US": "US",
    "NM": "NM",
    "PT": "PT",
    "MG": "MG",
    "XA": "XA",
    "OT": None,
    "SC": None,
    "": None,
}
"""Modality of PS3.3 C.7.3.1.1.1 -> what it is called here. DR is not in the standard but in files.
OT and SC are what secondary captures bear; they do not say where the image came from."""

_PER_YEAR: Final = {"Y": 1.0, "M": 12.0, "W": 52.1775, "D": 365.25}
_OLDEST: Final = 130

# What is written for a date of birth that is unknown or was removed.
_NOT_A_BIRTH: Final = "19000101"


def view_of(code: str) -> str | None:
    """Returns the view of a DICOM View Position (0018,5101); None for an unknown code."""
    return _VIEWS.get(code.upper())


def view_of_code(scheme: str, code: str) -> str | None:
    """Returns the view of a code of PS3.16 CID 4010; None for one that leaves PA or AP open.

    Args:
        scheme: the Coding Scheme Designator: SCT for SNOMED CT, SRT, SNM3 or 99SDM for SNOMED RT.
        code: the Code Value.
    """
    return _VIEW_CODES.get(code) if scheme in SNOMED else None


def view_of_orientation(row: str, column: str) -> str | None:
    """Returns the view that a Patient Orientation (0020,0020) tells without doubt.

    Rows that run to the front or the back, with columns to the head or the feet, are a lateral
    view. Rows from side to side are PA and AP alike: None.

    Args:
        row: where the rows' right end lies: A anterior, P posterior, L left, R right.
        column: where the columns' lower end lies: H head, F feet.
    """
    return "lateral" if row in {"A", "P"} and column in {"H", "F"} else None


def orientation_of(row: str, column: str) -> str | None:
    """Returns how an image is turned that is not as one hangs it: the patient's left at the right.

    Args:
        row: where the rows' right end lies in the patient, as `L` or `LA`.
        column: where the columns' lower end lies, as `F`.

    Returns:
        `mirrored`, `upside down` and the like; None as it should be, for a lateral view, and for
        what is no direction.
    """
    ends = row[:1].upper(), column[:1].upper()
    return {
        ("R", "F"): "mirrored",
        ("L", "H"): "upside down and mirrored",
        ("R", "H"): "upside down",
        ("A", "H"): "upside down",
        ("P", "H"): "upside down",
    }.get(ends, "turned on its side" if ends[0] in {"H", "F"} and ends[1] else None)


def patient_right_of(row: str, column: str) -> Edge | None:
    """Returns the edge of an image at which the patient's right side lies.

    Args:
        row: where the rows' right end lies in the patient, as `L` or `LA`.
        column: where the columns' lower end lies, as `F`.

    Returns:
        None for a lateral view, for an image on its side, and for what is no direction.
    """
    edges: dict[str, Edge] = {"L": "left", "R": "right"}
    return edges.get(row[:1].upper()) if column[:1].upper() in {"F", "H"} else None


def modality_of(code: str) -> str | None:
    """Returns the modality of a DICOM Modality (0008,0060).

    CR, DX, DR, RG and RF count as X-ray. OT, SC and nothing say nothing: None.
    """
    return MODALITIES.get(code.upper(), "other")


def age_group(age: float) -> AgeGroup:
    """Returns whether a patient of an age in years is a child or an adult."""
    return "adult" if age >= ADULT else "child"


def age_of(text: str) -> float | None:
    """Returns the years of a DICOM age string such as `065Y`, `018M`, `003W` or `010D`.

    Anything else, and an age above 130 years, gives None (PS3.5 6.2, value representation AS).
    """
    number, unit = text[:-1], text[-1:].upper()
    if not (number.isascii() and number.isdigit() and unit in _PER_YEAR):
        return None
    years = int(number) / _PER_YEAR[unit]
    return years if years <= _OLDEST else None


def age_between(birth: str, day: str) -> float | None:
    """Returns the whole years between two DICOM dates such as `19400305` (PS3.5 6.2, DA).

    None for anything but two dates, an age above 130 years, a day before the birth, and a birth on
    1 January 1900, which stands for an unknown one.
    """
    born, then = _date_of(birth), _date_of(day)
    if born is None or then is None or birth == _NOT_A_BIRTH:
        return None
    years = then.year - born.year - ((then.month, then.day) < (born.month, born.day))
    return float(years) if 0 <= years <= _OLDEST else None


def _date_of(text: str) -> date | None:
    if not (len(text) == 8 and text.isascii() and text.isdigit()):
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


def sex_of(code: str) -> str | None:
    """Returns F, M or O of a DICOM Patient's Sex (0010,0040); None for anything else."""
    return code.upper() if code.upper() in {"F", "M", "O"} else None
