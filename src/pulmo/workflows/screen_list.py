"""The list of a screening: the files that are to be classified, on disk, however many they are."""

import glob
import json
import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

from pulmo.core.errors import InputError
from pulmo.core.files import open_bytes, replacing
from pulmo.core.output import PARQUET
from pulmo.core.parallel import Pause
from pulmo.datasets.source import Problem, left_out_link
from pulmo.workflows.found import Found, Name, images_of


class Part(NamedTuple):
    """A part of the list.

    Attributes:
        number: from 0.
        offset: where it begins in the file of the list, in bytes.
        rows: how many files it has.
    """

    number: int
    offset: int
    rows: int


_BATCH: Final = 10_000


def write_list(names: Iterable[Name | Pause], path: Path, without: Path) -> int:
    """Writes the list of the files that are named, and returns how many they are.

    No file is opened but tables, so that the list of an archive is soon there.

    Args:
        names: files; folders, which are walked in path order; patterns of names, such as
            `archive/**/*.dcm`; and tables (Parquet) with a column `path`, such as manifests.
        path: the file to write.
        without: a folder below which no file is taken.

    Raises:
        InputError: a table has no such column, or the list cannot be written.
    """
    count = 0
    with replacing(path) as file:
        for found in _found(names, without):
            problem = found.problem
            row: list[Any] = [os.fspath(found.path), found.inside]
            row += [] if problem is None else [problem.reason, problem.failed]
            # ASCII: a name may hold bytes that are no characters, which JSON keeps as they are.
            file.write(f"{json.dumps(row)}\n".encode())
            count += 1
    return count


def parts_of(path: Path, rows: int) -> Iterator[Part]:
    """Yields the parts of a list, of so many rows, but for the last one."""
    with open_bytes(path) as file:
        number, offset = 0, 0
        while lines := list(islice(file, rows)):
            yield Part(number, offset, len(lines))
            number, offset = number + 1, offset + sum(map(len, lines))


def read_part(path: Path, part: Part) -> Iterator[Found]:
    """Yields the files of a part of a list."""
    with open_bytes(path) as file:
        file.seek(part.offset)
        for line in islice(file, part.rows):
            name, inside, *problem = json.loads(line)
            yield Found(Path(name), inside, Problem(name, *problem) if problem else None)


def _found(names: Iterable[Name | Pause], without: Path) -> Iterator[Found]:
    """Yields the files that are named, with those of patterns and of tables in their places."""
    for name in names:
        if isinstance(name, Pause):
            continue
        if glob.has_magic(os.fspath(name)) and not os.path.lexists(name):
            yield from _matching(os.fspath(name))
        elif _is_table(Path(name)):
            yield from map(Found, map(Path, _paths_in(Path(name))))
        else:
            yield from (each for each in images_of([name], without) if not isinstance(each, Pause))


def _matching(pattern: str) -> Iterator[Found]:
    """Yields the files whose names match a pattern; links are left out, as they are in a folder."""
    # Path.glob takes no pattern with a root.
    for name in glob.iglob(pattern, recursive=True):  # noqa: PTH207 - see above
        path = Path(name)
        if path.is_symlink():
            yield Found(path, inside=True, problem=left_out_link(path))
        elif not path.is_dir():
            yield Found(path, inside=True)


def _is_table(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(PARQUET)) == PARQUET
    except (OSError, ValueError):
        return False


def _paths_in(table: Path) -> Iterator[str]:
    """Yields the column `path` of a table, a batch after the other."""
    # Only a screening of a table waits for pyarrow before its first file.
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(table) as file:
            if "path" not in file.schema_arrow.names:
                raise InputError("paths-missing", f"{table} has no column `path`.")
            for batch in file.iter_batches(_BATCH, columns=["path"]):
                yield from batch.column(0).to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise InputError(
            "parquet-invalid", f"{table} is not a Parquet table: {str(error).rstrip('.')}."
        ) from error
