"""Plan: everything that decides a split but the manifest."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from pulmo.core.errors import UsageError
from pulmo.datasets.manifest import Manifest
from pulmo.datasets.split.draw import Keep, Shares, draw_sides
from pulmo.datasets.split.folds import draw_folds, number_sources, validate_on
from pulmo.datasets.split.matching import Matching, match
from pulmo.datasets.split.sources import leave_out, spans_sources, tie_origins


@dataclass(frozen=True)
class Plan:
    """How to make a split.

    Attributes:
        seed: of all that is drawn, 0 or more.
        val: the fraction for validation; with folds one of them is the validation instead.
        test: the fraction for the test; with `leave_out` that source is the test instead.
        keep: which sides are kept as the sources state them.
        leave_out: the source that is the test.
        folds: how many folds what is not for the test is dealt to.
        by_source: one fold a source; groups that span sources take no part.
        fold: the fold that is the validation.
        by_origin: whether all images of an origin, such as a hospital, are on one side.
        matching: what is to be alike among the labels; the images are chosen before anything is
            drawn.
    """

    seed: int = 0
    val: float = 0.15
    test: float = 0.15
    keep: Keep = "nothing"
    leave_out: str | None = None
    folds: int | None = None
    by_source: bool = False
    fold: int = 0
    by_origin: bool = False
    matching: Matching | None = None

    def __post_init__(self) -> None:
        if self.leave_out is not None and self.keep != "nothing":
            raise UsageError(
                "test-set-contradicts",
                "The test set is either a source that is left out or a published test set that "
                "is kept, not both.",
            )
        if self.folds is not None and self.by_source:
            raise UsageError(
                "folds-contradict", "Folds are either drawn or made one per source, not both."
            )
        if self.folds is not None and self.folds < 2:
            raise UsageError(
                "folds-too-few", f"Cross-validation needs at least 2 folds; got {self.folds}."
            )
        apart = self.by_source or self.leave_out is not None
        if self.matching and apart and "source" not in self.matching.columns:
            raise UsageError(
                "matching-across-sources",
                "Sources are held apart here, so images that are matched across sources are not "
                "matched within a split. Match by source too.",
            )

    @property
    def folded(self) -> bool:
        """Whether there are folds."""
        return self.folds is not None or self.by_source


class Drawn(NamedTuple):
    """A manifest with its split.

    Attributes:
        manifest: the images.
        reason: why an image takes no part, as a sentence's end, by the rows of the manifest; null
            for those that do.
        strata: the strata of the matching, as in `Matched`; None without one.
    """

    manifest: Manifest
    reason: pd.Series
    strata: pd.DataFrame | None


def draw(manifest: Manifest, plan: Plan) -> Drawn:
    """Makes the split that a plan describes, and drops one that the manifest has.

    The same manifest and plan give the same split, whatever the row order.

    Raises:
        UsageError: the plan does not fit the manifest.
        InputError: there is nothing to keep.
        RefusedError: matching leaves nothing.
    """
    groups = manifest.groups
    if plan.by_origin:
        manifest = manifest.with_columns(group=tie_origins(manifest.frame))
    table = manifest.frame
    generator = np.random.default_rng(plan.seed)
    reason = pd.Series(pd.NA, table.index, dtype="string")
    strata = None
    if plan.matching:
        matched = match(table, plan.matching, generator)
        reason, strata = matched.reason, matched.strata
    if plan.by_source:
        tied = spans_sources(table[reason.isna()])
        reason[tied.index[tied]] = "its group spans sources"
    part = table[reason.isna()]
    if plan.leave_out is None:
        shares = Shares(0 if plan.folded else plan.val, plan.test)
        sides = draw_sides(part, shares, generator, keep=plan.keep)
    else:
        val = 0 if plan.folded else plan.val
        sides = leave_out(part, plan.leave_out, val, generator)
    drawn = manifest.with_columns(split=sides.split, fold=None)
    reason = reason.fillna(sides.reason)
    if plan.folded:
        drawn = _with_folds(drawn, plan, generator)
    return Drawn(drawn.with_columns(group=groups), reason, strata)


def _with_folds(manifest: Manifest, plan: Plan, generator: np.random.Generator) -> Manifest:
    """Returns the manifest with folds for what is not for the test."""
    table = manifest.frame
    rest = table[table["split"].isin(["train", "val"])]
    fold = number_sources(rest) if plan.folds is None else draw_folds(rest, plan.folds, generator)
    return validate_on(manifest.with_columns(fold=fold), plan.fold)
