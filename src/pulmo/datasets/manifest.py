"""The manifest: a checked table, one row an image, that every step takes and gives."""

import hashlib
from collections.abc import Collection, Iterable
from difflib import get_close_matches
from functools import cached_property
from html import escape
from os import PathLike
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import pandas as pd
import pandera.pandas as pa
import pyarrow.compute as pc
from numpy.typing import ArrayLike
from pyarrow import array, large_string, scalar

from pulmo.core.errors import InputError, NoManifestError, UsageError
from pulmo.core.labels import LABELS, LabelScheme, class_numbers
from pulmo.core.noted import CELL, UNKNOWN
from pulmo.core.sources import without_place
from pulmo.core.tables import read_parquet, write_parquet
from pulmo.datasets.modality import kind_of, kinds

SPLITS: Final = ("train", "val", "test")

_TEXT_FILES: Final = frozenset({".csv", ".tsv", ".txt"})

_TEXT: Final = pd.StringDtype("pyarrow", na_value=pd.NA)

_DIGEST: Final = pa.Check.str_matches(r"^[0-9a-f]{64}$")

SCHEMA: Final = pa.DataFrameSchema(
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

_HASHED: Final = ("sha256", "label", "group", "source", "view", "modality", "split", "fold")


class Manifest:
    """Images with what is known of them: one row an image, the columns of `SCHEMA`.

    A manifest does not change: its methods give new ones, and `frame` gives a copy-on-write view,
    so that what is done to the view stays there. Two manifests are equal if all their cells are.
    """

    def __init__(self, frame: pd.DataFrame, called: str = "The manifest") -> None:
        """Checks a table, orders its columns and gives them their types.

        Args:
            frame: the rows; columns that may be null may be absent.
            called: what the message of an error calls the table.

        Raises:
            InputError: a column is missing or unknown, or a value is not allowed.
        """
        self._frame = _checked(frame, called)

    @classmethod
    def empty(cls) -> Self:
        """Returns a manifest of no image."""
        return cls(pd.DataFrame(columns=list(COLUMNS)))

    @classmethod
    def concat(cls, manifests: Iterable[Self]) -> Self:
        """Returns the rows of one or more manifests under each other.

        Raises:
            InputError: a path is there twice.
        """
        return cls(pd.concat([each.frame for each in manifests], ignore_index=True))

    @classmethod
    def from_rows(cls, rows: pd.DataFrame) -> Self:
        """Returns the manifest in a table that has more columns, such as one of predictions.

        Raises:
            InputError: a column of a manifest is missing, or a value is not allowed.
        """
        return cls(rows[[name for name in COLUMNS if name in rows]])

    @property
    def frame(self) -> pd.DataFrame:
        """The table, its rows numbered from 0: a view that is copied once it is written to."""
        return self._frame.copy(deep=False)

    def __len__(self) -> int:
        """Returns the number of images."""
        return len(self._frame)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Manifest) and self._frame.equals(other._frame)

    def __hash__(self) -> int:
        return hash(self.sha256)

    @cached_property
    def sha256(self) -> str:
        """The SHA-256 of what is said of the images, wherever they lie and in whatever order."""
        return _content_sha256(self._frame)

    @property
    def groups(self) -> pd.Series:
        """The group of each image."""
        return self.frame["group"]

    @property
    def patients(self) -> pd.Series:
        """The patient of each image, see `patient_names`."""
        return patient_names(self._frame)

    def classes(self, scheme: LabelScheme) -> pd.Series:
        """Returns the class that each image's label counts as, categorical; null if it is none.

        `.cat.codes` are the positions in the order of the scheme, -1 for null.
        """
        numbers = class_numbers(self._frame["label"], scheme.order, scheme.merge)
        return pd.Series(pd.Categorical.from_codes(numbers, pd.Index(scheme.order)))

    def select(self, rows: ArrayLike) -> Self:
        """Returns the manifest of some rows.

        Args:
            rows: for each row whether it is taken, where null is no; or the numbers of the rows.
        """
        if not isinstance(rows, pd.Series):
            rows = pd.Series(np.asarray(rows))
        if pd.api.types.is_bool_dtype(rows.dtype):
            return self._of(self._frame[rows.fillna(value=False).to_numpy(np.bool_)])
        return self._of(self._frame.iloc[rows.to_numpy(np.intp)])

    def split(self, *names: str) -> Self:
        """Returns the images of a split, or of several.

        Raises:
            UsageError: there is no such split.
        """
        for name in names:
            check_split_name(name)
        return self.select(self._frame["split"].isin(names))

    def filter(self, **wanted: str | float | Collection[str | float] | None) -> Self:
        """Returns the images that have one of the wanted values in each column that is named.

        An unknown value is none of those wanted. Modalities are compared by what they mean, so that
        `X-ray`, `DX` and `CR` are one (`pulmo.datasets.modality`).

        Args:
            wanted: column -> a value or several; None takes all.

        Raises:
            UsageError: a manifest has no such column.
        """
        frame, chosen = self._frame, np.ones(len(self), np.bool_)
        for column, value in wanted.items():
            check_column(column)
            if value is None:
                continue
            values: list[object] = [value] if isinstance(value, str | int | float) else list(value)
            cells = frame[column]
            if column == "modality":
                cells = kinds(cells)
                values = [kind for each in values if (kind := kind_of(str(each)))]
            chosen &= cells.isin(values).to_numpy(np.bool_, na_value=False)
        return self.select(chosen)

    def with_columns(self, **columns: Any) -> Self:  # noqa: ANN401 - what a column can be made of
        """Returns a manifest with other values in some columns.

        Args:
            columns: column -> a value for all rows, or one for each.

        Raises:
            InputError: a value is not allowed, or there is no such column.
        """
        return type(self)(self.frame.assign(**columns))

    def save(self, path: str | PathLike[str]) -> None:
        """Writes the manifest as Parquet, under another name until it is whole.

        Raises:
            InputError: the file cannot be written.
        """
        write_parquet(self._frame, Path(path))

    def __repr__(self) -> str:
        return f"<Manifest of {len(self):,} images, sha256 {self.sha256[:12]}>"

    def _repr_html_(self) -> str:
        """Returns what a notebook shows: images of each class, source and split, and the hash."""
        frame = self._frame
        tables = [
            pd.crosstab(frame[name].fillna("none"), frame["label"], margins=True).to_html()
            for name in ("source", "split")
            if len(frame)
        ]
        return "".join(
            [f"<p>{len(self):,} images</p>", *tables, f"<p>sha256 {escape(self.sha256)}</p>"]
        )

    @classmethod
    def _of(cls, rows: pd.DataFrame) -> Self:
        """Takes rows of a manifest, which need no second check."""
        made = cls.__new__(cls)
        made._frame = rows.reset_index(drop=True)  # noqa: SLF001 - its own
        return made


