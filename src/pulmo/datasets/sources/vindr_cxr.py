"""VinDr-CXR (Nguyen et al. 2022): images from Vietnam that radiologists read, as DICOM."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from pulmo.core.errors import InputError
from pulmo.datasets.entries import MISFIT, image_inside
from pulmo.datasets.findings import Drawn, Verdict, boxes_in_file, stated_verdict
from pulmo.datasets.rows import Row, numbered_rows
from pulmo.datasets.source import About, Entry, Problem, refuse_map, source

_SPLITS: Final = ("train", "test")
_CORNERS: Final = ("x_min", "y_min", "x_max", "y_max")
_ABOUT_ROW: Final = {"image_id", "rad_id"}
_VALUES: Final = {"1": True, "1.0": True, "0": False, "0.0": False, "": False}
_MARK: Final = "Pneumonia"

_LABELS: Final = {
    "No finding": "normal",
    "Pneumonia": "pneumonia",
    "Aortic enlargement": "other",
    "Atelectasis": "other",
    "Calcification": "other",
    "Cardiomegaly": "other",
    "Clavicle fracture": "other",
    "Consolidation": "other",
    "Edema": "other",
    "Emphysema": "other",
    "Enlarged PA": "other",
    "ILD": "other",
    "Infiltration": "other",
    "Lung Opacity": "other",
    "Lung cavity": "other",
    "Lung cyst": "other",
    "Mediastinal shift": "other",
    "Nodule/Mass": "other",
    "Pleural effusion": "other",
    "Pleural thickening": "other",
    "Pneumothorax": "other",
    "Pulmonary fibrosis": "other",
    "Rib fracture": "other",
    "Other lesion": "other",
    "COPD": "other",
    "Lung tumor": "other",
    "Tuberculosis": "other",
    # The table of the training images has the plural, that of the test images the singular.
    "Other diseases": "other",
    "Other disease": "other",
}

_Readings = dict[str, tuple[str, ...]]
"""Radiologist -> the findings that they give to an image, in the table's order."""


@source(
    "vindr-cxr",
    About(
        title="VinDr-CXR 1.0.0 (Nguyen et al. 2022)",
        licence="PhysioNet Credentialed Health Data License 1.5.0",
        size="18,000 images; bytes not stated",
        url="https://physionet.org/content/vindr-cxr/1.0.0/",
        obtain="Become a credentialed user there, do the training and sign the agreement, then "
        "type, with your name for ME:\n"
        "$ wget -r -N -c -np --user ME --ask-password "
        "https://physionet.org/files/vindr-cxr/1.0.0/\n"
        "ROOT is the folder physionet.org/files/vindr-cxr/1.0.0.",
    ),
)
def vindr_cxr(root: Path, label_map: Mapping[str, str]) -> Iterator[Entry | Problem]:
    """Yields the images of `annotations/image_labels_{train,test}.csv`, with their boxes.

    Three radiologists read a training image, each on their own; a test image has one row, their
    consensus. An image has the findings that more than half of its radiologists give. Label:
    pneumonia if that is among them, normal for `No finding` alone, else other. An image is left out
    if pneumonia is given by some of its radiologists but not by more than half of them, or if no
    finding is given by more than half. Of the boxes in `annotations_{train,test}.csv`, those about
    the image's findings are taken, of every radiologist. All images are PA; age and sex are in the
    DICOM headers, and patients are not published.

    Raises:
        InputError: both tables of labels are missing, a table is not usable or lacks or adds a
            finding, or a finding's value is not 1, 0 or blank.
        UsageError: `label_map` is not empty.
    """
    refuse_map(label_map, "vindr-cxr")
    folder = root / "annotations"
    splits = [name for name in _SPLITS if (folder / f"image_labels_{name}.csv").is_file()]
    if not splits:
        raise InputError(
            "source-layout-unexpected",
            f"{folder} does not have the layout of vindr-cxr: it contains neither "
            "image_labels_train.csv nor image_labels_test.csv.",
        )
    for split in splits:
        readings: defaultdict[str, _Readings] = defaultdict(dict)
        yield from _read_labels(folder / f"image_labels_{split}.csv", readings)
        drawn = _drawn(folder / f"annotations_{split}.csv")
        for image, given in readings.items():
            yield from _items(root / split, image, given, drawn[image])


def _items(
    folder: Path, image: str, given: _Readings, drawn: Sequence[Drawn]
) -> Iterator[Entry | Problem]:
    found = _verdict(given)
    try:
        path = image_inside(folder, f"{image}.dicom")
    except ValueError as error:
        path = Problem(image, str(error))
    if isinstance(path, Problem):
        yield path
    elif found.label is None:
        yield Problem(image, found.reason, found.failed)
    else:
        named = found.finding.split("|")
        mine = [each for each in drawn if each.finding in named]
        boxes, problems = boxes_in_file(path, path.name, mine)
        yield from problems
        yield Entry(
            path,
            found.label,
            finding=found.finding,
            view="PA",
            modality="X-ray",
            split=folder.name,
            origin="Hospital 108 or Hanoi Medical University Hospital, Hanoi, Vietnam",
            boxes=tuple(boxes),
        )


def _verdict(given: _Readings) -> Verdict:
    votes = Counter(finding for findings in given.values() for finding in findings)
    agreed = [finding for finding in _LABELS if 2 * votes[finding] > len(given)]
    if votes[_MARK] and _MARK not in agreed:
        return Verdict("|".join(agreed), None, "its radiologists do not agree on pneumonia")
    if not agreed:
        return Verdict("", None, "no finding of it is given by more than half of its radiologists")
    return stated_verdict(agreed, _LABELS)


def _read_labels(table: Path, readings: defaultdict[str, _Readings]) -> Iterator[Problem]:
    """Fills in what each radiologist says of each image; yields the rows that are none."""
    for number, row in numbered_rows(table, ("image_id", "No finding", _MARK)):
        where = f"{table}, line {number}"
        if unknown := sorted(row.keys() - _LABELS.keys() - _ABOUT_ROW):
            raise InputError(
                "finding-unknown",
                f"{where}: the finding {unknown[0]!r} is not in the table of labels.",
            )
        if None in row.values() or not row["image_id"]:
            yield Problem(where, MISFIT if row["image_id"] else "it names no image")
            continue
        findings = tuple(name for name in _LABELS if name in row and _is_given(row, name, where))
        given, radiologist = readings[row["image_id"]], row.get("rad_id") or ""
        if given.setdefault(radiologist, findings) != findings:
            yield Problem(where, f"{radiologist or 'it'} says something else in a row before")


def _is_given(row: Row, name: str, where: str) -> bool:
    value = row[name] or ""
    if value not in _VALUES:
        raise InputError(
            "finding-value-unknown", f"{where}: a finding is {value!r}, not 1, 0 or blank."
        )
    return _VALUES[value]


def _drawn(table: Path) -> defaultdict[str, list[Drawn]]:
    """Returns the boxes of each image, one row a box; none where the table is absent."""
    drawn: defaultdict[str, list[Drawn]] = defaultdict(list)
    if not table.is_file():
        return drawn
    for number, row in numbered_rows(table, ("image_id", "class_name", *_CORNERS)):
        where, finding = f"{table}, line {number}", row["class_name"] or ""
        if finding not in _LABELS:
            raise InputError(
                "finding-unknown",
                f"{where}: the finding {finding!r} is not in the table of labels.",
            )
        if _LABELS[finding] != "normal":
            corners = [row[name] for name in _CORNERS]
            drawn[row["image_id"] or ""].append(Drawn(where, finding, corners))
    return drawn
