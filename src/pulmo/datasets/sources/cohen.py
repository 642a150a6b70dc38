"""Cohen et al. 2020: the covid-chestxray-dataset, collected from publications worldwide."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from pulmo.core.errors import InputError
from pulmo.datasets.rows import age_in_years, file_inside, known_sex, read_rows
from pulmo.datasets.source import About, Entry, Problem, refuse_map, source

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
        licence="stated per picture in metadata.csv",
        size="about 950 pictures, 0.6 GB",
        url="https://github.com/ieee8023/covid-chestxray-dataset",
        obtain="Clone the repository; ROOT is its folder.",
    ),
)
def cohen(root: Path, label_map: Mapping[str, str]) -> Iterator[Entry | Problem]:
    """Yields the rows of `metadata.csv` that have a picture in `images/` and a stated finding.

    Raises:
        InputError: `metadata.csv` is missing, is not UTF-8 or not CSV, or lacks a column, or a
            finding is not in the table of labels.
        UsageError: `label_map` is not empty.
    """
    refuse_map(label_map, "cohen")
    table = root / "metadata.csv"
    seen: set[str] = set()
    for number, whole in enumerate(read_rows(table, _REQUIRED), start=2):
        row = {name: value for name, value in whole.items() if value is not None}
        if not row.keys() >= set(_REQUIRED):
            yield Problem(f"{table}, line {number}", "it ends early")
        elif row["filename"] in seen:
            yield Problem(
                row["filename"], "it has a second row; the first one counts", failed=False
            )
        else:
            seen.add(row["filename"])
            yield _entry(root, table, row)


def _entry(root: Path, table: Path, row: Mapping[str, str]) -> Entry | Problem:
    finding = row["finding"].strip()
    name = finding.rsplit("/", 1)[-1]
    if row["folder"] != "images":
        return Problem(row["filename"], "it is a volume, not a picture", failed=False)
    try:
        path = file_inside(root / "images", row["filename"])
        age, sex = age_in_years(row.get("age")), known_sex(row.get("sex"))
    except ValueError as error:
        return Problem(row["filename"], str(error))
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
        patient=row["patientid"] or None,
        view=_VIEWS.get(row["view"]),
        modality=row["modality"] or None,
        age=age,
        sex=sex,
    )
