"""What may be expected at another hospital, and what was found at those that are there.

Ong Ly et al. 2024 estimate the AUC on external data without any: the AUC inside, less that of the
same network trained on images whose pixels are shuffled, plus one half. What shuffled pixels
still show is how often each grey occurs, so that here a support vector machine on the grey
histogram takes the place of the second network, which spares a training. It finds what can be told
without any shape; a shortcut that has a shape, such as a side marker, it does not find, and then
the estimate is too high.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pulmo import stats
from pulmo.audit.check import Answer, check
from pulmo.audit.context import AuditContext
from pulmo.audit.finding import Cell, Table, Verdict
from pulmo.audit.floors import FLOORS, Unfit, fit_floor
from pulmo.audit.outside import unsure_sentence, whereabouts
from pulmo.audit.screening import is_positive, require_positive
from pulmo.stats.estimate import Estimate

CHANCE: Final = 0.5

ERROR: Final = 0.14
"""Mean absolute error of the estimate between public sets (`benchmarks/external.py`)."""

_TITLE: Final = "AUC of the positive classes at sources that the training does not have"
_COLUMNS: Final = ("source", "images", "AUC", "estimate less AUC")

_ONE_SIDE: Final = "its images are all positive, or all negative"


class _Sides(NamedTuple):
    """The judged rows.

    Attributes:
        score: probability of the positive classes, [n].
        positive: whether the class is one of them, [n].
        foreign: whether the source is one that the training does not have, [n].
        own: whether the source is one that the training has too, [n]; that, too, may be unknown.
    """

    score: NDArray[np.float64]
    positive: NDArray[np.bool_]
    foreign: NDArray[np.bool_]
    own: NDArray[np.bool_]


@check(
    "external",
    question="What may be expected at another hospital?",
    claim="tells its positive classes from the others where it was not trained",
)
def external(context: AuditContext) -> Answer:
    """Fails where a source outside shows no more than chance; warns where the estimate does."""
    require_positive(context)
    where = whereabouts(context)
    sides = _Sides(
        context.decisions.positive_probability,
        is_positive(context),
        where.outside,
        where.inside,
    )
    estimate, figures = _estimated(context, sides)
    rows: list[tuple[Cell, ...]] = []
    for source in sorted(set(context.called[sides.foreign])):
        at = (context.called == source).to_numpy(bool) & sides.foreign
        found = stats.auc(
            sides.positive[at], sides.score[at], context.groups[at], undefined=_ONE_SIDE
        )
        rows.append((source, int(at.sum()), found, stats.difference(estimate, found)))
        figures[source] = found
    table = Table(title=_TITLE, columns=_COLUMNS, rows=tuple(rows))
    verdict, sentence = _judged(estimate, [figures[str(row[0])] for row in rows])
    if unsure := int((~sides.foreign & ~sides.own).sum()):
        sentence += f" {unsure_sentence(unsure, len(context.rows))}"
    return Answer(verdict, sentence, figures, (table,) if rows else ())


def _estimated(context: AuditContext, sides: _Sides) -> tuple[Estimate, dict[str, Estimate]]:
    """Returns the estimate, with the figures that it is made of."""
    inside = np.flatnonzero(sides.own)
    try:
        floor = fit_floor(context, FLOORS["histogram"], inside)
    except Unfit as reason:
        estimate = Estimate.undefined(f"no floor could be fitted: {reason}")
        return estimate, {"estimate": estimate}
    at = floor.numbers
    shuffled = context.rule.positive_probability(floor.probabilities)
    positive, groups = sides.positive[at], context.groups[at]
    difference = stats.auc_difference(
        positive, np.stack([sides.score[at], shuffled]), groups
    ).estimate
    low, value, high = (
        None if end is None else min(max(end + CHANCE, 0.0), 1.0)
        for end in (difference.low, difference.value, difference.high)
    )
    estimate = Estimate(value, low, high, difference.n, difference.reason)
    return estimate, {
        "estimate": estimate,
        "inside": stats.auc(positive, sides.score[at], groups, undefined=_ONE_SIDE),
        "histogram": stats.auc(positive, shuffled, groups, undefined=_ONE_SIDE),
    }


def _judged(estimate: Estimate, found: list[Estimate]) -> tuple[Verdict, str]:
    # An area of 1 has no interval, and yet it is no chance.
    known = [each for each in found if each.low is not None or each.value == 1]
    words = f"The AUC that may be expected outside is {estimate}, after Ong Ly et al. 2024"
    if estimate.value is not None:
        words += f"; between public sets that was off by {ERROR} on average"
    words += "."
    if known:
        worst = min(known, key=_least)
        words += f" The lowest at a source that the training does not have is {worst}."
        return ("passes" if _least(worst) > CHANCE else "fails"), words
    words += (
        " No source is known here that the training does not have, so that it cannot be tested."
    )
    low = estimate.low is not None and estimate.low <= CHANCE
    return ("warns" if low else "unknown"), words


def _least(found: Estimate) -> float:
    return 1.0 if found.low is None else found.low
