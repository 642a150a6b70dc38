"""What was found of the lungs on one image."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from pulmo.core.message import Message
from pulmo.lungs.parts import Mask, Shape, box_of
from pulmo.radiograph.geometry import Box
from pulmo.radiograph.notes import Note

Side = Literal["right", "left"]
"""Of the patient."""

Zone = Literal[
    "right upper", "right middle", "right lower", "left upper", "left middle", "left lower"
]
"""A third of a lung's height; the side is the patient's."""

_THIRDS: Final = ("upper", "middle", "lower")


@dataclass(frozen=True, eq=False)
class LungMask:
    """The lungs on an image, or why none were found.

    The side of the patient is that of a PA or AP image that is not mirrored: the patient's right
    lung is on the left of the image. No header proves that, so `notes` says it.

    Attributes:
        seen: float32 [rows, columns] in [0, 1], of lung, as the network gives it.
        right: bool [height, width], the patient's right lung, on the left of the image. Empty if
            there is none.
        left: the patient's left lung, on the right of the image.
        reasons: why no lungs were found; empty if they were. Then both masks are empty.
        shape: what the rule was asked about.
        notes: what was assumed.
    """

    seen: NDArray[np.float32]
    right: Mask
    left: Mask
    reasons: tuple[Message, ...]
    shape: Shape
    notes: tuple[Note, ...] = ()

    @cached_property
    def probability(self) -> NDArray[np.float32]:
        """The probability of lung at the image's size, float32 [height, width] in [0, 1]."""
        height, width = self.right.shape
        resized = cv2.resize(self.seen, (width, height), interpolation=cv2.INTER_LINEAR)
        return np.asarray(np.clip(resized, 0, 1), np.float32)

    @property
    def found(self) -> bool:
        """Whether lungs were found."""
        return not self.reasons

    @property
    def reason(self) -> str | None:
        """Why none were found, as a sentence."""
        return self.reasons[0].text if self.reasons else None

    @cached_property
    def mask(self) -> Mask:
        """Both lungs, bool [height, width]; empty if none were found."""
        return self.right | self.left

    @property
    def area(self) -> float:
        """Share of the image that is lung, in [0, 1]."""
        return float(self.mask.mean())

    def box(self, margin: float = 0.0) -> Box | None:
        """Returns the rectangle around both lungs, inside the image; None if none were found.

        Args:
            margin: what is added on each side, as a share of the rectangle's height or width.
        """
        if not self.mask.any():
            return None
        top, bottom, left, right = box_of(self.mask)
        height, width = self.mask.shape
        down, across = round(margin * (bottom - top)), round(margin * (right - left))
        return Box(
            max(0, top - down),
            min(height, bottom + down),
            max(0, left - across),
            min(width, right + across),
        )

    def frame(self, spread: float) -> Box | None:
        """Returns the rectangle about the mean place of the lungs' pixels; None without lungs.

        It may stick out of the image. A few stray pixels hardly move it, where one is enough to
        widen `box`.

        Args:
            spread: standard deviations of the pixels' places, along each axis, from the middle to
                each edge.
        """
        if not self.mask.any():
            return None
        edges = []
        for axis in (1, 0):
            counts = self.mask.sum(axis=axis)
            places = np.arange(len(counts)) + 0.5
            middle = np.average(places, weights=counts)
            away = spread * np.sqrt(np.average((places - middle) ** 2, weights=counts))
            first = round(middle - away)
            edges += [first, max(first + 1, round(middle + away))]
        return Box(*edges)

    @property
    def zones(self) -> dict[Zone, Mask]:
        """The six zones, each bool [height, width]: thirds of the height of each lung."""
        zones: dict[Zone, Mask] = {}
        for side, lung in (("right", self.right), ("left", self.left)):
            rows = np.zeros(len(lung), np.intp)
            if lung.any():
                top, bottom, _, _ = box_of(lung)
                rows = np.clip((np.arange(len(lung)) - top) * 3 // (bottom - top), 0, 2)
            for number, third in enumerate(_THIRDS):
                zones[f"{side} {third}"] = lung & (rows == number)[:, None]  # type: ignore[index] # mypy joins no literals
        return zones

    def outline(self) -> list[NDArray[np.intp]]:
        """Returns the edges of the lungs, to be drawn: lines of pixels (x, y), [n, 2] each."""
        return [line for _, line in self.sided_outline()]

    def sided_outline(self) -> list[tuple[Side, NDArray[np.intp]]]:
        """Returns the same lines, each with the side of the patient."""
        lines: list[tuple[Side, NDArray[np.intp]]] = []
        sides: tuple[tuple[Side, Mask], ...] = (("right", self.right), ("left", self.left))
        for side, lung in sides:
            found, _ = cv2.findContours(
                lung.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
            )
            lines += [(side, line.reshape(-1, 2).astype(np.intp)) for line in found]
        return lines
