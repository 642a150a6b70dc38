"""What most tables of images share: a row leads to a file, and a file may have two rows."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from pulmo.datasets.rows import file_inside, numbered_rows
from pulmo.datasets.source import Entry, Problem

MISFIT: Final = "it has fewer or more values than the header has columns"
"""The reason of a row without a value, not even a blank one, in a column that must be there."""


def table_entries(
    table: Path,
    required: Sequence[str],
    read: Callable[[Mapping[str, str]], Entry | Problem],
    encoding: str | None = None,
) -> Iterator[Entry | Problem]:
    """Yields what `read` makes of the rows of a table, each image once.

    Args:
        table: a CSV file, see `pulmo.datasets.rows.read_rows`.
        required: the columns that must be there.
        read: makes an entry of a row, column -> value; a ValueError becomes a problem. A column
            that is not required may be absent.
        encoding: what the table is in if it is not UTF-8.

    Raises:
        InputError: the table cannot be read.
    """
    return once(_read(table, required, read, encoding))


def _read(
    table: Path,
    required: Sequence[str],
    read: Callable[[Mapping[str, str]], Entry | Problem],
    encoding: str | None,
) -> Iterator[Entry | Problem]:
    for number, row in numbered_rows(table, required, encoding):
        where = f"{table}, line {number}"
        known = {name: value for name, value in row.items() if value is not None}
        if not known.keys() >= set(required):
            yield Problem(where, MISFIT)
            continue
        try:
            yield read(known)
        except ValueError as error:
            yield Problem(where, str(error))


def once(items: Iterable[Entry | Problem]) -> Iterator[Entry | Problem]:
    """Yields `items` without the second row of an image that says the same as the first.

    One that gives the image another label is kept: the import refuses both.
    """
    labels: dict[Path, set[str]] = {}
    for item in items:
        if not isinstance(item, Entry):
            yield item
        elif item.label in labels.setdefault(item.path, set()):
            reason = "it has a second row; the first one counts"
            yield Problem(item.path.name, reason, failed=False)
        else:
            labels[item.path].add(item.label)
            yield item


def image_inside(folder: Path, name: str) -> Path | Problem:
    """Returns the image that a table names, or a problem.

    A set is often published without some of its images, so a row without one is left out by rule.

    Raises:
        ValueError: the name leads out of the folder or is no path.
    """
    path = file_inside(folder, name)
    if not path.is_file():
        return Problem(name, "its row has no image here", failed=False)
    return path
