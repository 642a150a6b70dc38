"""The manifest: a checked table, one row an image, that every step takes and gives."""

import hashlib
from collections.abc import Collection, Iterable
from functools import cached_property
from html import escape
from os import PathLike
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import pandas as pd
import pyarrow.compute as pc
from numpy.typing import ArrayLike
from pyarrow import array, large_string, scalar

from pulmo.core.errors import NoManifestError
from pulmo.core.labels import LabelScheme, class_numbers
from pulmo.core.sources import without_place
from pulmo.core.tables import read_parquet, write_parquet
from pulmo.datasets.modality import kind_of, kinds
from pulmo.datasets.schema import COLUMNS, TEXT, check_column, check_split_name, checked

_TEXT_FILES: Final = frozenset({".csv", ".tsv", ".txt"})

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
        self._frame = checked(frame, called)

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


def _content_sha256(frame: pd.DataFrame) -> str:
    """Returns the SHA-256 of the sorted rows, in the columns of `_HASHED`."""
    cells = {name: frame[name].astype(TEXT).fillna("") for name in _HASHED}
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
