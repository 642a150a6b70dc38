"""Parquet tables, read whole and written whole."""

import io
from pathlib import Path

import pandas as pd

from pulmo.core.errors import InputError
from pulmo.core.files import read_bytes, write_atomically


def read_parquet(path: Path) -> pd.DataFrame:
    """Reads a table.

    Raises:
        InputError: the file is missing or is not Parquet.
    """
    data = read_bytes(path)
    try:
        return pd.read_parquet(io.BytesIO(data))
    except (OSError, ValueError) as error:
        raise InputError(
            "parquet-invalid", f"{path} is not a Parquet table: {str(error).rstrip('.')}."
        ) from error


def write_parquet(table: pd.DataFrame, path: Path) -> None:
    """Writes a table, without its index.

    Raises:
        InputError: the file cannot be written.
    """
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    write_atomically(path, buffer.getvalue())