def read_manifest(path: str | PathLike[str]) -> Manifest:
    """Reads a manifest.

    Raises:
        NoManifestError: it is a folder or a text table, of which a manifest must be made first.
        InputError: the file is missing, is not Parquet, or is not a manifest.
    """
    path = Path(path)
    if path.is_dir():
        raise NoManifestError(path, "a folder")
    if path.suffix.lower() in _TEXT_FILES and path.is_file():
        raise NoManifestError(path, "not a Parquet table but text")
    return Manifest(read_parquet(path), str(path))


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


def patient_names(rows: pd.DataFrame) -> pd.Series:
    """Returns `source:patient` of each row, which distinguishes patients of different sources.

    Of an image whose origin is another source of the table it is that one's patient: a set that is
    made of others' images keeps their patients. It is null where the source names no patient.

    Args:
        rows: images with `source`, `origin` and `patient`.
    """
    source, origin = rows["source"].astype("string"), rows["origin"].astype("string")
    owner = origin.where(origin.isin(source.unique()), source)
    return owner + ":" + rows["patient"].astype("string")


def _checked(frame: pd.DataFrame, called: str) -> pd.DataFrame:
    """Returns the rows with the columns of `SCHEMA`, numbered from 0."""
    if "notes" not in frame:
        frame = frame.assign(notes=UNKNOWN)
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


def _content_sha256(frame: pd.DataFrame) -> str:
    """Returns the SHA-256 of the sorted rows, in the columns of `_HASHED`."""
    cells = {name: frame[name].astype(_TEXT).fillna("") for name in _HASHED}
    cells |= {name: without_place(cells[name]) for name in ("group", "source")}
    texts = [array(cells[name]) for name in _HASHED]
    rows = pc.binary_join_element_wise(*texts, scalar("\t", large_string()))
    # UTF-8 bytes are in the order of the characters that they stand for.
    ordered = rows.take(pc.sort_indices(rows))
    digest = hashlib.sha256()
    for start in range(0, len(ordered), 1 << 16):
        text = "\n".join(ordered.slice(start, 1 << 16).to_pylist())
        digest.update(f"\n{text}".encode() if start else text.encode())
    return digest.hexdigest()
