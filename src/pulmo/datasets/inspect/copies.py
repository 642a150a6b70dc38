"""Copies: images, patients and groups that are in two places at once."""

from itertools import islice
from typing import Final

import pandas as pd

from pulmo.datasets.inspect.inspection import Copies, Tally
from pulmo.datasets.manifest import patient_names

EXAMPLES: Final = 4


def copies_of(table: pd.DataFrame) -> Copies:
    """Finds exact copies, and groups and patients that span sources, classes or splits."""
    groups, patients = table["group"], patient_names(table)
    return Copies(
        same_bytes=_repeated(table, table["sha256"]),
        same_pixels=_repeated(table, table["pixels_sha256"]),
        groups_across_sources=_spanning(table, groups, "source"),
        groups_with_several_labels=_spanning(table, groups, "label"),
        patients_with_several_labels=_spanning(table, patients, "label"),
        groups_across_splits=_spanning(table, groups, "split"),
    )


def _repeated(table: pd.DataFrame, keys: pd.Series) -> Tally:
    """Counts the images that share their key, where it is not null, with another."""
    return _tally(table, keys, keys.duplicated(keep=False) & keys.notna())


def _spanning(table: pd.DataFrame, keys: pd.Series, column: str) -> Tally:
    """Counts the images whose key, where it is not null, has several values of a column."""
    return _tally(table, keys, table[column].groupby(keys).transform("nunique") > 1)


def _tally(table: pd.DataFrame, keys: pd.Series, chosen: pd.Series) -> Tally:
    names = keys[chosen]
    first = table["path"][chosen][names == names.iloc[0]] if len(names) else ()
    return Tally(
        sets=names.nunique(),
        images=len(names),
        examples=tuple(islice(map(str, first), EXAMPLES)),
    )
