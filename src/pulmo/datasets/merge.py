"""Manifests under each other: what two of them call by one name must be one data set."""

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from pulmo.core.errors import InputError
from pulmo.core.sources import OWN
from pulmo.datasets.grouping import contradictions, group
from pulmo.datasets.manifest import Manifest
from pulmo.datasets.source import Problem


class Merged(NamedTuple):
    """One manifest of several.

    Attributes:
        manifest: the images.
        problems: those that are left out, and why.
    """

    manifest: Manifest
    problems: list[Problem]


def merge(manifests: Sequence[Manifest], one: Collection[str] = ()) -> Manifest:
    """Returns one manifest of several, grouped anew, so that copies across sources are found.

    Args:
        manifests: the manifests.
        one: names of data sets that are one though they lie in several places, see `join`.

    Raises:
        InputError: they cannot be joined, or files with the same content have different labels:
            which of them is right is for a person to say, who knows the sources.
    """
    joined = join(manifests, one)
    first = next(contradictions(joined), None)
    if first:
        raise InputError(
            "image-labels-contradict",
            f"Images of the manifests contradict each other, such as {first.path}: "
            f"{first.reason}. Remove the images with wrong labels from their data set and import "
            "it again.",
        )
    return group(joined, keep=True)


def merge_agreeing(manifests: Sequence[Manifest], one: Collection[str] = ()) -> Merged:
    """Returns one manifest of several without the images that contradict each other.

    Those are the problems: every image of which a copy has another label.

    Args:
        manifests: the manifests.
        one: names of data sets that are one though they lie in several places, see `join`.

    Raises:
        InputError: they cannot be joined, or every image contradicts another.
    """
    joined = join(manifests, one)
    problems = list(contradictions(joined))
    agreeing = without(joined, problems)
    if not len(agreeing):
        raise InputError(
            "merge-empty", "Every image of the manifests has a copy with another label."
        )
    return Merged(group(agreeing, keep=True), problems)


def without(manifest: Manifest, problems: Sequence[Problem]) -> Manifest:
    """Returns a manifest without the images that have a problem."""
    paths = [problem.path for problem in problems]
    return manifest.select(~manifest.frame["path"].isin(paths)) if paths else manifest


def join(manifests: Sequence[Manifest], one: Collection[str] = ()) -> Manifest:
    """Returns the rows of several manifests under each other, with the groups that they have.

    Patients of one number in one data set are one patient. So two data sets of the user's own
    (`pulmo.core.sources`) must not have one name, unless the user says that they are one.

    Args:
        manifests: the manifests.
        one: names that data sets in several places have and that are one nonetheless.

    Raises:
        InputError: a path is in two of them, or two data sets have one name.
    """
    paths = pd.concat([each.frame["path"] for each in manifests])
    twice = paths[paths.duplicated()]
    if len(twice):
        raise InputError(
            "image-in-several-manifests",
            f"{twice.iloc[0]} is in more than one of the manifests ({len(twice)} such images).",
        )
    _check_names([_roots(each.frame) for each in manifests], one)
    return Manifest.concat(manifests)


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
                "source-name-shared",
                f"{listed} are both called {name!r}, so that patients with the same number in "
                "both would count as one patient.",
            )


def _roots(table: pd.DataFrame) -> dict[str, set[str]]:
    """Returns the name of each source -> where it was imported from; an empty text if public."""
    roots = table["root"]
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
