"""What an import has read so far, on the disk: an import that was killed goes on from there."""

import io
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

import pulmo
from pulmo.core.files import write_atomically
from pulmo.datasets.columns import TEXT
from pulmo.datasets.reading import FACTS_FORMAT

FACTS: Final = pa.schema(
    [
        ("sha256", TEXT),
        ("pixels_sha256", TEXT),
        ("width", pa.int64()),
        ("height", pa.int64()),
        ("format", TEXT),
        ("bits", pa.int64()),
        ("bytes", pa.int64()),
        ("modified", pa.int64()),
        ("view", TEXT),
        ("modality", TEXT),
        ("age", pa.float64()),
        ("sex", TEXT),
        ("notes", TEXT),
    ]
)
"""The columns of `FileFacts`."""

JOURNAL: Final = pa.schema(
    [("path", TEXT), *FACTS],
    metadata={"pulmo": pulmo.__version__, "facts": str(FACTS_FORMAT)},
)
"""The columns of a journal. One of another version of pulmo may mean something else by them."""


class Journal:
    """A folder of Parquet files, each of which holds the facts of some files that were read.

    Args:
        folder: it is made with the first facts.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._number = len(self._parts())

    def add(self, table: pa.Table) -> None:
        """Writes facts.

        Args:
            table: the columns of `JOURNAL`.

        Raises:
            InputError: they cannot be written.
        """
        if not len(table):
            return
        buffer = io.BytesIO()
        pq.write_table(table.cast(JOURNAL).replace_schema_metadata(JOURNAL.metadata), buffer)
        # Numbered, so that what was read last is known; random, in case two imports write here.
        name = f"{self._number:06d}-{secrets.token_hex(4)}.parquet"
        write_atomically(self.folder / name, buffer.getvalue())
        self._number += 1

    def read(self) -> pa.Table:
        """Returns the facts of this version of pulmo, the latest first; damaged files count not."""
        tables = []
        for part in reversed(self._parts()):
            with suppress(OSError, pa.ArrowException):
                table = pq.read_table(part)
                if table.schema.equals(JOURNAL, check_metadata=True):
                    tables.append(table)
        return pa.concat_tables([JOURNAL.empty_table(), *tables])

    def remove(self) -> None:
        """Deletes the facts, and the folder if nothing else is in it."""
        # What was being written when a process was killed is next to the parts.
        for part in (*self._parts(), *self.folder.glob(".[0-9]*-*.parquet.*")):
            part.unlink(missing_ok=True)
        with suppress(OSError):
            self.folder.rmdir()

    def _parts(self) -> list[Path]:
        return sorted(self.folder.glob("[0-9]*-*.parquet"))
