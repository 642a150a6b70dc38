"""Shenzhen Hospital X-ray Set (Jaeger et al. 2014): normal images and images of tuberculosis."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from pulmo.core.errors import InputError
from pulmo.datasets.source import About, Entry, Problem, images_below, refuse_map, source
from pulmo.datasets.text import UTF8, first_fault, text_lines

LABELS: Final = {"0": ("normal", "normal"), "1": ("tuberculosis", "other")}
"""What the last digit of a name means in both of the NLM's sets: finding and label."""

PAGE: Final = (
    "https://lhncbc.nlm.nih.gov/LHC-publications/pubs/TuberculosisChestXrayImageDataSets.html"
)
"""The NLM's page of both sets."""

LICENCE: Final = (
    "none is named; the NLM asks for its acknowledgement and for the citation of Jaeger et al. 2014"
)
"""Of both of the NLM's sets."""

_NAME: Final = re.compile(r"CHNCXR_\d{4}_(?P<digit>[01])\.png")
_SEX: Final = re.compile(r"\s*(?P<female>fe)?mal", re.IGNORECASE)
_AGE: Final = re.compile(
    r"(?P<count>\d{1,4}(\.\d+)?)\s*(?P<unit>y(ea)?rs?|months?|weeks?|days?)\b", re.IGNORECASE
)
_PER_YEAR: Final = {"y": 1.0, "m": 12.0, "w": 52.1775, "d": 365.25}
_OLDEST: Final = 130


@source(
    "shenzhen",
    About(
        title="Shenzhen Hospital X-ray Set (Jaeger et al. 2014)",
        licence=LICENCE,
        size="662 images; bytes not stated",
        url=PAGE,
        obtain="Download the set there and unpack it; ROOT is its folder ChinaSet_AllFiles (or "
        "Shenzhen-Hospital-CXR-Set), which holds CXR_png and ClinicalReadings.",
    ),
)
def shenzhen(root: Path, label_map: Mapping[str, str]) -> Iterator[Entry | Problem]:
    """Yields the images of `CXR_png/`, such as `CHNCXR_0001_0.png`.

    The last digit of a name is 0 for a normal image and 1 for one with tuberculosis, which is
    labelled other. Sex and age are in the first line of the reading in `ClinicalReadings/`; an age
    without a unit is not known. The set names no patients and no views: most are PA, those of
    infants may not be.

    Raises:
        InputError: there is no folder `CXR_png`.
        UsageError: `label_map` is not empty.
    """
    refuse_map(label_map, "shenzhen")
    for path in images_of(root, _NAME, "shenzhen"):
        yield path if isinstance(path, Problem) else _entry(root, path)


def _entry(root: Path, path: Path) -> Entry:
    finding, label = LABELS[path.stem[-1]]
    first = next(filter(str.strip, reading_of(root, path.stem)), "")
    sex = _SEX.match(first)
    return Entry(
        path,
        label,
        finding=finding,
        modality="X-ray",
        age=_age(first),
        sex=("F" if sex["female"] else "M") if sex else None,
        origin="Shenzhen No. 3 People's Hospital, Shenzhen, China",
    )


def _age(text: str) -> float | None:
    """Returns the years of a text such as `male, 38yrs`, `male 16month` or `female 64days`."""
    if not (match := _AGE.search(text)):
        return None
    years = float(match["count"]) / _PER_YEAR[match["unit"][0].lower()]
    return years if years <= _OLDEST else None


def images_of(root: Path, name: re.Pattern[str], called: str) -> Iterator[Path | Problem]:
    """Yields the images of `CXR_png/` in path order; what has another name is left out by rule.

    Masks that somebody put next to the images have other names, and so has Windows' `Thumbs.db`.

    Raises:
        InputError: there is no such folder.
    """
    folder = root / "CXR_png"
    if not folder.is_dir():
        raise InputError(
            "source-layout-unexpected",
            f"{root} does not have the layout of {called}: it contains no folder CXR_png.",
        )
    for path in images_below(folder):
        if isinstance(path, Problem) or name.fullmatch(path.name):
            yield path
        else:
            yield Problem(str(path), f"its name is not that of an image of {called}", failed=False)


def reading_of(root: Path, stem: str) -> list[str]:
    """Returns the lines of an image's clinical reading; none where it is absent or is no text."""
    path = root / "ClinicalReadings" / f"{stem}.txt"
    try:
        return list(text_lines(path, UTF8 if first_fault(path) is None else "latin-1"))
    except InputError:
        return []
