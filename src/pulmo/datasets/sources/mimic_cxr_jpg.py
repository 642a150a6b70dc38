"""MIMIC-CXR-JPG (Johnson et al. 2019): images from a hospital in Boston, labelled from reports."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from pulmo.core.errors import InputError
from pulmo.datasets.entries import MISFIT
from pulmo.datasets.findings import CHEXPERT, Verdict, chexpert_verdict
from pulmo.datasets.rows import Row, file_inside, numbered_rows
from pulmo.datasets.source import About, Entry, Problem, refuse_map, source

_IDS: Final = ("subject_id", "study_id")
_POSITION: Final = "PatientOrientationCodeSequence_CodeMeaning"
_SPLITS: Final = {"train": "train", "validate": "val", "test": "test"}
# As in a DICOM header, whose View Position this is.
_VIEWS: Final = {
    "PA": "PA",
    "AP": "AP",
    "LATERAL": "lateral",
    "LL": "lateral",
    "XTABLE LATERAL": "lateral",
    "LAO": "oblique",
    "LPO": "oblique",
    "RAO": "oblique",
    "RPO": "oblique",
    "AP LLD": "decubitus",
    "AP RLD": "decubitus",
    "PA LLD": "decubitus",
    "PA RLD": "decubitus",
}


class _Known(NamedTuple):
    """What the other tables say: of a study its verdict, of a patient the official split."""

    verdicts: Mapping[str, Verdict]
    splits: Mapping[str, str]


@source(
    "mimic-cxr-jpg",
    About(
        title="MIMIC-CXR-JPG 2.1.0 (Johnson et al. 2019, 2024)",
        licence="PhysioNet Credentialed Health Data License 1.5.0",
        size="377,110 images, 570 GB",
        url="https://physionet.org/content/mimic-cxr-jpg/2.1.0/",
        obtain="Become a credentialed user there, do the training and sign the agreement, then "
        "type, with your name for ME:\n"
        "$ wget -r -N -c -np --user ME --ask-password "
        "https://physionet.org/files/mimic-cxr-jpg/2.1.0/\n"
        "ROOT is the folder physionet.org/files/mimic-cxr-jpg/2.1.0.",
    ),
)
def mimic_cxr_jpg(root: Path, label_map: Mapping[str, str]) -> Iterator[Entry | Problem]:
    """Yields the rows of `mimic-cxr-2.0.0-metadata.csv` that have an image and a label.

    Each of the three tables may be compressed (`.csv.gz`), as it is published. Label: pneumonia if
    that is positive, normal for a positive `No Finding`, else other. An image whose study has no
    row, an uncertain pneumonia or nothing positive is left out. Neither age nor sex is published.

    Raises:
        InputError: a table is missing or not usable, lacks or adds a finding, has a value that is
            not 1, 0, -1 or blank, or puts a patient on two sides of the split.
        UsageError: `label_map` is not empty.
    """
    refuse_map(label_map, "mimic-cxr-jpg")
    required = ("dicom_id", *_IDS, "ViewPosition")
    table = _table(root, "metadata")
    rows = numbered_rows(table, required)
    known = _Known(_verdicts(_table(root, "chexpert")), _splits(_table(root, "split")))
    for number, row in rows:
        if all(row[name] for name in required[:3]):
            yield _entry(root, row, known)
        else:
            yield Problem(f"{table}, line {number}", "it names no image, study or patient")


def _entry(root: Path, row: Row, known: _Known) -> Entry | Problem:
    patient, study = row["subject_id"] or "", row["study_id"] or ""
    name = f"files/p{patient[:2]}/p{patient}/s{study}/{row['dicom_id']}.jpg"
    try:
        path = file_inside(root / "files", name.removeprefix("files/"))
    except ValueError as error:
        return Problem(name, str(error))
    if not path.is_file():
        return Problem(name, "its row has no image here", failed=False)
    if not (found := known.verdicts.get(study)):
        return Problem(name, "its study has no findings", failed=False)
    if found.label is None:
        return Problem(name, found.reason, found.failed)
    return Entry(
        path,
        found.label,
        finding=found.finding,
        patient=patient,
        view=_view(row),
        modality="X-ray",
        split=known.splits.get(patient),
        origin="Beth Israel Deaconess Medical Center, Boston, USA",
    )


def _view(row: Row) -> str | None:
    view = _VIEWS.get(row["ViewPosition"] or "")
    return "AP supine" if view == "AP" and row.get(_POSITION) == "Recumbent" else view


def _table(root: Path, name: str) -> Path:
    """Returns a table as it lies there: unpacked, or compressed as it is published."""
    plain = root / f"mimic-cxr-2.0.0-{name}.csv"
    return plain if plain.is_file() else plain.with_name(f"{plain.name}.gz")


def _verdicts(table: Path) -> dict[str, Verdict]:
    """Returns what the findings of each study make of it; equal ones are one object."""
    verdicts: dict[str, Verdict] = {}
    same: dict[Verdict, Verdict] = {}
    for number, row in numbered_rows(table, (*_IDS, *CHEXPERT)):
        where = f"{table}, line {number}"
        for name in row:
            if name not in CHEXPERT and name not in _IDS:
                raise InputError(
                    "finding-unknown",
                    f"{where}: the finding {name!r} is not in the table of labels.",
                )
        if None in row.values():
            raise InputError("csv-row-length", f"{where}: {MISFIT}. Download the table again.")
        try:
            found = chexpert_verdict(row)
        except KeyError as error:
            raise InputError(
                "finding-value-unknown",
                f"{where}: a finding is {error}, not 1.0, 0.0, -1.0 or blank.",
            ) from None
        verdicts[row["study_id"] or ""] = same.setdefault(found, found)
    return verdicts


def _splits(table: Path) -> dict[str, str]:
    """Returns the official side of each patient."""
    splits: dict[str, str] = {}
    for number, row in numbered_rows(table, ("subject_id", "split")):
        patient, side = row["subject_id"] or "", row["split"] or ""
        where = f"{table}, line {number}"
        if side not in _SPLITS:
            raise InputError(
                "split-value-unknown",
                f"{where}: the split is {side!r}, not train, validate or test.",
            )
        if splits.setdefault(patient, _SPLITS[side]) != _SPLITS[side]:
            raise InputError(
                "patient-in-several-splits",
                f"{where}: patient {patient} is in more than one split.",
            )
    return splits
