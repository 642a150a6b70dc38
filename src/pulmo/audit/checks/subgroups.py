"""Subgroups of patients and images in which the model is worse than in the others."""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pulmo import stats
from pulmo.audit.accuracy import balanced_accuracy
from pulmo.audit.check import Answer, Unanswered, check
from pulmo.audit.context import AuditContext
from pulmo.audit.finding import Cell, Table
from pulmo.audit.screening import is_positive, sensitivity
from pulmo.datasets.inspect.facts import file_facts
from pulmo.evaluate.bands import age_bands, band_order, size_bands
from pulmo.evaluate.decision import NOT_NAMED
from pulmo.stats.estimate import Estimate
from pulmo.stats.multiple import surely_above

MARGIN: Final = 0.1
"""Gap that fails: of ten patients, one more is treated wrongly for what he or she is."""

FEWEST: Final = 10
"""Images of a class, inside and outside, that a gap is computed from."""

_COLUMNS: Final = ("by", "subgroup", "images", "figure", "here", "in the rest", "worse by")


def _size(context: AuditContext) -> pd.Series:
    return size_bands(file_facts(context.rows, context.options.facts))


TRAITS: Final[dict[str, Callable[[AuditContext], pd.Series]]] = {
    "sex": lambda context: context.rows["sex"],
    "age": lambda context: age_bands(context.rows["age"]),
    "view": lambda context: context.rows["view"],
    "source": lambda context: context.sources,
    "shorter side": _size,
}
"""Name -> the subgroup of each judged image, null where it is unknown."""


class Gap(NamedTuple):
    """How much worse a figure is in a subgroup.

    Attributes:
        trait: what forms the subgroups.
        name: the subgroup.
        n: its images.
        figure: what is compared.
        here: the figure of the subgroup.
        rest: that of all other images of which the trait is known.
        worse: the second minus the first.
    """

    trait: str
    name: str
    n: int
    figure: str
    here: Estimate
    rest: Estimate
    worse: Estimate


@check(
    "subgroups",
    question="Is the model worse for some patients or images than for the others?",
    claim=(
        "is not surely worse in any subgroup that can be told here by sex, age, view, source or "
        "size"
    ),
)
def subgroups(context: AuditContext) -> Answer:
    """Fails where the model is surely worse by more than the margin, warns where it is worse.

    Of the images of a subgroup and of all others of which the trait is known, the sensitivity at
    the threshold and the balanced accuracy over the classes that both have are compared. All gaps
    are tested together (Holm 1979).
    """
    gaps = list(_gaps(context))
    known = [each for each in gaps if each.worse.value is not None]
    if not known:
        raise Unanswered(
            f"No trait splits the images so that {FEWEST} of a class are on either side."
        )
    worse = [each.worse for each in known]
    much, some = surely_above(worse, MARGIN), surely_above(worse, 0.0)
    told = [each for each, sure in zip(known, much if much.any() else some, strict=True) if sure]
    compared = list(dict.fromkeys(each.trait for each in known))
    sentence = f"{len(known)} gaps were tested, by {', '.join(compared)}."
    if missing := [name for name in TRAITS if name not in compared]:
        sentence += f" Too little is known to tell subgroups by {', '.join(missing)}."
    for each in told:
        sentence += (
            f" By {each.trait}, {each.name}: {each.figure} {each.here}, in the rest {each.rest}."
        )
    rows = [_row(each) for each in gaps]
    return Answer(
        "fails" if much.any() else "warns" if some.any() else "passes",
        sentence,
        {f"{each.figure} worse by, {each.trait}: {each.name}": each.worse for each in told},
        (Table(title="Subgroups", columns=_COLUMNS, rows=tuple(rows)),),
    )


def _gaps(context: AuditContext) -> Iterator[Gap]:
    """Yields both gaps of each subgroup of each trait that has two or more."""
    for trait, look in TRAITS.items():
        values = look(context)
        names = sorted(values.dropna().unique(), key=band_order)
        if len(names) < 2:
            continue
        for name in names:
            inside = np.asarray((values == name).fillna(value=False), np.bool_)
            outside = np.asarray(values.notna(), np.bool_) & ~inside
            n = int(inside.sum())
            for figure, compare in (
                ("sensitivity", _sensitivities),
                ("balanced accuracy", _balanced_accuracies),
            ):
                here, rest = compare(context, inside, outside)
                yield Gap(trait, str(name), n, figure, here, rest, stats.difference(rest, here))


def _sensitivities(
    context: AuditContext, inside: NDArray[np.bool_], outside: NDArray[np.bool_]
) -> tuple[Estimate, Estimate]:
    positive = is_positive(context)
    for side, words in ((inside, "here"), (outside, "in the rest")):
        n = int((positive & side).sum())
        if n < FEWEST:
            reason = f"fewer than {FEWEST} positive images {words}"
            nothing = Estimate.undefined(reason if context.rule.positive else NOT_NAMED, n)
            return nothing, nothing
    return (
        sensitivity(context, np.flatnonzero(inside)),
        sensitivity(context, np.flatnonzero(outside)),
    )


def _balanced_accuracies(
    context: AuditContext, inside: NDArray[np.bool_], outside: NDArray[np.bool_]
) -> tuple[Estimate, Estimate]:
    """Returns the figure of either side, over the classes that both have."""
    classes = len(context.rule.classes)
    counts = [np.bincount(context.truth[side], minlength=classes) for side in (inside, outside)]
    shared = np.flatnonzero((np.stack(counts) >= FEWEST).all(axis=0))
    if len(shared) < 2:
        reason = f"fewer than two classes have {FEWEST} images here and in the rest"
        nothing = Estimate.undefined(reason, int(inside.sum()))
        return nothing, nothing
    figures = []
    for side in (inside, outside):
        numbers = np.flatnonzero(side & np.isin(context.truth, shared))
        figures.append(balanced_accuracy(context, numbers, context.sample.decided[numbers]))
    return figures[0], figures[1]


def _row(each: Gap) -> tuple[Cell, ...]:
    return (each.trait, each.name, each.n, each.figure, each.here, each.rest, each.worse)
