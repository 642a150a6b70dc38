"""A source's folder becomes a manifest: every image read once, hashed, grouped."""

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from os import PathLike
from pathlib import Path
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from pulmo.core.errors import InputError, UsageError
from pulmo.core.sources import OWN, unnamed
from pulmo.datasets.columns import TEXT, Columns, to_frame
from pulmo.datasets.grouping import contradictions, group
from pulmo.datasets.indexing import index_entries
from pulmo.datasets.journal import FACTS, JOURNAL, Journal
from pulmo.datasets.known import known_files, stamp, tasks
from pulmo.datasets.manifest import Manifest
from pulmo.datasets.merge import without
from pulmo.datasets.source import SOURCES, Entry, Problem
from pulmo.datasets.workers import read_files

# Seconds of work, so that no more is lost with a process that is killed.
_CHUNK: Final = 1024

_READ: Final = pa.schema([("row", pa.int64()), ("kept", pa.bool_()), *FACTS])

Progress = Callable[[int, int], None]


class Reading(NamedTuple):
    """How the files of a data set are read.

    Attributes:
        decode: whether to decode each image, which proves that it can be read and gives
            `pixels_sha256`; otherwise its bytes are hashed and its header is read.
        earlier: the manifest of an earlier import; a file whose size and modification time are
            still the same is not read again.
        journal: keeps what has been read, and gives what an import read that did not end. Whoever
            has written the manifest removes it.
        files: the folder that the paths of the source csv are relative to; the table's own if None.
    """

    decode: bool = True
    earlier: Path | None = None
    journal: Journal | None = None
    files: Path | None = None


DECODED: Final = Reading()
"""Every image is read and decoded."""


class Imported(NamedTuple):
    """A manifest and what did not get into it.

    Attributes:
        manifest: the images.
        problems: the files and rows that are not in it, and why.
        kept: how many files were not read, since an earlier import had read them.
    """

    manifest: Manifest
    problems: list[Problem]
    kept: int = 0


class NothingImportedError(InputError):
    """A data set gave no image.

    Attributes:
        problems: why.
    """

    def __init__(self, root: Path, problems: list[Problem]) -> None:
        first = f" The first: {problems[0].path}: {problems[0].reason}." if problems else ""
        super().__init__("import-empty", f"{root} gave no readable, labelled image.{first}")
        self.problems = problems


def import_source(
    name: str,
    root: str | PathLike[str],
    label_map: Mapping[str, str] | None = None,
    *,
    called: str | None = None,
    on_progress: Progress | None = None,
    reading: Reading = DECODED,
) -> Imported:
    """Indexes a data set, and then reads every image of it once, on all cores.

    Files with the same content and different labels become problems, all of them: no one here
    knows which label is right. So does a second entry that leads to the same file.

    Args:
        name: the source, a name in `SOURCES`.
        root: the data set's folder (for the source csv: the table).
        label_map: class name of a folder or table -> label, for the sources folder and csv; `.`
            means all images of a folder.
        called: what to call the data set in the manifest, which distinguishes its patients from
            those of others. If it is None a public data set has the reader's name, and the user's
            own files have one that follows from where they lie (`pulmo.core.sources.unnamed`).
        on_progress: called with the images found and 0, while nobody knows how many there are;
            then with the images done and the images in all.
        reading: whether images are decoded, and what is known of them.

    Raises:
        UsageError: there is no such source, a class has no label, or the source takes no map or no
            folder of files.
        InputError: `root` is not such a data set, or the journal cannot be written.
        NothingImportedError: not one of its images could be read.
    """
    root = Path(root)
    items = _items(name, root, label_map or {}, reading.files)
    entries, problems = index_entries(items, on_progress)
    read, failed = _read(entries, reading, on_progress)
    manifest = _manifest(entries, read, _identity(name, root, called))
    doubtful = list(contradictions(manifest))
    problems += [*failed, *doubtful]
    agreeing = without(manifest, doubtful)
    if not len(agreeing):
        raise NothingImportedError(root, problems)
    return Imported(stamp(group(agreeing, keep=True)), problems, kept=pc.sum(read["kept"]).as_py())


def _items(
    name: str, root: Path, label_map: Mapping[str, str], files: Path | None
) -> Iterable[Entry | Problem]:
    """Returns what a source says of its images."""
    source = SOURCES[name]
    if files is None:
        return source.entries(root, label_map)
    if source.elsewhere is None:
        raise UsageError(
            "images-folder-not-taken",
            f"Only the source csv takes a folder of files; {name} has its own layout.",
        )
    return source.elsewhere(root, label_map, files)


def _read(
    entries: pa.Table, reading: Reading, on_progress: Progress | None
) -> tuple[pa.Table, list[Problem]]:
    """Returns what files say, with the row of `entries` that each is of, and what failed."""

    def note(chunk: pa.RecordBatch) -> None:
        new = chunk.filter(pc.invert(chunk["kept"]))
        paths = entries["path"].take(new["row"])
        if reading.journal:
            reading.journal.add(pa.table([paths, *new.select(FACTS.names)], schema=JOURNAL))

    read = Columns(_READ, _CHUNK, note)
    problems: list[Problem] = []
    known = known_files(reading.earlier, reading.journal)
    files = tasks(entries["path"], known, decode=reading.decode)
    try:
        with closing(read_files(files, len(entries), decode=reading.decode)) as outcomes:
            for row, (facts, reason, kept) in enumerate(outcomes):
                if facts:
                    read.append((row, kept, *facts))
                else:
                    problems.append(Problem(entries["path"][row].as_py(), reason))
                if on_progress:
                    on_progress(row + 1, len(entries))
    finally:
        # Also after an interruption: what was read is noted.
        table = read.table()
    return table, problems


def _identity(name: str, root: Path, called: str | None) -> dict[str, str | None]:
    """Returns the columns that say which data set all images are of."""
    if name not in OWN:
        return {"source": called or name, "root": None}
    return {"source": called or unnamed(name, root), "root": os.path.realpath(root)}


def _manifest(entries: pa.Table, read: pa.Table, identity: dict[str, str | None]) -> Manifest:
    """Returns what source and file say of each image that was read; the source goes first."""
    if len(read) < len(entries):
        entries = entries.take(read["row"])
    columns = {name: read[name] for name in FACTS.names}
    for name in entries.column_names:
        said = entries[name]
        columns[name] = pc.coalesce(said, columns[name]) if name in columns else said
    for name, text in identity.items():
        columns[name] = pa.repeat(pa.scalar(text, TEXT), len(read))
    named = pc.binary_join_element_wise(columns["source"], columns["group"], pa.scalar(":", TEXT))
    # An image of no named group is alone in one, until it is known what it belongs to.
    columns["group"] = pc.coalesce(named, columns["sha256"])
    return Manifest(to_frame(pa.table(columns)))
