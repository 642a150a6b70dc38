"""SIIM-FISABIO-RSNA COVID-19 Detection 2021: images graded by how typical of COVID-19 they look."""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from pulmo.core.boxes import Box
from pulmo.core.errors import InputError
from pulmo.datasets.entries import MISFIT
from pulmo.datasets.findings import Drawn, boxes_in_file
from pulmo.datasets.rows import Row, numbered_rows
from pulmo.datasets.source import About, Entry, Problem, refuse_map, source

# The grades are of looks (Litmanovich et al. 2020). No test for the virus is published, so none of
# them is covid. An atypical one may be no pneumonia: oedema, an effusion, a nodule. A negative one
# has no opacity, which is less than normal.
_LABELS: Final = {
    "Negative for Pneumonia": "other",
    "Typical Appearance": "pneumonia",
    "Indeterminate Appearance": "pneumonia",
    "Atypical Appearance": "other",
}
_NEGATIVE: Final = "Negative for Pneumonia"
_SIDES: Final = ("x", "y", "width", "height")
_ID: Final = re.compile(r"(?P<name>\w+?)_(study|image)")
_VALUES: Final = {"1": True, "1.0": True, "0": False, "0.0": False}


@source(
    "siim-covid19",
    About(
        title="SIIM-FISABIO-RSNA COVID-19 Detection 2021 (Lakhani et al. 2022)",
        licence="academic and non-commercial use; Kaggle's rules",
        size="6,334 labelled images; 68 GB packed",
        url="https://www.kaggle.com/c/siim-covid19-detection",
        obtain="Accept the rules there (an account is needed), then type:\n"
        "$ kaggle competitions download -c siim-covid19-detection\n"
        "$ unzip -d siim-covid19 siim-covid19-detection.zip\n"
        "ROOT is the folder siim-covid19, which holds train, train_study_level.csv and "
        "train_image_level.csv.",
    ),
)
def siim_covid19(root: Path, label_map: Mapping[str, str]) -> Iterator[Entry | Problem]:
    """Yields the rows of `train_image_level.csv` that have an image, with its boxes.

    An image is `train/STUDY/SERIES/IMAGE.dcm`. Its label is its study's in `train_study_level.csv`:
    pneumonia for a typical or indeterminate appearance, else other. None is covid, for radiologists
    graded the looks alone, and none is normal. Patients are not published; a study counts as one.
    Age, sex and view are in the DICOM headers.

    Raises:
        InputError: a table or the folder `train` is missing, or a table is not usable, or adds a
            grade.
        UsageError: `label_map` is not empty.
    """
    refuse_map(label_map, "siim-covid19")
    if not (root / "train").is_dir():
        raise InputError(
            "source-layout-unexpected",
            f"{root} does not have the layout of siim-covid19: it contains no folder train.",
        )
    grades: dict[str, str] = {}
    yield from _read_grades(root / "train_study_level.csv", grades)
    table = root / "train_image_level.csv"
    seen: set[str] = set()
    for number, row in numbered_rows(table, ("id", "boxes", "StudyInstanceUID")):
        image, study = _name(row["id"]), _name(f"{row['StudyInstanceUID']}_study")
        if not image or not study:
            yield Problem(f"{table}, line {number}", "it names no image or no study")
        elif image in seen:
            yield Problem(image, "it has a second row; the first one counts", failed=False)
        else:
            seen.add(image)
            yield from _items(root, image, study, row, grades.get(study))


def _items(
    root: Path, image: str, study: str, row: Row, grade: str | None
) -> Iterator[Entry | Problem]:
    found = sorted((root / "train" / study).glob(f"*/{image}.dcm"))
    if not found:
        yield Problem(image, "its row has no image here", failed=False)
    elif len(found) > 1:
        yield Problem(image, f"it lies in {len(found)} series of its study")
    elif grade is None:
        yield Problem(image, "its study has no grade in train_study_level.csv", failed=False)
    else:
        boxes, problems = _boxes(found[0], image, row["boxes"] or "")
        yield from problems
        if boxes and grade == _NEGATIVE:
            yield Problem(image, "its study is negative for pneumonia, but it has boxes")
            return
        yield Entry(
            found[0],
            _LABELS[grade],
            finding=grade,
            patient=study,
            modality="X-ray",
            boxes=tuple(boxes),
        )


def _read_grades(table: Path, grades: dict[str, str]) -> Iterator[Problem]:
    """Fills in the grade of each study; yields the rows that give none."""
    for number, row in numbered_rows(table, ("id", *_LABELS)):
        where = f"{table}, line {number}"
        if unknown := sorted(row.keys() - _LABELS.keys() - {"id"}):
            raise InputError(
                "finding-unknown",
                f"{where}: the grade {unknown[0]!r} is not in the table of labels.",
            )
        study, values = _name(row["id"]), [_VALUES.get(row[name] or "") for name in _LABELS]
        if None in row.values() or not study:
            yield Problem(where, MISFIT if study else "it names no study")
        elif None in values or values.count(True) != 1:
            yield Problem(where, "it does not give one grade 1 and the others 0")
        elif study in grades:
            yield Problem(where, f"the study {study} has a second row; the first one counts")
        else:
            grades[study] = [*_LABELS][values.index(True)]


def _boxes(path: Path, image: str, text: str) -> tuple[list[Box], list[Problem]]:
    """Returns the boxes of a cell, and what is wrong with some of them."""
    try:
        listed = ast.literal_eval(text) if text else []
        sides = [[float(box[side]) for side in _SIDES] for box in listed]
    except (KeyError, TypeError, ValueError, SyntaxError, MemoryError, RecursionError):
        return [], [Problem(image, "its boxes are not a list of x, y, width and height")]
    corners = [(left, top, left + wide, top + high) for left, top, wide, high in sides]
    drawn = [Drawn(image, "opacity", [*map(str, each)]) for each in corners]
    return boxes_in_file(path, image, drawn)


def _name(text: str | None) -> str | None:
    """Returns `65761e66de9f` for `65761e66de9f_image`; None for what is no such name."""
    match = _ID.fullmatch(text or "")
    return match["name"] if match else None
