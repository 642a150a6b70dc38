"""What earlier imports found in files, so that a file that has not changed is not read again."""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pulmo.datasets.columns import TEXT
from pulmo.datasets.journal import FACTS, Journal
from pulmo.datasets.manifest import Manifest
from pulmo.datasets.reading import FACTS_FORMAT, FileFacts, Known, Task

_FROM_FILE: Final = [name for name in FACTS.names if name not in {"view", "modality", "age", "sex"}]

KNOWN: Final = pa.schema([("path", TEXT), *FACTS, ("has_tags", pa.bool_())])
"""The columns of what is known: those of a journal, and `pulmo.datasets.reading.Known.has_tags`."""


def stamp(manifest: Manifest) -> Manifest:
    """Marks a manifest as one whose facts this version of the reader found; Parquet keeps it."""
    frame = manifest.frame
    frame.attrs["facts"] = FACTS_FORMAT
    return Manifest(frame)


def known_files(earlier: Path | None, journal: Journal | None) -> pa.Table:
    """Returns what is known of files: the columns of `KNOWN`, what was found last first.

    Args:
        earlier: the manifest of an earlier import. One that is not there, is damaged or was made by
            another version of the reader tells nothing.
        journal: of an import that did not end.
    """
    parts = [KNOWN.empty_table()]
    if journal:
        table = journal.read().replace_schema_metadata()
        has_tags = pa.repeat(pa.scalar(value=True), len(table))
        parts.append(table.append_column("has_tags", has_tags))
    if earlier:
        with suppress(OSError, KeyError, pa.ArrowException):
            parts.append(_of_manifest(earlier))
    return pa.concat_tables(parts)


def _of_manifest(path: Path) -> pa.Table:
    """Returns what a manifest tells of its files.

    A PNG, JPEG or TIFF file says nothing of its patient. What a DICOM file says cannot be
    distinguished from what the table of the data set said, which may have changed since.
    """
    stamped = json.loads((pq.read_schema(path).metadata or {}).get(b"PANDAS_ATTRS", "{}"))
    if stamped.get("facts") != FACTS_FORMAT:
        return KNOWN.empty_table()
    table = pq.read_table(path, columns=["path", *_FROM_FILE])
    for name in ("format", "bits", "bytes", "modified"):
        table = table.filter(pc.is_valid(table[name]))
    columns = {name: table[name] for name in table.column_names}
    for name in FACTS.names:
        columns.setdefault(name, pa.nulls(len(table), FACTS.field(name).type))
    columns["has_tags"] = pc.not_equal(table["format"], "DICOM")
    return pa.table(columns).select(KNOWN.names).cast(KNOWN)


def tasks(paths: pa.ChunkedArray, known: pa.Table, *, decode: bool) -> Iterator[Task]:
    """Yields the files to read, each with what is known of it.

    Args:
        paths: the files.
        known: the columns of `KNOWN`; of two rows of a file the first counts.
        decode: whether images are decoded; what was found without decoding is then not enough.
    """
    if decode:
        known = known.filter(pc.is_valid(known["pixels_sha256"]))
    rows = pc.index_in(paths, value_set=known["path"]).combine_chunks()
    done = 0
    for chunk in paths.chunks:
        found = known.take(rows.slice(done, len(chunk))).to_pylist()
        done += len(chunk)
        for path, row in zip(chunk.to_pylist(), found, strict=True):
            yield Task(path, _known(row) if row.pop("path") else None)


def _known(row: dict[str, Any]) -> Known:
    return Known(has_tags=row.pop("has_tags"), facts=FileFacts(**row))
