"""Notes in a table: the kinds of an image's notes share one cell."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

UNKNOWN: Final = "unknown"
"""Stands among the kinds where notes are missing: the image was not decoded, or an earlier version
of pulmo read it, which kept none."""

CELL: Final = r"^[a-z]+(-[a-z]+)*(;[a-z]+(-[a-z]+)*)*$"
"""A cell that is not null, as a regular expression."""

_BETWEEN: Final = ";"


def cell_of(kinds: Iterable[str]) -> str | None:
    """Returns the cell of an image: its kinds, each once, between semicolons; None without any."""
    return _BETWEEN.join(dict.fromkeys(kinds)) or None


def kinds_of(cell: object) -> list[str]:
    """Returns the kinds in a cell; none in a null of any kind."""
    return cell.split(_BETWEEN) if isinstance(cell, str) else []


def count_kinds(cells: Iterable[object]) -> dict[str, int]:
    """Returns kind -> images, the commonest first and, of equal numbers, in alphabetical order."""
    # Few cells differ among many.
    images: Counter[str] = Counter()
    for cell, number in Counter(cell for cell in cells if isinstance(cell, str)).items():
        for kind in kinds_of(cell):
            images[kind] += number
    return dict(sorted(images.items(), key=lambda item: (-item[1], item[0])))
