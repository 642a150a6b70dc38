"""The manifest and the predictions: Parquet tables with a checked schema."""

import hashlib
import io
from os import PathLike
from pathlib import Path
from typing import Final

import pandas as pd
import pandera.pandas as pa
import pyarrow.compute as pc
from pyarrow import array, large_string, scalar

from pulmo.core.errors import InputError, NoManifestError, UsageError
from pulmo.core.files import read_bytes, write_atomically
from pulmo.core.labels import LABELS
from pulmo.core.noted import CELL, UNKNOWN
from pulmo.core.sources import without_place

_TABLES: Final = frozenset({".csv", ".tsv", ".txt"})

SPLITS: Final = ("train", "val", "test")

_TEXT = pd.StringDtype("pyarrow", na_value=pd.NA)

_DIGEST = pa.Check.str_matches(r"^[0-9a-f]{64}$")

MANIFEST: Final = pa.DataFrameSchema(
    {
        "path": pa.Column(_TEXT, unique=True),
        "sha256": pa.Column(_TEXT, _DIGEST),
        "pixels_sha256": pa.Column(_TEXT, _DIGEST, nullable=True),
        "label": pa.Column(_TEXT, pa.Check.isin(LABELS)),
        "finding": pa.Column(_TEXT, nullable=True),
        "boxes": pa.Column(_TEXT, nullable=True),
        "patient": pa.Column(_TEXT, nullable=True),
        "group": pa.Column(_TEXT),
        "source": pa.Column(_TEXT),
        "origin": pa.Column(_TEXT, nullable=True),
        "root": pa.Column(_TEXT, nullable=True),
        "licence": pa.Column(_TEXT, nullable=True),
        "view": pa.Column(_TEXT, nullable=True),
        "modality": pa.Column(_TEXT, nullable=True),
        "age": pa.Column("Float64", pa.Check.in_range(0, 130), nullable=True),
        "sex": pa.Column(_TEXT, pa.Check.isin(["F", "M", "O"]), nullable=True),
        "offset": pa.Column("Float64", nullable=True),
        "width": pa.Column("Int64", pa.Check.ge(1)),
        "height": pa.Column("Int64", pa.Check.ge(1)),
        "format": pa.Column(_TEXT, nullable=True),
        "bits": pa.Column("Int64", pa.Check.in_range(1, 32), nullable=True),
        "bytes": pa.Column("Int64", pa.Check.ge(1), nullable=True),
        "modified": pa.Column("Int64", nullable=True),
        "notes": pa.Column(_TEXT, pa.Check.str_matches(CELL), nullable=True),
        "split": pa.Column(_TEXT, pa.Check.isin(SPLITS), nullable=True),
        "fold": pa.Column("Int64", pa.Check.ge(0), nullable=True),
    },
    strict=True,
    coerce=True,
    ordered=False,
    add_missing_columns=True,
)
"""One row a picture; a column that may be null may be absent from a table that is read.

- `path` is absolute; `sha256` is of the file's bytes, `pixels_sha256` of its decoded pixels.
- `finding` and `boxes` (`pulmo.core.boxes`) are the source's own; `label` is pulmo's.
- `group` holds what must never be on two sides of a split: a patient, and every copy of a picture.
- `source` is the data set; of the user's own files it is no hospital (`pulmo.core.sources`).
- `origin` is where the source has the picture from: a hospital, a publication, another set.
- `root` is the folder or table that a data set of the user's own was imported from, else null.
- `offset` is in days since the onset of symptoms or the admission.
- `bits` are those of a stored sample, `bytes` the file's size, `modified` its time in nanoseconds.
- `notes` are kinds of notes of the reader (`pulmo.radiograph.notes`), joined by semicolons; null
  where it had none to make. `unknown` is among them where the picture was not decoded, and in every
  row of a manifest that has no such column.
- `split` is null for a picture that takes no part; `fold` is that of cross-validation."""


