"""CheXpert (Irvin et al. 2019): images of adults from Stanford, labelled from their reports."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from pulmo.core.errors import InputError
from pulmo.datasets.entries import MISFIT
from pulmo.datasets.findings import CHEXPERT, chexpert_verdict
from pulmo.datasets.rows import Row, age_in_years, file_inside, numbered_rows
from pulmo.datasets.source import About, Entry, Problem, refuse_map, source

_ABOUT_IMAGE: Final = ("Path", "Sex", "Age", "Frontal/Lateral", "AP/PA")
_TABLES: Final = {"train.csv": "train", "valid.csv": "val"}

# The paths begin with the published folder's name, which is ROOT here.
_PATH: Final = re.compile(
    r"(CheXpert-v1\.0(-small)?/)?"
    r"(?P<file>(train|valid)/(?P<patient>patient\d+)/study\d+/view\d+_(frontal|lateral)\.jpg)"
)
_SEXES: Final = {"Female": "F", "Male": "M", "Unknown": None, "": None}
_VIEWS: Final = {"PA": "PA", "AP": "AP"}


@source(
    "chexpert",
    About(
        title="CheXpert (Irvin et al. 2019)",
        licence="Stanford University Dataset Research Use Agreement: research, not commercial",
        size="224,316 images; 439 GB, or 11 GB as CheXpert-v1.0-small",
        url="https://stanfordmlgroup.github.io/competitions/chexpert/",
        obtain="Register there and accept the agreement. CheXpert-v1.0-small.zip: unpack it; ROOT "
        "is its folder. The full set comes in four batches: unpack them, put train.csv, valid.csv "
        "and valid/ of batch 1 into ROOT and the patients of batches 2 to 4 into ROOT/train.",
    ),
)
def chexpert(root: Path, label_map: Mapping[str, str]) -> Iterator[Entry | Problem]:
    """Yields the rows of `train.csv` and `valid.csv` that have an image and a label.

    Label: pneumonia if that is positive, normal for a positive `No Finding`, else other. An image
    whose pneumonia is uncertain, or of which nothing is positive, is left out. Ages are as they are
    published: 90 also stands for more, and a single 0 for unknown.

    Raises:
        InputError: both tables are missing, a table is not usable or lacks or adds a finding, or a
            finding's value is not 1, 0, -1 or blank.
        UsageError: `label_map` is not empty.
    """
    refuse_map(label_map, "chexpert")
    tables = [root / name for name in _TABLES if (root / name).is_file()]
    if not tables:
        raise InputError(
            "source-layout-unexpected",
            f"{root} does not have the layout of chexpert: it contains neither train.csv nor "
            "valid.csv.",
        )
    for table in tables:
        for number, row in numbered_rows(table, (*_ABOUT_IMAGE, *CHEXPERT)):
            where = f"{table}, line {number}"
            _refuse_unknown(row, where)
            yield _entry(root, where, row, _TABLES[table.name])


def _refuse_unknown(row: Row, where: str) -> None:
    for name in row:
        if name not in CHEXPERT and name not in _ABOUT_IMAGE:
            raise InputError(
                "finding-unknown", f"{where}: the finding {name!r} is not in the table of labels."
            )


def _entry(root: Path, where: str, row: Row, split: str) -> Entry | Problem:
    if None in row.values():
        return Problem(where, MISFIT)
    if not (match := _PATH.fullmatch(row["Path"] or "")):
        return Problem(where, f"its path {row['Path']!r} is not one of chexpert's")
    try:
        path = file_inside(root, match["file"])
        age, sex = age_in_years(row["Age"]), _sex(row["Sex"] or "")
        found = chexpert_verdict(row)
    except KeyError as error:
        raise InputError(
            "finding-value-unknown", f"{where}: a finding is {error}, not 1.0, 0.0, -1.0 or blank."
        ) from None
    except ValueError as error:
        return Problem(where, str(error))
    if not path.is_file():
        return Problem(match["file"], "its row has no image here", failed=False)
    if found.label is None:
        return Problem(match["file"], found.reason, found.failed)
    lateral = row["Frontal/Lateral"] == "Lateral"
    return Entry(
        path,
        found.label,
        finding=found.finding,
        patient=match["patient"],
        view="lateral" if lateral else _VIEWS.get(row["AP/PA"] or ""),
        modality="X-ray",
        age=age,
        sex=sex,
        split=split,
        origin="Stanford Hospital, Stanford, USA",
    )


def _sex(text: str) -> str | None:
    if text not in _SEXES:
        raise ValueError(f"its sex is {text!r}, not Female, Male or Unknown")
    return _SEXES[text]
