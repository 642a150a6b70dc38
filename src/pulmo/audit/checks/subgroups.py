"""Subgroups: whether the model is worse for some patients or images than for the others."""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pulmo import stats
from pulmo.audit.accuracy import balanced_accuracy
from pulmo.audit.check import CannotRun, Message, Outcome, check
from pulmo.audit.check_result import Cell, Table
from pulmo.audit.context import AuditContext
from pulmo.audit.screening import is_positive, sensitivity
from pulmo.datasets.inspect.facts import file_facts
from pulmo.evaluate.bands import age_bands, band_order, size_bands
from pulmo.evaluate.decision import NOT_NAMED
from pulmo.stats.estimate import Estimate
from pulmo.stats.multiple import significantly_above

MARGIN: Final = 0.1
"""Gap above which the check fails: one more error in ten patients of the subgroup."""

MIN_IMAGES: Final = 10
"""Images of a class that a gap needs, in the subgroup and in the rest."""

_COLUMNS: Final = ("by", "subgroup", "images", "metric", "in the subgroup", "in the rest", "gap")


def _size(context: AuditContext) -> pd.Series:
    return size_bands(file_facts(context.rows, context.options.facts))


TRAITS: Final[dict[str, Callable[[AuditContext], pd.Series]]] = {
    "sex": lambda context: context.rows["sex"],
    "age": lambda context: age_bands(context.rows["age"]),
    "view": lambda context: context.rows["view"],
    "source": lambda context: context.sources,
    "shorter side": _size,
}
"""Name -> the subgroup of each test image, null where it is unknown."""


class Gap(NamedTuple):
    """How much worse a metric is in a subgroup.

    Attributes:
        trait: such as age.
        name: the subgroup.
        n: its images.
        metric: what is compared.
        inside: the value in the subgroup.
        rest: the value in all other images whose trait is known.
        gap: the second minus the first.
    """

    trait: str
    name: str
    n: int
    metric: str
    inside: Estimate
    rest: Estimate
    gap: Estimate


@check(
    "subgroups",
    question="Is the model worse for some patients or images than for the others?",
    statement=(
        "The model is not significantly worse in any known subgroup of sex, age, view, source or "
        "image size."
    ),
)
def subgroups(context: AuditContext) -> Outcome:
    """Fails where the model is significantly worse by more than the margin; else warns where worse.

    The sensitivity at the threshold, and the balanced accuracy over the classes that both have, are
    compared between a subgroup and all other images whose trait is known. All gaps are tested
    together (Holm 1979).
    """
    gaps = list(_gaps(context))
    known = [each for each in gaps if each.gap.value is not None]
    if not known:
        raise CannotRun(
            "few-images",
            f"No subgroup and its rest have {MIN_IMAGES} images of a class each: too few to "
            "compare.",
        )
    sizes = [each.gap for each in known]
    much, some = significantly_above(sizes, MARGIN), significantly_above(sizes, 0.0)
    worse = [each for each, sure in zip(known, much if much.any() else some, strict=True) if sure]
    compared = list(dict.fromkeys(each.trait for each in known))
    messages = [Message("tested", f"{len(known)} gaps were tested, by {', '.join(compared)}.")]
    if missing := [name for name in TRAITS if name not in compared]:
        text = f"Not tested, because too little is known: {', '.join(missing)}."
        messages.append(Message("not-tested", text))
    messages += [
        Message(
            "worse",
            f"The {each.metric} is lower for {each.trait} {each.name}: {each.inside.in_text}, in "
            f"the rest {each.rest.in_text}.",
        )
        for each in worse
    ]
    rows = [_row(each) for each in gaps]
    return Outcome(
        "fails" if much.any() else "warns" if some.any() else "passes",
        tuple(messages),
        {f"gap in {each.metric}, {each.trait}: {each.name}": each.gap for each in worse},
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
            for metric, compare in (
                ("sensitivity", _sensitivities),
                ("balanced accuracy", _balanced_accuracies),
            ):
                mine, rest = compare(context, inside, outside)
                yield Gap(trait, str(name), n, metric, mine, rest, stats.difference(rest, mine))


def _sensitivities(
    context: AuditContext, inside: NDArray[np.bool_], outside: NDArray[np.bool_]
) -> tuple[Estimate, Estimate]:
    positive = is_positive(context)
    for side, words in ((inside, "in the subgroup"), (outside, "in the rest")):
        n = int((positive & side).sum())
        if n < MIN_IMAGES:
            reason = f"fewer than {MIN_IMAGES} positive images {words}"
            nothing = Estimate.undefined(reason if context.rule.positive else NOT_NAMED, n)
            return nothing, nothing
    return (
        sensitivity(context, np.flatnonzero(inside)),
        sensitivity(context, np.flatnonzero(outside)),
    )


def _balanced_accuracies(
    context: AuditContext, inside: NDArray[np.bool_], outside: NDArray[np.bool_]
) -> tuple[Estimate, Estimate]:
    """Returns the value of either side, over the classes that both have."""
    classes = len(context.rule.classes)
    counts = [np.bincount(context.truth[side], minlength=classes) for side in (inside, outside)]
    shared = np.flatnonzero((np.stack(counts) >= MIN_IMAGES).all(axis=0))
    if len(shared) < 2:
        reason = f"fewer than two classes have {MIN_IMAGES} images in the subgroup and in the rest"
        nothing = Estimate.undefined(reason, int(inside.sum()))
        return nothing, nothing
    values = []
    for side in (inside, outside):
        numbers = np.flatnonzero(side & np.isin(context.truth, shared))
        values.append(balanced_accuracy(context, numbers, context.sample.decided[numbers]))
    return values[0], values[1]


def _row(each: Gap) -> tuple[Cell, ...]:
    return (each.trait, each.name, each.n, each.metric, each.inside, each.rest, each.gap)
