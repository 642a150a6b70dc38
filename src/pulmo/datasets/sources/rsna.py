"""RSNA Pneumonia Detection Challenge 2018: NIH images that radiologists read again, as DICOM."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from pulmo.core.boxes import Box
from pulmo.core.errors import InputError
from pulmo.core.files import read_bytes
from pulmo.datasets.findings import box_of_pixels
from pulmo.datasets.rows import Row, file_inside, numbered_rows, read_rows
from pulmo.datasets.source import About, Entry, Problem, refuse_map, source

_SIZE: Final = 1024
_IMAGES: Final = "stage_2_train_images"
_BOX_COLUMNS: Final = ("x", "y", "width", "height")
_MAPPING: Final = "pneumonia-challenge-dataset-mappings_2018.json"

# An opacity here is one that a radiologist holds to be suspicious of pneumonia.
_LABELS: Final = {
    "Lung Opacity": "pneumonia",
    "Normal": "normal",
    "No Lung Opacity / Not Normal": "other",
}
_TARGETS: Final = {"1": "Lung Opacity", "0": "no Lung Opacity"}


class _Reading(NamedTuple):
    """What `stage_2_train_labels.csv` says of one image."""

    target: str
    boxes: tuple[Box, ...]


@source(
    "rsna",
    About(
        title="RSNA Pneumonia Detection Challenge 2018 (Shih et al. 2019)",
        licence="any use with the attribution that the RSNA's terms ask for; Kaggle's rules",
        size="26,684 labelled images; bytes not stated",
        url="https://www.kaggle.com/c/rsna-pneumonia-detection-challenge",
        obtain="Accept the rules there (an account is needed), then type:\n"
        "$ kaggle competitions download -c rsna-pneumonia-detection-challenge\n"
        "$ unzip -d rsna rsna-pneumonia-detection-challenge.zip\n"
        "ROOT is the folder rsna. So that a patient's images stay together, add RSNA's mapping:\n"
        "$ RSNA=https://s3.amazonaws.com/east1.public.rsna.org/AI/2018\n"
        f"$ curl --output-dir rsna -O $RSNA/{_MAPPING}",
    ),
)
def rsna(root: Path, label_map: Mapping[str, str]) -> Iterator[Entry | Problem]:
    """Yields the images of `stage_2_detailed_class_info.csv`, with the boxes of their opacities.

    Age, sex and view are in the DICOM headers. `patientId` names an image, not a patient: with
    RSNA's mapping file present the patient is that of NIH ChestX-ray14, whence the images are;
    without it every image counts as a patient of its own.

    Raises:
        InputError: a table or the folder `stage_2_train_images` is missing, a file is not usable,
            or a class is not in the table of labels.
        UsageError: `label_map` is not empty.
    """
    refuse_map(label_map, "rsna")
    if not (root / _IMAGES).is_dir():
        raise InputError(
            "source-layout-unexpected",
            f"{root} does not have the layout of rsna: it contains no folder {_IMAGES}.",
        )
    readings: dict[str, _Reading] = {}
    yield from _read_labels(root / "stage_2_train_labels.csv", readings)
    patients = _patients(root / _MAPPING)
    table = root / "stage_2_detailed_class_info.csv"
    classes: dict[str, str] = {}
    for row in read_rows(table, ("patientId", "class")):
        name, word = row["patientId"] or "", row["class"] or ""
        if word not in _LABELS:
            raise InputError(
                "finding-unknown",
                f"{table}: the class {word!r} of {name} is not in the table of labels.",
            )
        if name not in classes:
            classes[name] = word
            yield _entry(root, name, word, readings.get(name), patients.get(name))
        elif classes[name] != word:
            yield Problem(name, f"it is {classes[name]} and {word}; the first one counts")


def _entry(
    root: Path, name: str, word: str, reading: _Reading | None, patient: str | None
) -> Entry | Problem:
    if reading is None:
        return Problem(name, "it has a class but no row in stage_2_train_labels.csv")
    if (word == "Lung Opacity") != (reading.target == "1"):
        return Problem(name, f"its class is {word}, its Target means {_TARGETS[reading.target]}")
    try:
        path = file_inside(root / _IMAGES, f"{name}.dcm")
    except ValueError as error:
        return Problem(name, str(error))
    if not path.is_file():
        return Problem(name, "its row has no image here", failed=False)
    return Entry(
        path,
        _LABELS[word],
        finding=word,
        patient=patient or name,
        origin="nih",
        boxes=reading.boxes,
    )


def _read_labels(table: Path, readings: dict[str, _Reading]) -> Iterator[Problem]:
    """Fills in what each image's rows say, one row a box; yields the rows that are damaged."""
    for number, row in numbered_rows(table, ("patientId", *_BOX_COLUMNS, "Target")):
        name = row["patientId"] or ""
        try:
            readings[name] = _joined(readings.get(name), row)
        except ValueError as error:
            yield Problem(f"{table}, line {number}", str(error))


def _joined(earlier: _Reading | None, row: Row) -> _Reading:
    target = row["Target"] or ""
    before = earlier or _Reading(target, ())
    if target != before.target:
        raise ValueError(f"its Target is {target!r}, and {before.target!r} in a row before")
    return _Reading(target, before.boxes + _boxes(row, target))


def _boxes(row: Row, target: str) -> tuple[Box, ...]:
    if target not in _TARGETS:
        raise ValueError(f"its Target is {target!r}, not 0 or 1")
    if target == "0":
        return ()
    return (box_of_pixels("Lung Opacity", [row[name] for name in _BOX_COLUMNS], _SIZE),)


def _patients(mapping: Path) -> dict[str, str]:
    """Returns NIH's patient of each image; nothing where RSNA's mapping is absent."""
    if not mapping.is_file():
        return {}
    try:
        return {
            row["subset_img_id"]: _patient(row["img_id"]) for row in json.loads(read_bytes(mapping))
        }
    except (AttributeError, KeyError, TypeError, ValueError):
        raise InputError(
            "image-mapping-invalid",
            f"{mapping} is not RSNA's mapping, which is a list of items with subset_img_id and "
            "img_id. Download it again, or remove it.",
        ) from None


def _patient(name: str) -> str:
    """Returns 61 for `00000061_012.png`, the image 12 of the patient 61."""
    return str(int(name.partition("_")[0]))
