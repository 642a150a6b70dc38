"""Ozturk et al. 2020: the images of DarkCovidNet, drawn from Cohen's set and from NIH's."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from pulmo.core.boxes import Box
from pulmo.core.errors import InputError
from pulmo.datasets.findings import box_of_pixels
from pulmo.datasets.rows import Row, age_in_years, if_exact, known_sex, numbered_rows, read_rows
from pulmo.datasets.source import (
    About,
    Entry,
    Problem,
    Repository,
    images_below,
    refuse_map,
    source,
)

_URL = "https://github.com/muhammedtalo/COVID-19"
_FOLDER = "X-Ray Image DataSet"
_ROWS = "Data_Entry_2017_v2020.csv"
_BOXES = "BBox_List_2017.csv"
_LABELS = {"Covid-19": "covid", "No_findings": "normal", "Pneumonia": "pneumonia"}
_ORIGINS = {"Covid-19": "cohen", "No_findings": "nih", "Pneumonia": "nih"}
_VIEWS = {"PA": "PA", "AP": "AP"}
_NIH_NAME = re.compile(r"(?P<patient>\d{8})_\d{3}\.png")
# Width and height of NIH's images, in which its boxes are given.
_SIDE = 1024
_ROW_COLUMNS = (
    "Image Index",
    "Finding Labels",
    "Patient ID",
    "Patient Age",
    "Patient Gender",
    "View Position",
)
# The header's one name, `Bbox [x,y,w,h]`, is split at its commas.
_BOX_COLUMNS = ("Bbox [x", "y", "w", "h]")


@source(
    "darkcovidnet",
    About(
        title="Ozturk et al. 2020, the images of DarkCovidNet",
        licence="none is stated; those of covid-chestxray-dataset and NIH ChestX-ray8",
        size="1125 images",
        url=_URL,
        obtain=f"git clone --depth 1 {_URL} ROOT; ROOT then holds 'X-Ray Image DataSet'. For "
        f"views, ages, sexes and boxes put {_ROWS} and {_BOXES} of "
        "https://nihcc.app.box.com/v/ChestXray-NIHCC into ROOT.",
        remote=Repository(
            "muhammedtalo/COVID-19",
            "8c645fb9b2b5340e7381c6d1ef4e21f182bfa1d9",
            ("X-Ray Image DataSet",),
            1125,
        ),
    ),
)
def darkcovidnet(root: Path, label_map: Mapping[str, str]) -> Iterator[Entry | Problem]:
    """Yields the images of `X-Ray Image DataSet/{Covid-19,No_findings,Pneumonia}`.

    The names of NIH's images begin with the patient's number. Those from Cohen's set have the
    names that they have there; the set does not say whose they are. NIH gives some ages above 130:
    they are not known.

    Raises:
        InputError: none of the three folders is there, or another one is; one of NIH's tables is
            there and is not UTF-8 or not CSV, or lacks a column.
        UsageError: `label_map` is not empty.
    """
    refuse_map(label_map, "darkcovidnet")
    base = root / _FOLDER if (root / _FOLDER).is_dir() else root
    classes = [name for name in _LABELS if (base / name).is_dir()]
    if not classes:
        raise InputError(
            "source-layout-unexpected",
            f"{root} does not have the layout of darkcovidnet: it contains none of the folders "
            f"{_FOLDER}/{{{','.join(_LABELS)}}}.",
        )
    others = {path.name for path in base.iterdir() if path.is_dir() and path.name[0] != "."}
    if unknown := sorted(others - _LABELS.keys()):
        raise InputError(
            "class-folder-unknown",
            f"{base} contains {unknown[0]}, which is not a class of darkcovidnet.",
        )
    found = {name: list(images_below(base / name)) for name in classes}
    names = {path.name for paths in found.values() for path in paths if isinstance(path, Path)}
    rows = _nih_rows(root / _ROWS, names)
    boxes: dict[str, list[Box]] = defaultdict(list)
    yield from _read_boxes(root / _BOXES, names, boxes)
    for name, paths in found.items():
        for path in paths:
            if isinstance(path, Problem):
                yield path
            elif _ORIGINS[name] == "cohen":
                yield _entry(path, name)
            else:
                yield _nih_entry(path, name, rows.get(path.name, {}), boxes.get(path.name, ()))


def _entry(path: Path, name: str) -> Entry:
    return Entry(path, _LABELS[name], finding=name, modality="X-ray", origin=_ORIGINS[name])


def _nih_entry(path: Path, name: str, row: Row, boxes: Sequence[Box]) -> Entry | Problem:
    match = _NIH_NAME.fullmatch(path.name)
    if not match:
        return Problem(str(path), "its name is not one of NIH's, such as 00000061_012.png")
    try:
        sex = known_sex(row.get("Patient Gender"))
    except ValueError as error:
        return Problem(str(path), str(error))
    return _entry(path, name)._replace(
        finding=row.get("Finding Labels") or name,
        patient=row.get("Patient ID") or str(int(match["patient"])),
        view=_VIEWS.get(row.get("View Position") or ""),
        age=if_exact(age_in_years, row.get("Patient Age")),
        sex=sex,
        boxes=tuple(boxes),
    )


def _nih_rows(table: Path, names: Collection[str]) -> dict[str, Row]:
    """Returns the rows of some images in NIH's table; none if it is not there."""
    if not table.exists():
        return {}
    rows = read_rows(table, _ROW_COLUMNS)
    return {name: row for row in rows if (name := row["Image Index"]) and name in names}


def _read_boxes(
    table: Path, names: Collection[str], boxes: dict[str, list[Box]]
) -> Iterator[Problem]:
    """Fills in the boxes of some images from NIH's table; yields the rows that hold none."""
    if not table.exists():
        return
    for number, row in numbered_rows(table, ("Image Index", "Finding Label", *_BOX_COLUMNS)):
        if (name := row["Image Index"] or "") in names:
            edges = [row[column] for column in _BOX_COLUMNS]
            try:
                boxes[name].append(box_of_pixels(row["Finding Label"] or "", edges, _SIDE))
            except ValueError as error:
                yield Problem(f"{table}, line {number}", str(error))
