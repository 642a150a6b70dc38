"""Subgroups: the same figures for the pictures of each source, view, sex, age band and size."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pulmo import stats
from pulmo.core.sources import UNSTATED, source_names
from pulmo.evaluate.evaluation import Subgroup
from pulmo.evaluate.intake import Judged
from pulmo.evaluate.table import positive_probability
from pulmo.evaluate.terms import Terms
from pulmo.stats.classified import NO_SCORES
from pulmo.stats.estimate import Estimate

AGES: Final = (18, 40, 65)
"""Years at which an age band ends."""

SIDES: Final = (512, 1024, 2048)
"""Pixels of the shorter side at which a size ends."""

MOST: Final = 12
"""Subgroups of one fact that are shown, the largest first."""

UNKNOWN: Final = "not known"


def subgroups(judged: Judged, terms: Terms) -> tuple[Subgroup, ...]:
    """Computes the figures of each subgroup of each fact that the pictures differ in.

    Args:
        judged: the pictures; `source`, `view`, `sex`, `age`, and `width` and `height` in pixels are
            used where the table has them.
        terms: which classes are positive.
    """
    found = []
    for fact, values in _facts(judged.rows):
        counts = values.value_counts(sort=True)
        if len(counts) < 2:
            continue
        for name in sorted(counts.index[:MOST], key=_place):
            inside = (values == name).to_numpy(np.bool_)
            found.append(_subgroup(fact, str(name), inside, judged, terms))
    return tuple(found)


def _facts(rows: pd.DataFrame) -> Iterator[tuple[str, pd.Series]]:
    """Yields each fact with its value of each picture."""
    yield "source", source_names(rows).replace({UNSTATED: UNKNOWN})
    for fact in ("view", "sex"):
        if fact in rows:
            yield fact, rows[fact].astype("string").fillna(UNKNOWN)
    years = rows["age"].to_numpy(np.float64, na_value=np.nan)
    yield "age", pd.Series(_bands(years, AGES, ""), dtype="string")
    if {"width", "height"} <= set(rows.columns):
        sides = rows[["width", "height"]].apply(pd.to_numeric, errors="coerce").min(axis=1)
        shorter = sides.to_numpy(np.float64, na_value=np.nan)
        yield "shorter side", pd.Series(_bands(shorter, SIDES, " px"), dtype="string")


def _bands(values: NDArray[np.float64], ends: tuple[int, ...], unit: str) -> list[str]:
    """Names the band that each value lies in; a band does not hold its upper end."""
    names = [f"below {ends[0]}{unit}"]
    names += [f"{low} to {high - 1}{unit}" for low, high in pairwise(ends)]
    names.append(f"{ends[-1]}{unit} or more")
    places = np.digitize(values, ends)
    known = ~np.isnan(values)
    return [names[place] if there else UNKNOWN for place, there in zip(places, known, strict=True)]


def _place(name: object) -> tuple[bool, int, str]:
    """Orders bands by their numbers, names by their letters, and what is not known last."""
    text = str(name)
    digits = "".join(letter if letter.isdigit() else " " for letter in text).split()
    first = -1 if text.startswith("below ") else int(digits[0]) if digits else 0
    return text == UNKNOWN, first, text


def _subgroup(
    fact: str, name: str, inside: NDArray[np.bool_], judged: Judged, terms: Terms
) -> Subgroup:
    sample, rows = judged.sample.take(inside), judged.rows[inside]
    wanted = rows["class"].isin(terms.positive).to_numpy(np.bool_)
    called = rows["positive"].to_numpy(np.bool_)
    groups = sample.groups
    scores = positive_probability(sample.probabilities, terms)
    names = " or ".join(terms.positive)
    if terms.positive:
        auc = stats.auc(
            wanted, scores, groups, undefined=f"it needs images with and without {names}"
        )
        sensitivity = stats.proportion(
            called[wanted], groups[wanted], undefined=f"no image is {names}"
        )
        specificity = stats.proportion(
            ~called[~wanted], groups[~wanted], undefined=f"every image is {names}"
        )
    else:
        auc = sensitivity = specificity = Estimate.undefined("no class was named positive")
    if not sample.scored:
        auc = Estimate.undefined(NO_SCORES, len(sample))
    return Subgroup(
        fact=fact,
        name=name,
        n=len(sample),
        groups=int(groups.max()) + 1,
        accuracy=stats.proportion(sample.decided == sample.truth, groups),
        auc=auc,
        sensitivity=sensitivity,
        specificity=specificity,
    )
