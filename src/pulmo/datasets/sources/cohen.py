"""Cohen et al. 2020: the covid-chestxray-dataset, collected from publications worldwide."""

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path

from pulmo.core.errors import InputError
from pulmo.core.files import read_bytes
from pulmo.datasets.source import About, Entry, Problem, source

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
        licence="stated per picture in metadata.csv",
        size="about 950 pictures, 0.6 GB",
        url="https://github.com/ieee8023/covid-chestxray-dataset",
        obtain="Clone the repository; ROOT is its folder.",
    ),
)
def cohen(root: Path, _label_map: Mapping[str, str]) -> Iterator[Entry | Problem]:
    """Yields the rows of `metadata.csv` that have a picture in `images/` and a stated finding.

    Raises:
        InputError: `metadata.csv` is missing or lacks a column, or a finding is not in the table
            of labels.
    """
    table = root / "metadata.csv"
    rows = csv.DictReader(io.StringIO(read_bytes(table).decode("utf-8-sig"), newline=""))
    missing = {"patientid", "finding", "view", "modality", "filename", "folder"} - set(
        rows.fieldnames or ()
    )
    if missing:
        raise InputError(f"{table} has no column {', '.join(sorted(missing))}.")
    seen: set[str] = set()
    for row in rows:
        name = row["filename"]
        if name in seen:
            yield Problem(name, "it has a second row; the first one counts", failed=False)
            continue
        seen.add(name)
        yield _entry(root, table, row)


def _entry(root: Path, table: Path, row: Mapping[str, str]) -> Entry | Problem:
    finding = row["finding"].strip()
    name = finding.rsplit("/", 1)[-1]
    path = root / "images" / row["filename"]
    if row["folder"] != "images":
        return Problem(row["filename"], "it is a volume, not a picture", failed=False)
    if not path.is_file():
        return Problem(row["filename"], "its row has no picture here", failed=False)
    if name in _UNKNOWN:
        return Problem(row["filename"], "its finding is not stated", failed=False)
    if name not in _LABELS:
        raise InputError(f"{table}: the finding {finding!r} is not in the table of labels.")
    return Entry(
        path,
        _LABELS[name],
        finding=finding,
        patient=row["patientid"],
        view=_VIEWS.get(row["view"]),
        modality=row["modality"],
        age=float(row["age"]) if row.get("age") else None,
        sex=row.get("sex") or None,
    )
