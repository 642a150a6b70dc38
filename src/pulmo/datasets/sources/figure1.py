"""Chung 2020: the Figure 1 dataset, images that physicians sent to an app."""

import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from pulmo.core.errors import InputError
from pulmo.datasets.entries import image_inside, table_entries
from pulmo.datasets.rows import age_in_years, if_exact, known_sex, offset_in_days
from pulmo.datasets.source import About, Entry, Problem, Repository, refuse_map, source

MISLABELLED = {"COVID-00020": "it is kermany's person1004_virus_1686, not an image of COVID-19"}
"""Patients whose published finding is known to be wrong, and what is known."""

_URL = "https://github.com/agchung/Figure1-COVID-chestxray-dataset"
_REQUIRED = ("patientid", "finding", "view", "modality")
_LABELS = {"COVID-19": "covid", "Pneumonia": "pneumonia", "No finding": "normal"}
_VIEWS = {"PA": "PA", "AP": "AP", "AP erect": "AP"}
_SUFFIXES = (".jpg", ".png", ".jpeg")
_PATIENT = re.compile(r"(?P<patient>COVID-\d{5})[a-z]")


@source(
    "figure1",
    About(
        title="Chung 2020, Figure 1 COVID-19 Chest X-ray Dataset Initiative",
        licence="for research only; no licence is named",
        size="55 images",
        url=_URL,
        obtain=f"git clone --depth 1 {_URL} ROOT; ROOT then holds metadata.csv and images.",
        remote=Repository(
            "agchung/Figure1-COVID-chestxray-dataset",
            "95bb569e55f4110d3b734c0f355340e04e16989a",
            ("metadata.csv", "images"),
            56,
        ),
    ),
)
def figure1(root: Path, label_map: Mapping[str, str]) -> Iterator[Entry | Problem]:
    """Yields the rows of `metadata.csv` that have an image in `images/` and a stated finding.

    `COVID-00003a` and `COVID-00003b` are images of one patient. An age like `50+` or `mid 50s` is
    not known. The image of a patient in `MISLABELLED` is left out.

    Raises:
        InputError: `metadata.csv` is missing, is neither UTF-8 nor Windows-1252, as it is
            published, is not CSV or lacks a column, or a finding is not in the table of labels.
        UsageError: `label_map` is not empty.
    """
    refuse_map(label_map, "figure1")
    table = root / "metadata.csv"
    yield from table_entries(
        table, _REQUIRED, partial(_entry, root, table), encoding="windows-1252"
    )


def patient_of(name: str) -> str:
    """Returns the patient of an image's name: the name without the letter that counts images."""
    match = _PATIENT.fullmatch(name)
    return match["patient"] if match else name


def chung_entry(
    table: Path, row: Mapping[str, str], path: Path, *, name: str, patient: str
) -> Entry | Problem:
    """Returns the entry of a row of Figure 1, or of Actualmed, which has the same columns.

    Args:
        table: whose row it is.
        row: column -> value.
        path: the image.
        name: what to call the image in a problem.
        patient: blank if the row names none.

    Raises:
        InputError: the finding is not in the table of labels.
        ValueError: the sex is unknown; the message is a problem's reason.
    """
    finding = row["finding"]
    if not finding:
        return Problem(name, "its finding is not stated", failed=False)
    if finding not in _LABELS:
        raise InputError(
            "finding-unknown", f"{table}: the finding {finding!r} is not in the table of labels."
        )
    return Entry(
        path,
        _LABELS[finding],
        finding=finding,
        patient=patient or None,
        view=_VIEWS.get(row["view"]),
        modality=row["modality"] or None,
        age=if_exact(age_in_years, row.get("age")),
        sex=known_sex(row.get("sex")),
        offset=if_exact(offset_in_days, row.get("offset")),
    )


def _entry(root: Path, table: Path, row: Mapping[str, str]) -> Entry | Problem:
    name = row["patientid"]
    path = _image(root / "images", name)
    if isinstance(path, Problem):
        return path
    if name in MISLABELLED:
        return Problem(name, MISLABELLED[name], failed=False)
    return chung_entry(table, row, path, name=name, patient=patient_of(name))


def _image(folder: Path, name: str) -> Path | Problem:
    """Returns the image that is named after a row, whatever its suffix."""
    found = [image_inside(folder, f"{name}{suffix}") for suffix in _SUFFIXES]
    images = [path for path in found if isinstance(path, Path)]
    if len(images) > 1:
        return Problem(name, f"it has {len(images)} images; only one can be its own")
    return images[0] if images else found[0]
