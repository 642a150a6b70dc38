"""Subsets in which a view, an age or a source says nothing about the label."""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from pulmo.core.errors import RefusedError, UsageError
from pulmo.core.labels import check_label
from pulmo.core.message import listed

MATCHABLE: Final = ("view", "age", "sex", "modality", "source")
"""The columns of a manifest whose values can be matched."""


@dataclass(frozen=True)
class Matching:
    """What is to be alike among the labels.

    Attributes:
        columns: some of `MATCHABLE`, each once.
        band: ages in the same band of so many years, counted from 0, are alike.
        labels: the labels that take part; none means all that there are.
    """

    columns: tuple[str, ...]
    band: int = 10
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if unknown := [name for name in self.columns if name not in MATCHABLE]:
            raise UsageError(
                "matching-column-unknown",
                f"Images cannot be matched by {unknown[0]!r}; choose among {', '.join(MATCHABLE)}.",
            )
        if not self.columns or len(set(self.columns)) < len(self.columns):
            raise UsageError("matching-columns-invalid", "Name the columns to match by, each once.")
        if self.band < 1:
            raise UsageError(
                "age-band-invalid", f"A band of ages must have at least 1 year; got {self.band}."
            )
        for label in self.labels:
            check_label(label)
        if len(self.labels) == 1 or len(set(self.labels)) < len(self.labels):
            raise UsageError("labels-too-few", "Name at least two labels to match, each once.")


class Matched(NamedTuple):
    """The outcome of matching.

    Attributes:
        reason: why a row does not take part, as a sentence's end, by the rows' index; null for the
            rows that do.
        strata: one row a combination of values: the values as text, `kept` (images that are kept
            of each label), and for each label how many images there were.
    """

    reason: pd.Series
    strata: pd.DataFrame


def match(table: pd.DataFrame, matching: Matching, generator: np.random.Generator) -> Matched:
    """Chooses equally many images of each label in every stratum of the matched columns.

    That is as many as the rarest label has there. Images are drawn group by group in random
    order, so that few groups are cut. The same manifest and generator state give the same choice,
    whatever the row order.

    Args:
        table: rows of a manifest, each with an index of its own.
        matching: what is to be alike.
        generator: draws the order of the groups.

    Raises:
        UsageError: the manifest lacks a label that is to take part, or has only one.
        RefusedError: no stratum holds all the labels, so that nothing would be left.
    """
    labels = _labels(table, matching)
    reason = pd.Series(pd.NA, table.index, dtype="string")
    reason[~table["label"].isin(labels)] = "its label is not among those that are matched"
    unknown = table[list(matching.columns)].isna().any(axis=1) & reason.isna()
    reason[unknown] = f"its {listed(matching.columns, 'or')} is not known"
    rows = table[reason.isna()]
    values = rows[list(matching.columns)]
    if "age" in values:
        values = values.assign(age=(rows["age"] // matching.band * matching.band).astype("Int64"))
    stratum = values.groupby(list(matching.columns)).ngroup()
    counts = pd.crosstab(stratum, rows["label"]).reindex(columns=labels, fill_value=0)
    quota = counts.min(axis=1)
    if not quota.any():
        raise _nothing_left(table, matching, labels)
    most = stratum.map(quota)
    surplus = _draw_places(rows, stratum, generator) >= most
    reason[rows.index[surplus]] = "its stratum has more of its label than of another"
    reason[rows.index[most == 0]] = "its stratum has none of another label"
    named = values.groupby(stratum).first()
    if "age" in named:
        ends = named["age"] + matching.band - 1
        named["age"] = named["age"].astype("string") + "-" + ends.astype("string")
    return Matched(reason, pd.concat([named, quota.rename("kept"), counts], axis=1))


def _labels(table: pd.DataFrame, matching: Matching) -> list[str]:
    present = sorted(table["label"].unique())
    if absent := [label for label in matching.labels if label not in present]:
        raise UsageError(
            "label-without-images",
            f"The manifest has no image of {', '.join(absent)} to match; it has "
            f"{', '.join(present)}.",
        )
    if len(present) < 2:
        raise UsageError(
            "labels-too-few",
            f"Matching needs at least two labels; all images are {', '.join(present)}.",
        )
    return list(matching.labels) or present


def _draw_places(
    rows: pd.DataFrame, stratum: pd.Series, generator: np.random.Generator
) -> pd.Series:
    """Returns the place of each row among those of its stratum and label, in a random order."""
    group, names = pd.factorize(rows["group"], sort=True)
    turn = generator.permutation(len(names))[group]
    ordered = rows.assign(turn=turn, stratum=stratum).sort_values(["turn", "sha256", "path"])
    return ordered.groupby(["stratum", "label"]).cumcount().reindex(rows.index)


def _nothing_left(table: pd.DataFrame, matching: Matching, labels: list[str]) -> RefusedError:
    """Returns the error that says how many images of each label have known values."""
    known = table[list(matching.columns)].notna().all(axis=1)
    each = {label: table["label"] == label for label in labels}
    counts = (f"{(known & rows).sum()} of {rows.sum()} {label}" for label, rows in each.items())
    return RefusedError(
        "matching-empty",
        f"No image is left after matching: no stratum of {listed(matching.columns, 'and')} "
        f"contains all of {listed(labels, 'and')}. The values are known of {', '.join(counts)} "
        "images. Match by fewer columns or wider bands of age, or match fewer labels.",
    )
