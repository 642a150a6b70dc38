"""Findings of an image that may bear several: the label that they make, and their boxes."""

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from pulmo.core.boxes import Box
from pulmo.core.errors import PulmoError
from pulmo.datasets.source import Problem
from pulmo.radiograph.header import read_dicom_size

_CERTAINTY: Final = {"1.0": 1, "1": 1, "0.0": 0, "0": 0, "-1.0": -1, "-1": -1, "": None}

CHEXPERT: Final = {
    "No Finding": "normal",
    "Enlarged Cardiomediastinum": "other",
    "Cardiomegaly": "other",
    "Lung Opacity": "other",
    "Lung Lesion": "other",
    "Edema": "other",
    "Consolidation": "other",
    "Pneumonia": "pneumonia",
    "Atelectasis": "other",
    "Pneumothorax": "other",
    "Pleural Effusion": "other",
    "Pleural Other": "other",
    "Fracture": "other",
    # A tube or a pacemaker is no disease, and may be in an image without one.
    "Support Devices": "other",
}
"""The columns of the CheXpert labeller (Irvin et al. 2019) -> label."""


class Verdict(NamedTuple):
    """What the findings of an image make of it.

    Attributes:
        finding: the source's own words, such as `Edema|Pneumonia`.
        label: the image's label; None if it has none.
        reason: why it has none.
        failed: whether that is a fault of the source rather than a rule.
    """

    finding: str
    label: str | None
    reason: str = ""
    failed: bool = False


def label_of_findings(findings: Iterable[str], labels: Mapping[str, str]) -> str:
    """Returns the label of an image with these findings, at least one.

    Pneumonia decides over every other finding; without it a finding that means normal decides;
    anything else is other.

    Args:
        findings: in the source's own words.
        labels: finding -> label, of all findings that the source has.

    Raises:
        KeyError: a finding is not in `labels`.
    """
    found = {labels[word] for word in findings}
    return next((label for label in ("pneumonia", "normal") if label in found), "other")


def verdict(findings: Sequence[str], labels: Mapping[str, str]) -> Verdict:
    """Returns what the findings of an image make of it.

    The label is that of `label_of_findings`. There is none without a finding, and none where one
    means normal and another pneumonia.

    Raises:
        KeyError: a finding is not in `labels`.
    """
    text = "|".join(findings)
    if not findings:
        return Verdict(text, None, "no finding of it is positive")
    if {labels[word] for word in findings} >= {"normal", "pneumonia"}:
        return Verdict(text, None, f"its findings contradict each other: {text}", failed=True)
    return Verdict(text, label_of_findings(findings, labels))


def stated_verdict(findings: Sequence[str], labels: Mapping[str, str | None]) -> Verdict:
    """Returns what the findings of a set make of an image, where normal must be the only finding.

    As `verdict`, but a finding without a label states nothing about the image, so one that has no
    other has no label. Nor has one with a finding that means normal and a finding that does not:
    nobody knows here which of them the image shows.

    Args:
        findings: in the source's own words.
        labels: finding -> label, or None if the finding states nothing.

    Raises:
        KeyError: a finding is not in `labels`.
    """
    text = "|".join(findings)
    known = {word: label for word in findings if (label := labels[word])}
    if not known:
        return Verdict(text, None, "no finding of it is stated")
    if "normal" in known.values() and len(set(known.values())) > 1:
        return Verdict(text, None, f"its findings name normal and others: {text}")
    return Verdict(text, label_of_findings(known, known))


def chexpert_verdict(row: Mapping[str, str | None]) -> Verdict:
    """Returns the label of a row of the CheXpert labeller's table.

    1 is positive, 0 negative, -1 uncertain; a finding that the report does not mention is blank. A
    image whose pneumonia is uncertain has no label; other uncertain findings count as none.

    Raises:
        KeyError: a value is none of these; it is the value's text.
    """
    certainty = {name: _CERTAINTY[row[name] or ""] for name in CHEXPERT}
    positive = [name for name, value in certainty.items() if value == 1]
    if certainty["Pneumonia"] == -1:
        return Verdict("|".join(positive), None, "its pneumonia is uncertain")
    return verdict(positive, CHEXPERT)


def box_of_pixels(finding: str, corner_and_size: Iterable[str | None], side: int) -> Box:
    """Returns the box that a table gives in pixels of a square image.

    Args:
        finding: in the source's own words.
        corner_and_size: left, top, width and height.
        side: of the image in pixels.

    Raises:
        ValueError: they are not four numbers, or not within the image; the message is a problem's
            reason.
    """
    texts = [text or "" for text in corner_and_size]
    try:
        left, top, width, height = (float(text) / side for text in texts)
    except ValueError:
        raise ValueError(f"its box {', '.join(texts)} is not four numbers") from None
    # Written so that "nan" does not pass; the last digit of a sum must not decide.
    inside = min(left, top) >= 0 and max(left + width, top + height) <= 1 + 1e-9
    if not (inside and width > 0 and height > 0):
        raise ValueError(f"its box {', '.join(texts)} is not within {side} x {side} pixels")
    return Box(finding, left, top, width, height)


class Drawn(NamedTuple):
    """A box as a table gives it.

    Attributes:
        where: what a problem with it names.
        finding: in the source's own words.
        corners: left, top, right and bottom in pixels.
    """

    where: str
    finding: str
    corners: Sequence[str | None]


def box_of_corners(finding: str, corners: Iterable[str | None], width: float, height: float) -> Box:
    """Returns the box that a table gives by two corners in pixels, cut at the image's edges.

    A hand that draws a box to the edge often ends beyond it.

    Args:
        finding: in the source's own words.
        corners: left, top, right and bottom.
        width: of the image in pixels.
        height: likewise.

    Raises:
        ValueError: they are not four numbers, or none of the box is within the image; the message
            is a problem's reason.
    """
    texts = [text or "" for text in corners]
    try:
        left, top, right, bottom = (float(text) for text in texts)
    except ValueError:
        raise ValueError(f"its box {', '.join(texts)} is not four numbers") from None
    # Written so that "nan" does not pass.
    if not (-math.inf < left < right < math.inf and -math.inf < top < bottom < math.inf):
        raise ValueError(f"its box {', '.join(texts)} is no rectangle")
    left, right = max(left, 0) / width, min(right, width) / width
    top, bottom = max(top, 0) / height, min(bottom, height) / height
    if left >= right or top >= bottom:
        raise ValueError(f"its box {', '.join(texts)} is outside of {width:g} x {height:g} pixels")
    return Box(finding, left, top, right - left, bottom - top)


def boxes_in_file(path: Path, name: str, drawn: Sequence[Drawn]) -> tuple[list[Box], list[Problem]]:
    """Returns the boxes that a table gives in pixels of a DICOM file, and what is wrong with some.

    Args:
        path: the file, of which the size is read if there is a box.
        name: what a problem with the file calls it.
        drawn: the boxes of the table.
    """
    boxes: list[Box] = []
    problems: list[Problem] = []
    if not drawn:
        return boxes, problems
    try:
        height, width = read_dicom_size(path)
    except PulmoError as error:
        reason = str(error).removesuffix(".")
        return boxes, [Problem(name, f"its boxes are left out: {reason}")]
    for where, finding, corners in drawn:
        try:
            boxes.append(box_of_corners(finding, corners, width, height))
        except ValueError as error:
            problems.append(Problem(where, str(error)))
    return boxes, problems
