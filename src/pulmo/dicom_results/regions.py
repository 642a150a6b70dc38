"""Lungs and detections as closed lines in the pixel coordinates of the stored image."""

from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pulmo.decide.detections import Detection
from pulmo.dicom_results.said import Said
from pulmo.lungs.mask import Side
from pulmo.radiograph.facts import Edge

Line = NDArray[np.float32]
"""A closed line, float32 [n, 2]: column and row, from 0 to Columns and Rows of the stored image.

The upper left corner of the upper left pixel is 0\\0 (PS3.3 C.18.6.1.2, and C.10.5 for `PIXEL`).
"""

_COARSEST: Final = 600
"""An outline is simplified to this share of the image's longer side, 1/600."""


class Lung(NamedTuple):
    """The outline of a lung.

    Attributes:
        name: what it is called.
        side: of the patient; None if nothing states which it is.
        line: the outline.
        share: its area as a share of the image's, 0 to 1.
        opacity: how light it is, as `pulmo.lungs.opacity` measures it; None if that is not known.
    """

    name: str
    side: Side | None
    line: Line
    share: float
    opacity: float | None


def lungs_of(said: Said, shape: tuple[int, int], patient_right: Edge | None) -> list[Lung]:
    """Returns the outlines of the lungs that were found; of each its largest part.

    The side of the patient is stated only if the view is known to be frontal and the header does
    not say that the image is mirrored.

    Args:
        said: what the model says.
        shape: Rows and Columns of the stored image.
        patient_right: the edge of the image at which the patient's right side lies, if stated.
    """
    lines: dict[Side, NDArray[np.intp]] = {}
    for side, line in said.lungs.sided_outline():
        if len(line) > 2 and _area(line) > (_area(lines[side]) if side in lines else 0):
            lines[side] = line
    masks = {"right": said.lungs.right, "left": said.lungs.left}
    known = not said.lungs.notes and patient_right != "right"
    edges = {"right": "left", "left": "right"}
    return [
        Lung(
            f"{side.capitalize()} lung" if known else f"Lung on the {edges[side]} of the image",
            side if known else None,
            _stored(_simplified(line), said.shape, shape),
            float(masks[side].mean()),
            None if said.opacity is None else getattr(said.opacity, side),
        )
        for side, line in lines.items()
    ]


def box_of(detection: Detection, shape: tuple[int, int]) -> Line:
    """Returns the rectangle of a detection, whose numbers are shares of the image.

    Args:
        detection: the detection.
        shape: Rows and Columns of the stored image.
    """
    left, top = detection.left, detection.top
    right, bottom = left + detection.width, top + detection.height
    corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    return _inside(np.array(corners) * (shape[1], shape[0]), shape)


def _area(line: NDArray[np.intp]) -> float:
    return float(cv2.contourArea(line.astype(np.int32)))


def _simplified(line: NDArray[np.intp]) -> NDArray[np.float64]:
    """Returns a line with fewer points, which is as close to it as can be seen."""
    points = line.astype(np.int32)
    tolerance = max(0.5, float(np.ptp(points, axis=0).max()) / _COARSEST)
    found = cv2.approxPolyDP(points, tolerance, closed=True).reshape(-1, 2)
    return np.asarray(found, np.float64)


def _stored(points: NDArray[np.float64], read: tuple[int, int], stored: tuple[int, int]) -> Line:
    """Returns the centres of pixels of the image as it was read as a line on the stored image.

    The reader resamples an image whose pixels are not square, and changes no other place.
    """
    closed = np.concatenate([points, points[:1]])
    factors = np.array([stored[1] / read[1], stored[0] / read[0]])
    return _inside((closed + 0.5) * factors, stored)


def _inside(points: NDArray[np.float64], shape: tuple[int, int]) -> Line:
    return np.clip(points, 0, (shape[1], shape[0])).astype(np.float32)
