"""Performance at other hospitals: the expected AUC, and the AUC at external sources.

Ong Ly et al. 2024 estimate the external AUC without external data: the internal AUC, minus that of
the same network trained on images with shuffled pixels, plus one half. Shuffled pixels keep only
the grey histogram, so here a support vector machine on the histogram takes the place of the second
network, which saves a training. It does not find a shortcut that has a shape, such as a side
marker; then the estimate is too high.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pulmo import stats
from pulmo.audit.baselines import BASELINES, fit_baseline
from pulmo.audit.check import Message, Outcome, check
from pulmo.audit.check_result import Cell, Table, Verdict
from pulmo.audit.context import AuditContext
from pulmo.audit.learners import NoBaseline
from pulmo.audit.provenance import provenance, unknown_provenance
from pulmo.audit.screening import is_positive, require_positive
from pulmo.stats.estimate import Estimate

CHANCE: Final = 0.5

MEAN_ERROR: Final = 0.14
"""Mean absolute error of the estimate between public sets (`benchmarks/external.py`)."""

_TITLE: Final = "AUC of the positive classes at external sources"
_COLUMNS: Final = ("source", "images", "AUC", "expected minus found")

_ONE_SIDE: Final = "all its images are positive, or all are negative"


class _TestRows(NamedTuple):
    """The test images.

    Attributes:
        score: probability of the positive classes, [n].
        positive: whether the class is one of them, [n].
        external: whether the source is known to have no training image, [n].
        internal: whether the source is known to have training images, [n].
    """

    score: NDArray[np.float64]
    positive: NDArray[np.bool_]
    external: NDArray[np.bool_]
    internal: NDArray[np.bool_]


@check(
    "external",
    question="Does the model work at hospitals without training images?",
    statement="At external sources the positive classes are recognised better than by chance.",
)
def external(context: AuditContext) -> Outcome:
    """Fails if the AUC at an external source reaches chance; warns if the expected AUC does."""
    require_positive(context)
    context.require_scores()
    where = provenance(context)
    test = _TestRows(
        context.decisions.positive_probability,
        is_positive(context),
        where.external,
        where.internal,
    )
    expected, values = _expected(context, test)
    rows: list[tuple[Cell, ...]] = []
    for source in sorted(set(context.called[test.external])):
        at = (context.called == source).to_numpy(bool) & test.external
        found = stats.auc(
            test.positive[at], test.score[at], context.groups[at], undefined=_ONE_SIDE
        )
        rows.append((source, int(at.sum()), found, stats.difference(expected, found)))
        values[source] = found
    table = Table(title=_TITLE, columns=_COLUMNS, rows=tuple(rows))
    verdict, messages = _conclusion(expected, [values[str(row[0])] for row in rows])
    if where.unknown:
        messages.append(unknown_provenance(where.unknown, len(context.rows)))
    return Outcome(verdict, tuple(messages), values, (table,) if rows else ())


def _expected(context: AuditContext, test: _TestRows) -> tuple[Estimate, dict[str, Estimate]]:
    """Returns the expected external AUC, with the values that it is computed from."""
    try:
        baseline = fit_baseline(context, BASELINES["histogram"], np.flatnonzero(test.internal))
    except NoBaseline as reason:
        expected = Estimate.undefined(f"no histogram baseline could be fitted: {reason}")
        return expected, {"expected": expected}
    at = baseline.numbers
    shuffled = context.rule.positive_probability(baseline.probabilities)
    positive, groups = test.positive[at], context.groups[at]
    difference = stats.auc_difference(
        positive, np.stack([test.score[at], shuffled]), groups
    ).estimate
    low, value, high = (
        None if end is None else min(max(end + CHANCE, 0.0), 1.0)
        for end in (difference.low, difference.value, difference.high)
    )
    expected = Estimate(value, low, high, difference.n, difference.reason)
    return expected, {
        "expected": expected,
        "internal": stats.auc(positive, test.score[at], groups, undefined=_ONE_SIDE),
        "histogram": stats.auc(positive, shuffled, groups, undefined=_ONE_SIDE),
    }


def _conclusion(expected: Estimate, found: list[Estimate]) -> tuple[Verdict, list[Message]]:
    # An area of 1 has no interval, and yet it is no chance.
    known = [each for each in found if each.low is not None or each.value == 1]
    text = f"The expected AUC at another hospital is {expected.in_text} (Ong Ly et al. 2024)."
    if expected.value is not None:
        text += f" Between public data sets the mean error of this method was {MEAN_ERROR}."
    messages = [Message("expected-auc", text)]
    if known:
        worst = min(known, key=_low)
        text = f"The lowest AUC at an external source is {worst.in_text}; chance is {CHANCE}."
        messages.append(Message("external-auc", text))
        return ("passes" if _low(worst) > CHANCE else "fails"), messages
    text = (
        "No test image is known to be from an external source. Test the model on images of a "
        "hospital without training images."
    )
    messages.append(Message("no-external-source", text))
    low = expected.low is not None and expected.low <= CHANCE
    return ("warns" if low else "could_not_run"), messages


def _low(found: Estimate) -> float:
    return 1.0 if found.low is None else found.low
