"""Cohen et al. 2020: the covid-chestxray-dataset, collected from publications worldwide."""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from pulmo.core.errors import InputError
from pulmo.datasets.entries import image_inside, table_entries
from pulmo.datasets.rows import age_in_years, if_exact, known_sex, offset_in_days
from pulmo.datasets.source import About, Entry, Problem, Repository, refuse_map, source

_URL = "https://github.com/ieee8023/covid-chestxray-dataset"
_REQUIRED = ("patientid", "finding", "view", "modality", "filename", "folder")

# The last part of the published path `Pneumonia/Viral/COVID-19`, or the older flat name.
_LABELS = {
    "COVID-19": "covid",
    "COVID-19, ARDS": "covid",
    "No Finding": "normal",
    "Pneumonia": "pneumonia",
    "Bacterial": "bacterial",
    "Streptococcus": "bacterial",
    "Klebsiella": "bacterial",
    "E.Coli": "bacterial",
    "Legionella": "bacterial",
    "Nocardia": "bacterial",
    "Staphylococcus": "bacterial",
    "MRSA": "bacterial",
    "Mycoplasma": "bacterial",
    "Mycoplasma Bacterial Pneumonia": "bacterial",
    "Chlamydophila": "bacterial",
    "SARS": "viral",
    "MERS-CoV": "viral",
    "Influenza": "viral",
    "H1N1": "viral",
    "Varicella": "viral",
    "Herpes": "viral",
    "Viral": "viral",
    "ARDS": "other",
    "Pneumocystis": "other",
    "Fungal": "other",
    "Aspergillosis": "other",
    "Lipoid": "other",
    "Aspiration": "other",
    "Tuberculosis": "other",
}
_UNKNOWN = {"todo", "Unknown", ""}
_VIEWS = {
    "PA": "PA",
    "AP": "AP",
    "AP Supine": "AP supine",
    "AP semi erect": "AP",
    "AP erect": "AP",
    "L": "lateral",
    "Axial": "axial",
    "Coronal": "coronal",
}


@source(
    "cohen",
    About(
        title="Cohen et al. 2020, covid-chestxray-dataset",
        licence="stated per image in metadata.csv",
        size="about 950 images, 0.6 GB",
        url=_URL,
        obtain=f"git clone --depth 1 {_URL} ROOT; ROOT then holds metadata.csv and images.",
        remote=Repository(
            "ieee8023/covid-chestxray-dataset",
            "6a4242344473ccb5ed0d2148d8c7bfb1691e4ed8",
            ("metadata.csv", "images"),
            800,
        ),
    ),
)
def cohen(root: Path, label_map: Mapping[str, str]) -> Iterator[Entry | Problem]:
    """Yields the rows of `metadata.csv` that have an image in `images/` and a stated finding.

    The origin is the hospital or, where none is named, the site that published the image. An
    offset that is no number is not known. The boxes in `annotations/` are about lungs, not
    findings, and are not read.

    Raises:
        InputError: `metadata.csv` is missing, is not UTF-8 or not CSV, or lacks a column, or a
            finding is not in the table of labels.
        UsageError: `label_map` is not empty.
    """
    refuse_map(label_map, "cohen")
    table = root / "metadata.csv"
    yield from table_entries(table, _REQUIRED, partial(_entry, root, table))


def _entry(root: Path, table: Path, row: Mapping[str, str]) -> Entry | Problem:
    finding, filename = row["finding"], row["filename"]
    name = finding.rsplit("/", 1)[-1]
    if row["folder"] != "images":
        return Problem(filename, "it is a volume, not an image", failed=False)
    path = image_inside(root / "images", filename)
    if isinstance(path, Problem):
        return path
    if name in _UNKNOWN:
        return Problem(filename, "its finding is not stated", failed=False)
    if name not in _LABELS:
        raise InputError(
            "finding-unknown", f"{table}: the finding {finding!r} is not in the table of labels."
        )
    return Entry(
        path,
        _LABELS[name],
        finding=finding,
        patient=row["patientid"] or None,
        view=_VIEWS.get(row["view"]),
        modality=row["modality"] or None,
        age=age_in_years(row.get("age")),
        sex=known_sex(row.get("sex")),
        origin=_origin(row),
        licence=row.get("license") or None,
        offset=if_exact(offset_in_days, row.get("offset")),
    )


def _origin(row: Mapping[str, str]) -> str | None:
    location = row.get("location")
    if location and location != "?":
        return location
    return if_exact(lambda url: urlsplit(url or "").hostname, row.get("url"))
