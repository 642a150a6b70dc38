"""Annotations: lines, boxes and letters on the drawing of an image."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pulmo.decide.detections import Detection
from pulmo.radiograph.facts import Edge

Colours = NDArray[np.uint8]
"""A drawing, RGB [height, width, 3]."""

LEVELS: Final = (0.25, 0.5, 0.75)
"""The contour lines, as shares of the end of the colour scale."""

# Cyan and white are told from each other and from the paint, which is violet to yellow, by people
# who see red and green alike too.
_OUTLINE, _CONTOUR, _BOX = (86, 216, 255), (255, 255, 255), (255, 255, 255)
_SHADOW: Final = (12, 14, 17)  # under a line, so that it is seen on white
_PAD: Final = 8  # pixels, more than the width of any line
_FONT: Final = cv2.FONT_HERSHEY_DUPLEX


@dataclass(frozen=True, eq=False)
class Annotations:
    """What is drawn on an image besides the evidence.

    Attributes:
        outline: the lungs, bool [height, width] of any size; None draws no outline.
        detections: boxes about evidence, with their scores.
        patient_right: the edge of the image at which the patient's right side lies; None draws no
            letters, as nobody knows.
        contours: whether lines of equal evidence are drawn.
    """

    outline: NDArray[np.bool_] | None = None
    detections: Sequence[Detection] = ()
    patient_right: Edge | None = None
    contours: bool = False

    @property
    def legend(self) -> str:
        """What the lines, boxes and letters are, in one line; empty without any."""
        parts = (
            ("Cyan line: lungs." if self.outline is not None else ""),
            ("White lines: 25, 50 and 75 % of the colour scale." if self.contours else ""),
            ("Boxes: detections, with their highest evidence." if self.detections else ""),
            ("R and L: the patient's sides." if self.patient_right else ""),
        )
        return " ".join(part for part in parts if part)


NOTHING: Final = Annotations()


def draw_annotations(
    drawing: Colours, evidence: NDArray[np.float32] | None, annotations: Annotations
) -> Colours:
    """Returns a drawing of an image with its annotations.

    Args:
        drawing: RGB [height, width, 3].
        evidence: share of the colour scale, [height, width], for the contours; None for the image
            without evidence, which gets the outline and the letters alone.
        annotations: what is drawn.
    """
    drawn = drawing.copy()
    if annotations.outline is not None:
        _draw_outline(drawn, annotations.outline)
    if evidence is not None:
        if annotations.contours:
            _draw_contours(drawn, evidence)
        for detection in annotations.detections:
            _draw_detection(drawn, detection)
    if annotations.patient_right is not None:
        _draw_sides(drawn, annotations.patient_right)
    return drawn


def _draw_outline(drawn: Colours, mask: NDArray[np.bool_]) -> None:
    height, width = drawn.shape[:2]
    # Resampled as shares, so that the outline of a small mask has no steps.
    shares = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    _draw_lines(drawn, np.asarray(shares >= 0.5, np.uint8), _OUTLINE, 2)


def _draw_contours(drawn: Colours, evidence: NDArray[np.float32]) -> None:
    seen = np.nan_to_num(evidence, nan=0.0)
    for level in LEVELS:
        _draw_lines(drawn, np.asarray(seen >= level, np.uint8), _CONTOUR, 1)


def _draw_lines(
    drawn: Colours, inside: NDArray[np.uint8], colour: tuple[int, int, int], width: int
) -> None:
    # What reaches the edge goes on beyond it, so that no line runs along the edge.
    beyond = cv2.copyMakeBorder(inside, _PAD, _PAD, _PAD, _PAD, cv2.BORDER_REPLICATE)
    lines, _ = cv2.findContours(
        beyond, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE, offset=(-_PAD, -_PAD)
    )
    closed = True
    cv2.polylines(drawn, lines, closed, _SHADOW, width + 1, cv2.LINE_AA)
    cv2.polylines(drawn, lines, closed, colour, width, cv2.LINE_AA)


def _draw_detection(drawn: Colours, detection: Detection) -> None:
    height, width = drawn.shape[:2]
    first = round(detection.left * width), round(detection.top * height)
    last = (
        round((detection.left + detection.width) * width) - 1,
        round((detection.top + detection.height) * height) - 1,
    )
    cv2.rectangle(drawn, first, last, _SHADOW, 4)
    cv2.rectangle(drawn, first, last, _BOX, 2)
    above = first[1] - 6 if first[1] > 20 else first[1] + 18
    _write(drawn, f"{detection.score:.2g}", (first[0] + 3, above), 0.45)


def _draw_sides(drawn: Colours, patient_right: Edge) -> None:
    left, right = ("R", "L") if patient_right == "left" else ("L", "R")
    _write(drawn, left, (10, 28), 0.75)
    _write(drawn, right, (drawn.shape[1] - 28, 28), 0.75)


def _write(drawn: Colours, words: str, at: tuple[int, int], size: float) -> None:
    cv2.putText(drawn, words, at, _FONT, size, _SHADOW, 4, cv2.LINE_AA)
    cv2.putText(drawn, words, at, _FONT, size, _BOX, 1, cv2.LINE_AA)
