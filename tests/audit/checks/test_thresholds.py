from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pulmo.audit.checks.thresholds import thresholds
from pulmo.audit.context import AuditContext
from pulmo.bundle.card import Card
from pulmo.stats.estimate import Estimate
from pulmo.stats.proportions import wilson

Rows = Callable[..., pd.DataFrame]
Tell = Callable[..., AuditContext]


def said(found: float, spared: float, n: int = 500) -> NDArray[np.float64]:
    """Returns what a model says of n negatives and n positives that is right so often."""
    numbers = np.arange(n)
    scores = np.concatenate([numbers >= round(spared * n), numbers < round(found * n)])
    return np.stack([0.9 - 0.8 * scores, 0.1 + 0.8 * scores], axis=1)


def rows_of(make_rows: Rows, n: int = 500) -> pd.DataFrame:
    return make_rows(["normal"] * n + ["covid"] * n)


def test_silent_where_the_promise_is_kept(make_rows: Rows, tell: Tell) -> None:
    result = thresholds(tell(rows_of(make_rows), said(0.98, 0.9)))
    assert result.verdict == "passes"
    estimate = result.metrics["sensitivity"]
    assert estimate[:2] == (0.98, wilson(0.98, 500)[0])
    assert result.metrics["specificity"].value == 0.9
    assert result.kinds == ("values",)
    assert "0.95" in result.conclusion


def test_fires_where_the_sensitivity_is_significantly_below_its_aim(
    make_rows: Rows, tell: Tell
) -> None:
    result = thresholds(tell(rows_of(make_rows), said(0.9, 0.9)))
    assert result.verdict == "fails"
    assert "sensitivity-below-aim" in result.kinds


def test_warns_where_the_aim_is_not_significantly_reached(make_rows: Rows, tell: Tell) -> None:
    result = thresholds(tell(rows_of(make_rows), said(0.95, 0.9)))
    assert result.verdict == "warns"
    assert "sensitivity-uncertain" in result.kinds


def test_lost_specificity_warns_and_much_of_it_fails(
    make_rows: Rows, tell: Tell, make_card: Callable[..., Card]
) -> None:
    # The validation's specificity is known to a hundredth, so that the test's decides.
    card = make_card()
    decision = card.decision.model_copy(update={"specificity": Estimate(0.9, 0.89, 0.91, 5000)})
    card = card.model_copy(update={"decision": decision})
    for spared, verdict, kind in (
        (0.85, "warns", "specificity-lower"),
        (0.7, "fails", "specificity-much-lower"),
    ):
        result = thresholds(tell(rows_of(make_rows), said(0.99, spared), card=card))
        assert result.verdict == verdict
        assert kind in result.kinds


def test_each_part_has_its_own_threshold(
    make_rows: Rows, tell: Tell, make_card: Callable[..., Card]
) -> None:
    card = make_card()
    high = card.decision.model_copy(update={"threshold": 0.95})
    first = tell(rows_of(make_rows), said(1, 1))
    second = tell(rows_of(make_rows), said(1, 1), card=card.model_copy(update={"decision": high}))
    result = thresholds(type(first)([*first.parts, *second.parts], first.options))
    assert [row[:2] for row in result.tables[0].rows] == [
        ("part 1", "0.500"),
        ("part 2", "0.950"),
    ]
    assert result.metrics["sensitivity"].value == 0.5


def test_unknown_without_positives(make_rows: Rows, tell: Tell) -> None:
    result = thresholds(tell(make_rows(["normal"] * 20), np.full((20, 2), 0.5)))
    assert result.verdict == "could_not_run"
    assert result.kinds == ("no-positive-image",)


def test_one_patient_decides_nothing(make_rows: Rows, tell: Tell) -> None:
    rows = make_rows(["covid"] * 20).assign(group="one")
    result = thresholds(tell(rows, np.tile([0.1, 0.9], (20, 1))))
    assert result.verdict == "warns"
