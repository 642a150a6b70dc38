"""NIH ChestX-ray14 (Wang et al. 2017): frontal images whose findings were mined from reports."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Final, NamedTuple

from pulmo.core.boxes import Box
from pulmo.core.errors import InputError
from pulmo.datasets.findings import box_of_pixels, verdict
from pulmo.datasets.rows import Row, age_in_years, if_exact, known_sex, numbered_rows
from pulmo.datasets.source import About, Entry, Problem, images_below, refuse_map, source
from pulmo.datasets.text import text_lines

_TABLES: Final = ("Data_Entry_2017_v2020.csv", "Data_Entry_2017.csv")
_REQUIRED: Final = (
    "Image Index",
    "Finding Labels",
    "Patient ID",
    "Patient Age",
    "View Position",
)
_SIZE: Final = 1024

_LABELS: Final = {
    "No Finding": "normal",
    "Pneumonia": "pneumonia",
    "Atelectasis": "other",
    "Cardiomegaly": "other",
    "Consolidation": "other",
    "Edema": "other",
    "Effusion": "other",
    "Emphysema": "other",
    "Fibrosis": "other",
    "Hernia": "other",
    "Infiltration": "other",
    "Mass": "other",
    "Nodule": "other",
    "Pleural_Thickening": "other",
    "Pneumothorax": "other",
}
_VIEWS: Final = {"PA": "PA", "AP": "AP"}
_SPLITS: Final = {"train_val_list.txt": "train", "test_list.txt": "test"}


class _Known(NamedTuple):
    """What the other files say, by the name of the image."""

    folders: Mapping[str, Path]
    boxes: Mapping[str, list[Box]]
    splits: Mapping[str, str]


@source(
    "nih",
    About(
        title="NIH ChestX-ray14 (Wang et al. 2017)",
        licence="unrestricted; link to the NIH's page, acknowledge the NIH Clinical Center and "
        "cite the paper",
        size="112,120 images, 45 GB",
        url="https://nihcc.app.box.com/v/ChestXray-NIHCC",
        obtain="Download there into one folder, which is ROOT: the twelve archives of the folder "
        "images, Data_Entry_2017_v2020.csv, BBox_List_2017.csv, train_val_list.txt and "
        "test_list.txt. Then type there:\n"
        "$ for f in images_*.tar.gz; do tar -xzf $f; done",
    ),
)
def nih(root: Path, label_map: Mapping[str, str]) -> Iterator[Entry | Problem]:
    """Yields the rows of `Data_Entry_2017_v2020.csv` that have an image.

    Images lie in `images/`, or in `images_001/images/` to `images_012/images/`. Label: pneumonia
    if that is among the findings, normal for `No Finding`, else other. The findings come from text
    mining and are noisy. Boxes and the official split, whose training side holds the validation
    images, are taken from their files where these are present. Ages above 130 are left blank.

    Raises:
        InputError: the table or the images are missing, a file is not usable, or a finding is not
            in the table of labels.
        UsageError: `label_map` is not empty.
    """
    refuse_map(label_map, "nih")
    table = next((root / name for name in _TABLES if (root / name).is_file()), root / _TABLES[0])
    rows = numbered_rows(table, _REQUIRED)
    boxes: defaultdict[str, list[Box]] = defaultdict(list)
    yield from _read_boxes(root / "BBox_List_2017.csv", boxes)
    folders: dict[str, Path] = {}
    yield from _find_folders(root, folders)
    known = _Known(folders, boxes, _splits(root))
    for number, row in rows:
        yield _entry(f"{table}, line {number}", row, known)


def _entry(where: str, row: Row, known: _Known) -> Entry | Problem:
    name, words = row["Image Index"], row["Finding Labels"]
    if not name or not words:
        return Problem(where, "it ends early or names no image or no finding")
    if name not in known.folders:
        return Problem(name, "its row has no image here", failed=False)
    try:
        found = verdict(words.split("|"), _LABELS)
        sex = known_sex(row.get("Patient Gender") or row.get("Patient Sex"))
    except KeyError as error:
        raise InputError(
            "finding-unknown", f"{where}: the finding {error} is not in the table of labels."
        ) from None
    except ValueError as error:
        return Problem(where, str(error))
    if found.label is None:
        return Problem(where, found.reason, found.failed)
    return Entry(
        known.folders[name] / name,
        found.label,
        finding=found.finding,
        patient=row["Patient ID"] or None,
        view=_VIEWS.get(row["View Position"] or ""),
        modality="X-ray",
        age=if_exact(age_in_years, row["Patient Age"]),
        sex=sex,
        origin="NIH Clinical Center, Bethesda, USA",
        split=known.splits.get(name),
        boxes=tuple(known.boxes.get(name, ())),
    )


def _find_folders(root: Path, folders: dict[str, Path]) -> Iterator[Problem]:
    """Fills in the folder of each image; yields the links, which are none."""
    places = [root / "images", *sorted(root.glob("images_*/images"))]
    present = [place for place in places if place.is_dir()]
    if not present:
        raise InputError(
            "source-layout-unexpected",
            f"{root} does not have the layout of nih: it contains no folder images or "
            "images_001/images.",
        )
    # Equal folders become one object.
    same: dict[Path, Path] = {}
    for path in chain.from_iterable(map(images_below, present)):
        if isinstance(path, Problem):
            yield path
            continue
        folder = same.setdefault(path.parent, path.parent)
        other = folders.setdefault(path.name, folder)
        if other != folder:
            raise InputError(
                "image-repeated", f"{path.name} is in {other} and in {folder}. Remove one of them."
            )


def _read_boxes(table: Path, boxes: dict[str, list[Box]]) -> Iterator[Problem]:
    """Fills in the boxes of each image; yields the rows that hold none."""
    if not table.is_file():
        return
    # So is the header `Bbox [x,y,w,h]` cut at its commas.
    columns = ("Bbox [x", "y", "w", "h]")
    for number, row in numbered_rows(table, ("Image Index", "Finding Label", *columns)):
        try:
            box = box_of_pixels(row["Finding Label"] or "", [row[name] for name in columns], _SIZE)
            boxes[row["Image Index"] or ""].append(box)
        except ValueError as error:
            yield Problem(f"{table}, line {number}", str(error))


def _splits(root: Path) -> dict[str, str]:
    """Returns the official side of each image, as far as its lists are present."""
    splits: dict[str, str] = {}
    for name, side in _SPLITS.items():
        if not (root / name).is_file():
            continue
        for image in filter(None, map(str.strip, text_lines(root / name))):
            if splits.setdefault(image, side) != side:
                raise InputError(
                    "image-in-several-splits",
                    f"{image} is in two of the lists {', '.join(_SPLITS)}.",
                )
    return splits
