"""Montgomery County X-ray Set (Jaeger et al. 2014): normal images, tuberculosis and lung masks."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from pulmo.datasets.source import About, Entry, Problem, refuse_map, source
from pulmo.datasets.sources.shenzhen import LABELS, LICENCE, PAGE, images_of, reading_of
from pulmo.radiograph.facts import age_of, sex_of

_NAME: Final = re.compile(r"MCUCXR_\d{4}_[01]\.png")
_SEX: Final = re.compile(r"Patient's\s+Sex:\s*(\w)", re.IGNORECASE)
_AGE: Final = re.compile(r"Patient's\s+Age:\s*(\d+\w)", re.IGNORECASE)
_SAME: Final = re.compile(r"same\s+(?:pt|patient)\s+as\s+(MCUCXR_\d{4}_[01])", re.IGNORECASE)


class _Reading(NamedTuple):
    """What a clinical reading says: age, sex, and the image of the same patient that it names."""

    age: float | None
    sex: str | None
    same: str | None


@source(
    "montgomery",
    About(
        title="Montgomery County X-ray Set (Jaeger et al. 2014)",
        licence=LICENCE,
        size="138 images; bytes not stated",
        url=PAGE,
        obtain="Download the set there and unpack it; ROOT is its folder MontgomerySet, which "
        "holds CXR_png and ClinicalReadings. The masks of the left and the right lung lie in "
        "ManualMask/leftMask and ManualMask/rightMask; they are no images and are not imported.",
    ),
)
def montgomery(root: Path, label_map: Mapping[str, str]) -> Iterator[Entry | Problem]:
    """Yields the images of `CXR_png/`, such as `MCUCXR_0001_0.png`; all are PA.

    The last digit of a name is 0 for a normal image and 1 for one with tuberculosis, which is
    labelled other. Sex and age are in the reading in `ClinicalReadings/`. Patients are not named,
    but a few readings say that an image is of the same patient as another one: these have the name
    of one of the images as their patient. The lung masks in `ManualMask/` are not read.

    Raises:
        InputError: there is no folder `CXR_png`.
        UsageError: `label_map` is not empty.
    """
    refuse_map(label_map, "montgomery")
    found = list(images_of(root, _NAME, "montgomery"))
    stems = [path.stem for path in found if isinstance(path, Path)]
    readings = {stem: _reading("".join(reading_of(root, stem))) for stem in stems}
    patients = _patients({stem: reading.same for stem, reading in readings.items()})
    for path in found:
        if isinstance(path, Problem):
            yield path
        else:
            yield _entry(path, readings[path.stem], patients.get(path.stem))


def _entry(path: Path, reading: _Reading, patient: str | None) -> Entry:
    finding, label = LABELS[path.stem[-1]]
    return Entry(
        path,
        label,
        finding=finding,
        patient=patient,
        view="PA",
        modality="X-ray",
        age=reading.age,
        sex=reading.sex,
        origin="Department of Health and Human Services, Montgomery County, USA",
    )


def _reading(text: str) -> _Reading:
    sex, age, same = (pattern.search(text) for pattern in (_SEX, _AGE, _SAME))
    return _Reading(
        age_of(age[1]) if age else None,
        sex_of(sex[1]) if sex else None,
        same[1].upper() if same else None,
    )


def _patients(same: Mapping[str, str | None]) -> dict[str, str]:
    """Returns one name for all images that readings link, however long the chain.

    Args:
        same: image -> the image of the same patient that its reading names.
    """
    patients: dict[str, str] = {}
    for image, other in same.items():
        if other is None:
            continue
        names = {patients.get(image, image), patients.get(other, other)}
        linked = names | {name for name, patient in patients.items() if patient in names}
        patients |= dict.fromkeys({*linked, image, other}, min(names))
    return patients
