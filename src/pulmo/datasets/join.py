"""Manifests under each other: what two of them call by one name must be one data set."""

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from pulmo.core.errors import InputError
from pulmo.core.sources import OWN


def join(manifests: Iterable[pd.DataFrame], one: Collection[str] = ()) -> pd.DataFrame:
    """Returns the rows of several manifests under each other.

    Patients of one number in one data set are one patient. So two data sets of the user's own
    (`pulmo.core.sources`) must not have one name, unless the user says that they are one.

    Args:
        manifests: the manifests.
        one: names that data sets in several places have and that are one nonetheless.

    Raises:
        InputError: a path is in two of them, or two data sets have one name.
    """
    tables = list(manifests)
    table = pd.concat(tables, ignore_index=True)
    twice = table["path"][table["path"].duplicated()]
    if len(twice):
        raise InputError(
            f"{twice.iloc[0]} is in more than one of the manifests ({len(twice)} such pictures)."
        )
    _check_names([_roots(each) for each in tables], one)
    return table


def _check_names(tables: Sequence[Mapping[str, set[str]]], one: Collection[str]) -> None:
    """Refuses a name that two data sets have.

    Args:
        tables: of each manifest, the name of each source -> the places that it was imported from.
        one: names that are no fault.
    """
    names = {name for table in tables for name in table} - set(one)
    for name in sorted(names):
        places = [table[name] for table in tables if name in table]
        together = set().union(*places)
        # What one manifest holds already was joined on purpose.
        if max(map(len, places)) < len(together):
            listed = " and ".join(sorted(place or "a public data set" for place in together))
            raise InputError(
                f"{listed} are both called {name!r}, so that patients of one number in both would "
                "count as one patient. If they are two data sets, import each with another --name; "
                f"if their patients are numbered together, add --one-set {name}."
            )


def _roots(table: pd.DataFrame) -> dict[str, set[str]]:
    """Returns the name of each source -> where it was imported from; an empty text if public."""
    roots = table["root"] if "root" in table else pd.Series(pd.NA, table.index, dtype="string")
    found: dict[str, set[str]] = {}
    for name, rows in table.groupby("source"):
        known = set(roots[rows.index].dropna())
        if len(rows) > roots[rows.index].notna().sum():
            known.add(_common(rows["path"]) if name in OWN else "")
        found[str(name)] = known
    return found


def _common(paths: pd.Series) -> str:
    """Returns the folder that all files lie in: the root of a manifest that does not say it."""
    return os.path.commonpath([f"{Path(path).parent}" for path in paths])
