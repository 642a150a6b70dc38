"""The schema of a manifest: its columns, what they may hold, and what a split may be called."""

from collections.abc import Callable
from difflib import get_close_matches
from typing import Final

import pandas as pd
import pandera.pandas as pa

from pulmo.core.errors import InputError, UsageError
from pulmo.core.labels import LABELS
from pulmo.core.noted import CELL, UNKNOWN

SPLITS: Final = ("train", "val", "test")

TEXT: Final = pd.StringDtype("pyarrow", na_value=pd.NA)

_DIGEST: Final = pa.Check.str_matches(r"^[0-9a-f]{64}$")

SCHEMA: Final = pa.DataFrameSchema(
    {
        "path": pa.Column(TEXT, unique=True),
        "sha256": pa.Column(TEXT, _DIGEST),
        "pixels_sha256": pa.Column(TEXT, _DIGEST, nullable=True),
        "label": pa.Column(TEXT, pa.Check.isin(LABELS)),
        "finding": pa.Column(TEXT, nullable=True),
        "boxes": pa.Column(TEXT, nullable=True),
        "patient": pa.Column(TEXT, nullable=True),
        "group": pa.Column(TEXT),
        "source": pa.Column(TEXT),
        "origin": pa.Column(TEXT, nullable=True),
        "root": pa.Column(TEXT, nullable=True),
        "licence": pa.Column(TEXT, nullable=True),
        "view": pa.Column(TEXT, nullable=True),
        "modality": pa.Column(TEXT, nullable=True),
        "age": pa.Column("Float64", pa.Check.in_range(0, 130), nullable=True),
        "sex": pa.Column(TEXT, pa.Check.isin(["F", "M", "O"]), nullable=True),
        "offset": pa.Column("Float64", nullable=True),
        "width": pa.Column("Int64", pa.Check.ge(1)),
        "height": pa.Column("Int64", pa.Check.ge(1)),
        "format": pa.Column(TEXT, nullable=True),
        "bits": pa.Column("Int64", pa.Check.in_range(1, 32), nullable=True),
        "bytes": pa.Column("Int64", pa.Check.ge(1), nullable=True),
        "modified": pa.Column("Int64", nullable=True),
        "notes": pa.Column(TEXT, pa.Check.str_matches(CELL), nullable=True),
        "split": pa.Column(TEXT, pa.Check.isin(SPLITS), nullable=True),
        "fold": pa.Column("Int64", pa.Check.ge(0), nullable=True),
    },
    strict=True,
    coerce=True,
    ordered=False,
    add_missing_columns=True,
)
"""One row an image; a column that may be null may be absent from a table that is read.

- `path` is absolute; `sha256` is of the file's bytes, `pixels_sha256` of its decoded pixels.
- `finding` and `boxes` (`pulmo.core.boxes`) are the source's own; `label` is pulmo's.
- `group` holds what must never be on two sides of a split: a patient, and every copy of an image.
- `source` is the data set; of the user's own files it is no hospital (`pulmo.core.sources`).
- `origin` is where the source has the image from: a hospital, a publication, another set.
- `root` is the folder or table that a data set of the user's own was imported from, else null.
- `offset` is in days since the onset of symptoms or the admission.
- `bits` are those of a stored sample, `bytes` the file's size, `modified` its time in nanoseconds.
- `notes` are kinds of notes of the reader (`pulmo.radiograph.notes`), joined by semicolons; null
  where it had none to make. `unknown` is among them where the image was not decoded, and in every
  row of a manifest that has no such column.
- `split` is null for an image that takes no part; `fold` is that of cross-validation."""

COLUMNS: Final = tuple(SCHEMA.columns)
"""The columns of a manifest, in their order."""


_PASSES: Final[dict[str, Callable[..., pd.Series]]] = {
    "isin": lambda cells, allowed_values: cells.isin([*allowed_values, pd.NA]),
    "str_matches": lambda cells, pattern: cells.str.match(pattern, na=True),
    "in_range": lambda cells, min_value, max_value, **_: cells.between(min_value, max_value),
    "greater_than_or_equal_to": lambda cells, min_value: cells >= min_value,
}
"""What each check of `SCHEMA` computes of cells, by its name and with its parameters."""


def checked(frame: pd.DataFrame, called: str) -> pd.DataFrame:
    """Returns the rows with the columns of `SCHEMA`, numbered from 0."""
    if "notes" not in frame:
        frame = frame.assign(notes=UNKNOWN)
    passed = _passed(frame)
    if passed is not None:
        return passed
    try:
        checked = SCHEMA.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as error:
        cases = error.failure_cases.head(3)
        problems = "; ".join(
            f"{case.column or case.schema_context}: {case.check} fails for {case.failure_case!r}"
            for case in cases.itertuples()
        )
        raise InputError(
            "manifest-invalid", f"{called} is not a valid manifest: {problems}."
        ) from None
    return checked[list(COLUMNS)].reset_index(drop=True)


def _passed(frame: pd.DataFrame) -> pd.DataFrame | None:
    """Returns what `checked` does of a table without a fault, or else None.

    pandera takes several times as long, as it prepares what it would say of a fault.
    """
    needed = {name for name, column in SCHEMA.columns.items() if not column.nullable}
    if not (frame.columns.is_unique and needed <= set(frame.columns) <= set(COLUMNS)):
        return None
    typed = frame.reindex(columns=list(COLUMNS))
    wanted = {name: column.dtype.type for name, column in SCHEMA.columns.items()}
    try:
        typed = typed.assign(
            **{
                name: typed[name].astype(kind)
                for name, kind in wanted.items()
                if typed[name].dtype != kind
            }
        )
    except (TypeError, ValueError, OverflowError):
        return None
    fits = all(_fits(typed[name], column) for name, column in SCHEMA.columns.items())
    return typed.reset_index(drop=True) if fits else None


def _fits(cells: pd.Series, column: pa.Column) -> bool:
    """Returns whether cells of the column's type have values that it allows."""
    return (
        (column.nullable or not cells.hasnans)
        and (not column.unique or cells.is_unique)
        and all(_PASSES[check.name](cells, **check.statistics).all() for check in column.checks)
    )


def check_split_name(split: str | None) -> None:
    """Refuses a split that no manifest has; None, for no split, passes.

    Raises:
        UsageError: there is no such split.
    """
    if split is not None and split not in SPLITS:
        raise UsageError(
            "split-unknown", f"There is no split {split!r}; choose one of {', '.join(SPLITS)}."
        )


def check_column(name: str) -> None:
    """Refuses a column that no manifest has.

    Raises:
        UsageError: there is no such column; the message names the nearest.
    """
    if name not in COLUMNS:
        near = get_close_matches(name, COLUMNS, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(COLUMNS)}."
        raise UsageError("manifest-column-unknown", f"A manifest has no column {name!r}. {hint}")
