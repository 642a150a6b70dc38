"""Facts: what a file says of its picture."""

from typing import Final, Literal, NamedTuple

FileFormat = Literal["PNG", "JPEG", "TIFF", "DICOM"]


class Facts(NamedTuple):
    """What a file says of its picture; None where it says nothing.

    Attributes:
        format: the format of the file, by its content.
        bits: bits of one stored sample.
        view: PA, AP, lateral, oblique or decubitus.
        modality: X-ray, CT, MR, US, NM, PT, MG, XA or other.
        age: of the patient in years, 0 to 130.
        sex: F, M or O.
        spacing: distance of neighbouring rows and of neighbouring columns in mm.
        notes: sentences on what was done to the picture that a reader should know of.
    """

    format: FileFormat
    bits: int
    view: str | None = None
    modality: str | None = None
    age: float | None = None
    sex: str | None = None
    spacing: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()


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

# PS3.3 C.7.3.1.1.1. DR is not in the standard but in files. OT and SC are what secondary captures
# bear; they do not say where the picture came from.
_MODALITIES: Final = {
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

_PER_YEAR: Final = {"Y": 1.0, "M": 12.0, "W": 52.1775, "D": 365.25}


def view_of(code: str) -> str | None:
    """Returns the view of a DICOM View Position (0018,5101); None for an unknown code."""
    return _VIEWS.get(code.upper())


def modality_of(code: str) -> str | None:
    """Returns the modality of a DICOM Modality (0008,0060).

    CR, DX, DR, RG and RF count as X-ray. OT, SC and nothing say nothing: None.
    """
    return _MODALITIES.get(code.upper(), "other")


def age_of(text: str) -> float | None:
    """Returns the years of a DICOM age string such as `065Y`, `018M`, `003W` or `010D`.

    Anything else, and an age above 130 years, gives None (PS3.5 6.2, value representation AS).
    """
    number, unit = text[:-1], text[-1:].upper()
    if not (number.isascii() and number.isdigit() and unit in _PER_YEAR):
        return None
    years = int(number) / _PER_YEAR[unit]
    return years if years <= 130 else None


def sex_of(code: str) -> str | None:
    """Returns F, M or O of a DICOM Patient's Sex (0010,0040); None for anything else."""
    return code.upper() if code.upper() in {"F", "M", "O"} else None
