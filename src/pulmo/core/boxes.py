"""Boxes that a source draws about a finding, and their text in a manifest."""

import json
from collections.abc import Collection
from typing import NamedTuple


class Box(NamedTuple):
    """A rectangle about a finding, in fractions of the image's width and height.

    Attributes:
        finding: in the source's own words.
        left: left edge, 0 to 1.
        top: upper edge, 0 to 1.
        width: 0 to 1.
        height: 0 to 1.
    """

    finding: str
    left: float
    top: float
    width: float
    height: float


def boxes_to_text(boxes: Collection[Box]) -> str | None:
    """Returns boxes as a JSON list of lists, in the order of `Box`; None without a box."""
    return json.dumps([list(box) for box in boxes], ensure_ascii=False) if boxes else None


def boxes_of_text(text: str | None) -> tuple[Box, ...]:
    """Returns the boxes of a manifest's text."""
    return tuple(Box(*values) for values in json.loads(text)) if text else ()