def check_split_name(split: str | None) -> None:
    """Refuses a split that no manifest has; None, for no split, passes.

    Raises:
        UsageError: there is no such split.
    """
    if split is not None and split not in SPLITS:
        raise UsageError(f"There is no split {split!r}; choose {', '.join(SPLITS)}.")


def check_manifest(table: pd.DataFrame, origin: str = "The manifest") -> pd.DataFrame:
    """Returns `table` with the manifest's column order and types.

    Args:
        table: the rows.
        origin: what the message of an error calls the table.

    Raises:
        InputError: a column is missing or unknown, or a value is not allowed.
    """
    if "notes" not in table:
        table = table.assign(notes=UNKNOWN)
    try:
        checked = MANIFEST.validate(table, lazy=True)
    except pa.errors.SchemaErrors as error:
        cases = error.failure_cases.head(3)
        problems = "; ".join(
            f"{case.column or case.schema_context}: {case.check} fails for {case.failure_case!r}"
            for case in cases.itertuples()
        )
        raise InputError(f"{origin} is not a usable manifest: {problems}.") from None
    return checked[list(MANIFEST.columns)].reset_index(drop=True)


def read_manifest(path: str | PathLike[str]) -> pd.DataFrame:
    """Reads a manifest.

    Raises:
        NoManifestError: it is a folder or a CSV table, of which a manifest must be made first.
        InputError: the file is missing, is not Parquet, or is not a manifest.
    """
    path = Path(path)
    if path.is_dir():
        raise NoManifestError(path, "a folder")
    if path.suffix.lower() in _TABLES and path.is_file():
        raise NoManifestError(path, "not a Parquet table but text")
    return check_manifest(_read_parquet(path), str(path))


def write_manifest(table: pd.DataFrame, path: str | PathLike[str]) -> None:
    """Checks a manifest and writes it.

    Raises:
        InputError: it is not a manifest, or the file cannot be written.
    """
    _write_parquet(check_manifest(table), Path(path))


def manifest_sha256(table: pd.DataFrame) -> str:
    """Returns the SHA-256 of what a manifest says of its pictures, wherever they lie."""
    columns = ["sha256", "label", "group", "source", "view", "modality", "split", "fold"]
    said = {name: table[name].astype(_TEXT).fillna("") for name in columns}
    said |= {name: without_place(said[name]) for name in ("group", "source")}
    texts = [array(said[name]) for name in columns]
    rows = pc.binary_join_element_wise(*texts, scalar("\t", large_string()))
    # UTF-8 bytes are in the order of the characters that they stand for.
    ordered = rows.take(pc.sort_indices(rows))
    digest = hashlib.sha256()
    for start in range(0, len(ordered), 1 << 16):
        text = "\n".join(ordered.slice(start, 1 << 16).to_pylist())
        digest.update(f"\n{text}".encode() if start else text.encode())
    return digest.hexdigest()


def patient_names(table: pd.DataFrame) -> pd.Series:
    """Returns `source:patient` of each row, which tells patients of different sources apart.

    Of a picture whose origin is another source of the table it is that one's patient: a set that is
    made of others' pictures keeps their patients. It is null where the source names no patient.
    """
    source, origin = table["source"].astype("string"), table["origin"].astype("string")
    owner = origin.where(origin.isin(source.unique()), source)
    return owner + ":" + table["patient"].astype("string")


def read_predictions(path: Path) -> pd.DataFrame:
    """Reads a table of predictions.

    Raises:
        InputError: the file is missing or is not Parquet.
    """
    return _read_parquet(path)


def write_predictions(table: pd.DataFrame, path: Path) -> None:
    """Writes a table of predictions."""
    _write_parquet(table, path)


def _read_parquet(path: Path) -> pd.DataFrame:
    data = read_bytes(path)
    try:
        return pd.read_parquet(io.BytesIO(data))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is not a Parquet table: {str(error).rstrip('.')}.") from error


def _write_parquet(table: pd.DataFrame, path: Path) -> None:
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    write_atomically(path, buffer.getvalue())
