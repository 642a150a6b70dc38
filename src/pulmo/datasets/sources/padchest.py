"""PadChest (Bustos et al. 2020): images of a hospital in Alicante, labelled from their reports."""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from pulmo.core.errors import InputError
from pulmo.datasets.bimcv import LABELS, exclusion_of, findings_of
from pulmo.datasets.entries import image_inside, table_entries
from pulmo.datasets.findings import stated_verdict
from pulmo.datasets.rows import age_in_years, if_exact
from pulmo.datasets.source import About, Entry, Problem, refuse_map, source
from pulmo.radiograph.facts import sex_of

_TABLE: Final = "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv"
_REQUIRED: Final = ("ImageID", "ImageDir", "PatientID", "Projection", "Labels")
_VIEWS: Final = {"PA": "PA", "AP": "AP", "AP_horizontal": "AP supine", "L": "lateral"}
_NO_CHEST: Final = {"COSTAL": "a view of the ribs", "EXCLUDE": "excluded by the set"}


@source(
    "padchest",
    About(
        title="PadChest (Bustos et al. 2020)",
        licence="PADCHEST Dataset Research Use Agreement: research, not commercial",
        size="some 160,000 images; bytes not stated",
        url="https://bimcv.cipf.es/bimcv-projects/padchest/",
        obtain="Accept the agreement there, download the archives 0.zip to 54.zip and "
        f"{_TABLE}.gz into one folder, which is ROOT, and type there:\n"
        "$ for f in *.zip; do unzip -d ${f%.zip} $f; done\n"
        "The images then lie in ROOT/0 to ROOT/54.",
    ),
)
def padchest(root: Path, label_map: Mapping[str, str]) -> Iterator[Entry | Problem]:
    """Yields the rows of the table (unpacked or `.gz`) that have an image in `ImageDir/`.

    Label: pneumonia if that, also an atypical one, is among the findings, normal for `normal`
    alone, else other. Left out are images that the set excludes or whose study it calls suboptimal,
    views of the ribs, and images without a stated finding or with `normal` and another one. Most
    findings were not given by a physician but by a network that read the report. The age is the
    difference of the years of the study and of the birth, so it may be a year too high.

    Raises:
        InputError: the table is missing, is not usable or lacks a column, or a finding is not in
            the table of labels.
        UsageError: `label_map` is not empty.
    """
    refuse_map(label_map, "padchest")
    plain = root / _TABLE
    table = plain if plain.is_file() else root / f"{_TABLE}.gz"
    # The reports, in Spanish, are not read; a byte of theirs must not stop the import.
    yield from table_entries(table, _REQUIRED, partial(_entry, root, table), encoding="latin-1")


def _entry(root: Path, table: Path, row: Mapping[str, str]) -> Entry | Problem:
    name, projection = row["ImageID"], row["Projection"]
    if not name or not row["ImageDir"]:
        raise ValueError("it names no image or no folder")
    path = image_inside(root, f"{row['ImageDir']}/{name}")
    if isinstance(path, Problem):
        return path
    if projection in _NO_CHEST:
        return Problem(name, f"its projection is {_NO_CHEST[projection]}", failed=False)
    if row["Labels"] in {"", "nan"}:
        return Problem(name, "its findings are not stated", failed=False)
    findings = findings_of(row["Labels"])
    if reason := exclusion_of(findings):
        return Problem(name, reason, failed=False)
    try:
        found = stated_verdict(findings, LABELS)
    except KeyError as error:
        raise InputError(
            "finding-unknown", f"{table}: the finding {error} is not in the table of labels."
        ) from None
    if found.label is None:
        return Problem(name, found.reason, found.failed)
    return Entry(
        path,
        found.label,
        finding=found.finding,
        patient=row["PatientID"] or None,
        view=_VIEWS.get(projection),
        modality="X-ray",
        age=_age(row),
        sex=sex_of(row.get("PatientSex_DICOM", "")),
        origin="Hospital San Juan de Alicante, Spain",
    )


def _age(row: Mapping[str, str]) -> float | None:
    """Returns the years from the birth, such as 1930.0, to the day of the study, 20140915."""
    day, birth = row.get("StudyDate_DICOM", ""), row.get("PatientBirth", "")
    try:
        years = int(day[:4]) - float(birth)
    except ValueError:
        return None
    return if_exact(age_in_years, str(years))
