"""Text that is burned into an image's pixels: found, so that a person looks; never removed."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

_PRINTS: Final = ((30, 240), (60, 120), (95, 120), (135, 120))
"""By how many of 255 grey levels a stroke stands out, and how bright it is at least: white print on
bright ground, faint print, and print on what is itself full of contrast."""
_STROKE: Final = 15
_HEIGHTS: Final = (5, 40)
"""Of a letter in pixels. Larger ones are found in the image at a half and a quarter its size."""
_MIN_LETTERS: Final = 4
"""Letters in a line. A side marker has one to three."""
_SMALLEST_SIDE: Final = 100


class TextLine(NamedTuple):
    """A row of shapes like letters, in pixels of the image.

    Attributes:
        left: of the first letter.
        top: of the highest.
        width: of the line.
        height: of the line.
        letters: how many there are.
    """

    left: int
    top: int
    width: int
    height: int
    letters: int

    def enlarged(self, scale: int) -> "TextLine":
        """Returns the line on an image that is `scale` times as large."""
        left, top, width, height = (scale * edge for edge in self[:4])
        return self._replace(left=left, top=top, width=width, height=height)

    def overlaps(self, other: "TextLine") -> bool:
        """Tells whether two lines share a pixel."""
        return (
            self.left < other.left + other.width
            and other.left < self.left + self.width
            and self.top < other.top + other.height
            and other.top < self.top + self.height
        )


class _Letter(NamedTuple):
    """A shape like a letter: its box, and the grey level of its strokes."""

    left: int
    top: int
    width: int
    height: int
    level: float

    @property
    def right(self) -> int:
        return self.left + self.width

    @property
    def bottom(self) -> int:
        return self.top + self.height


def text_lines(pixels: NDArray[np.float32]) -> list[TextLine]:
    """Returns where an image seems to hold printed text, bright or dark.

    A letter is a small shape of strokes no thicker than 15 pixels, of an even grey value, with
    sharp edges; a line is four or more of about the same height on one base line. Handwriting,
    text that is turned by more than a few degrees and labels of up to three letters are not found.

    Args:
        pixels: float32 [height, width] in [0, 1], as the image is displayed.
    """
    grey = np.rint(pixels * 255).astype(np.uint8)
    found: list[TextLine] = []
    for scale in (1, 2, 4):
        size = grey.shape[1] // scale, grey.shape[0] // scale
        if scale > 1 and min(size) < _SMALLEST_SIDE:
            break
        small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA) if scale > 1 else grey
        for shown in (small, 255 - small):
            for line in _lines_at(shown.astype(np.uint8)):
                box = line.enlarged(scale)
                if not any(box.overlaps(other) for other in found):
                    found.append(box)
    return found


def _lines_at(grey: NDArray[np.uint8]) -> Iterator[TextLine]:
    """Yields the lines of bright letters whose height is within `_HEIGHTS`."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_STROKE, _STROKE))
    strokes = cv2.morphologyEx(grey, cv2.MORPH_TOPHAT, kernel)
    steps = [cv2.Sobel(grey, cv2.CV_32F, *axis, ksize=3) / 4 for axis in ((1, 0), (0, 1))]
    slope = np.hypot(*steps)
    for threshold, darkest in _PRINTS:
        letters = _letters(grey, strokes >= threshold, slope)
        yield from _rows_of([letter for letter in letters if letter.level >= darkest])


def _letters(
    grey: NDArray[np.uint8], mask: NDArray[np.bool_], slope: NDArray[np.float32]
) -> Iterator[_Letter]:
    """Yields the connected parts of a mask that look like letters, from left to right."""
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    left, top, width, height, area = boxes.T
    lowest, highest = _HEIGHTS
    like = (height >= lowest) & (height <= highest) & (width <= 1.7 * height)
    like &= (12 * width >= height) & (area >= 0.15 * width * height) & (area >= 6)
    # The first part is the ground.
    like[0] = False
    for part in np.flatnonzero(like)[np.argsort(left[like], kind="stable")]:
        x, y, w, h = (int(numbers[part]) for numbers in (left, top, width, height))
        place = np.s_[y : y + h, x : x + w]
        shape = labels[place] == part
        core = cv2.erode(shape.astype(np.uint8), np.ones((3, 3)), borderValue=0) > 0
        inside = grey[place][core] if np.count_nonzero(core) >= 4 else grey[place][shape]
        level = float(np.percentile(grey[place][shape], 75))
        sharp = np.median(slope[place][shape & ~core]) >= 10
        if sharp and inside.std() <= 40:
            yield _Letter(x, y, w, h, level)


def _rows_of(letters: Sequence[_Letter]) -> Iterator[TextLine]:
    """Yields the rows among letters that are ordered from left to right."""
    used: set[int] = set()
    for start in range(len(letters)):
        if start in used:
            continue
        row = [start]
        while (following := _following(letters, row[-1], used)) is not None:
            row.append(following)
        if len(row) >= _MIN_LETTERS:
            used.update(row)
            yield _box([letters[index] for index in row])


def _following(letters: Sequence[_Letter], last: int, used: set[int]) -> int | None:
    """Returns the next letter of a row, the nearest that fits the last one."""
    before = letters[last]
    for index in range(last + 1, len(letters)):
        letter = letters[index]
        taller = max(before.height, letter.height)
        gap = letter.left - before.right
        if gap > 1.4 * _HEIGHTS[1]:
            return None
        if (
            index not in used
            and -0.5 * before.width <= gap <= 1.4 * taller
            and taller <= 1.5 * min(before.height, letter.height)
            and abs(letter.bottom - before.bottom) <= 0.35 * taller
            and abs(letter.level - before.level) <= 40
        ):
            return index
    return None


def _box(row: Sequence[_Letter]) -> TextLine:
    left, top = row[0].left, min(letter.top for letter in row)
    right = max(letter.right for letter in row)
    bottom = max(letter.bottom for letter in row)
    return TextLine(left, top, right - left, bottom - top, len(row))
