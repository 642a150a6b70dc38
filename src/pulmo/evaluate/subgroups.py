"""Subgroups: the same metrics for the images of each source, view, sex, age band and size."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd

from pulmo import stats
from pulmo.core.sources import UNSTATED, source_names
from pulmo.evaluate.bands import UNKNOWN, age_bands, band_order, size_bands
from pulmo.evaluate.evaluation import Subgroup
from pulmo.predictions.predictions import Predictions
from pulmo.stats.classified import NO_SCORES
from pulmo.stats.estimate import Estimate

MOST: Final = 12
"""Subgroups of one fact that are shown, the largest first."""


def subgroups(predictions: Predictions) -> tuple[Subgroup, ...]:
    """Computes the metrics of each subgroup of each fact that the images differ in.

    Args:
        predictions: the labelled images; `source`, `view`, `sex`, `age`, and `width` and `height`
            in pixels are used where they have them.
    """
    found = []
    for fact, values in _facts(predictions.frame):
        counts = values.value_counts(sort=True)
        if len(counts) < 2:
            continue
        for name in sorted(counts.index[:MOST], key=band_order):
            inside = (values == name).to_numpy(np.bool_)
            found.append(_subgroup(fact, str(name), predictions.select(inside)))
    return tuple(found)


def _facts(rows: pd.DataFrame) -> Iterator[tuple[str, pd.Series]]:
    """Yields each fact with its value of each image."""
    yield "source", source_names(rows).replace({UNSTATED: UNKNOWN})
    for fact in ("view", "sex"):
        if fact in rows:
            yield fact, rows[fact].astype("string").fillna(UNKNOWN)
    yield "age", age_bands(rows["age"]).fillna(UNKNOWN)
    if {"width", "height"} <= set(rows.columns):
        yield "shorter side", size_bands(rows).fillna(UNKNOWN)


def _subgroup(fact: str, name: str, inside: Predictions) -> Subgroup:
    rule, groups = inside.rule, inside.groups
    wanted, called, names = inside.of_positive_class, inside.positive, rule.positive_names
    if rule.positive:
        auc = stats.auc(
            wanted,
            inside.positive_probability,
            groups,
            undefined=f"it needs images with and without {names}",
        )
        sensitivity = stats.proportion(
            called[wanted], groups[wanted], undefined=f"no image is {names}"
        )
        specificity = stats.proportion(
            ~called[~wanted], groups[~wanted], undefined=f"every image is {names}"
        )
    else:
        auc = sensitivity = specificity = Estimate.undefined("no class is named as positive")
    if not rule.scored:
        auc = Estimate.undefined(NO_SCORES, len(inside))
    return Subgroup(
        fact=fact,
        name=name,
        n=len(inside),
        groups=int(groups.max()) + 1,
        accuracy=stats.proportion(inside.decided == inside.truth, groups),
        auc=auc,
        sensitivity=sensitivity,
        specificity=specificity,
    )
