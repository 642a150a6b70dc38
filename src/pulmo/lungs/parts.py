"""The two lungs of a mask, and what can be measured of their shape."""

from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

_LEAST_PART: Final = 0.1
"""A second part counts as a lung if it has this share of the first one's area."""

_WAIST: Final = 0.7
"""Two lungs that touch are parted where the mask is this much lower than at its highest."""


class Parts(NamedTuple):
    """The lungs of a mask, as they lie in the image.

    Attributes:
        left: bool [rows, columns], the lung on the left of the image; empty if there is none.
        right: the one on the right.
        stray: what is in neither.
    """

    left: Mask
    right: Mask
    stray: Mask

    @property
    def both(self) -> Mask:
        """Both lungs."""
        return self.left | self.right


class Shape(NamedTuple):
    """What is measured of a mask, to tell lungs from what is none; each in [0, 1].

    Attributes:
        area: share of the image that is lung.
        certainty: mean probability of the pixels that are lung.
        sharpness: of the pixels that are not surely outside (probability above a tenth), the share
            that are surely lung (above nine tenths).
        balance: area of the smaller lung over that of the larger.
        level: share of the lower lung's rows that the other lung has too.
        whole: share of the mask that is in the two lungs.
    """

    area: float
    certainty: float
    sharpness: float
    balance: float
    level: float
    whole: float


def parts_of(mask: Mask) -> Parts:
    """Finds the lungs of a mask: its two largest parts, or its largest one cut at the waist.

    Args:
        mask: bool [rows, columns].
    """
    count, labels, stats, centres = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    areas = stats[1:, cv2.CC_STAT_AREA]
    order = np.argsort(-areas, kind="stable") + 1
    none = np.zeros_like(mask)
    if count == 1:
        return Parts(none, none, none)
    first = labels == order[0]
    if count > 2 and areas[order[1] - 1] >= _LEAST_PART * areas[order[0] - 1]:
        pair = sorted(order[:2], key=lambda part: float(centres[part][0]))
        left, right = (labels == part for part in pair)
        return Parts(left, right, mask & ~left & ~right)
    stray = mask & ~first
    waist = _waist(first)
    if waist is not None:
        columns = np.arange(mask.shape[1]) < waist
        return Parts(first & columns, first & ~columns, stray)
    on_left = centres[order[0]][0] < (mask.shape[1] - 1) / 2
    return Parts(first, none, stray) if on_left else Parts(none, first, stray)


def measure(probability: NDArray[np.float32], parts: Parts) -> Shape:
    """Returns what is measured of the lungs that were found.

    Args:
        probability: of lung, [rows, columns].
        parts: the lungs.
    """
    both, areas = parts.both, sorted((int(parts.left.sum()), int(parts.right.sum())))
    if not areas[1]:
        return Shape(0, 0, 0, 0, 0, 0)
    rows = sorted((parts.left.any(axis=1), parts.right.any(axis=1)), key=np.count_nonzero)
    total = int(both.sum() + parts.stray.sum())
    return Shape(
        area=float(both.mean()),
        certainty=float(probability[both].mean()),
        sharpness=float((probability > 0.9).sum() / max(1, (probability > 0.1).sum())),
        balance=areas[0] / areas[1],
        level=float((rows[0] & rows[1]).sum() / max(1, rows[0].sum())),
        whole=float(both.sum() / total),
    )


def nearer_left(parts: Parts) -> Mask:
    """Tells of each pixel whether the lung on the left is nearer than that on the right."""
    if not parts.left.any() or not parts.right.any():
        return np.full(parts.left.shape, parts.left.any())
    there, other = (
        cv2.distanceTransform((~part).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        for part in (parts.left, parts.right)
    )
    return np.asarray(there <= other, np.bool_)


def box_of(mask: Mask) -> tuple[int, int, int, int]:
    """Returns the first and the last + 1 row and column of a mask [rows, columns], some true."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def _waist(mask: Mask) -> int | None:
    """Returns the column in the middle half of a part where it is lowest; None without a waist."""
    _, _, first, last = box_of(mask)
    heights = mask.sum(axis=0)
    quarter = (last - first) // 4
    if quarter == 0:
        return None
    middle = heights[first + quarter : last - quarter]
    lowest = int(middle.argmin())
    cut = first + quarter + lowest
    sides = heights[first:cut].max(initial=0), heights[cut:last].max(initial=0)
    return cut if middle[lowest] < _WAIST * min(sides) else None
