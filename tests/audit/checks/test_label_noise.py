from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import softmax

from pulmo.audit.checks.label_noise import MAX_LISTED, doubtful_labels, label_noise
from pulmo.audit.context import AuditContext

Rows = Callable[..., pd.DataFrame]
Tell = Callable[..., AuditContext]


def planted(
    generator: np.random.Generator, n: int, flipped: float, skill: float = 4.0
) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.bool_]]:
    """Returns labels, some of them flipped, a model's probabilities, and which were flipped."""
    truth = generator.integers(2, size=n)
    logits = generator.normal(size=(n, 2))
    logits[np.arange(n), truth] += skill
    flips = generator.random(n) < flipped
    return np.where(flips, 1 - truth, truth), softmax(logits, axis=1), flips


def names(labels: NDArray[np.intp]) -> list[str]:
    return [("normal", "covid")[label] for label in labels]


def test_fires_on_planted_flips_and_finds_them(
    make_rows: Rows, tell: Tell, generator: np.random.Generator
) -> None:
    labels, table, flips = planted(generator, 1000, 0.08)
    result = label_noise(tell(make_rows(names(labels)), table))
    assert result.verdict == "warns"
    doubts = doubtful_labels(table, labels)
    assert flips[doubts].mean() > 0.95
    assert flips[doubts].sum() / flips.sum() > 0.8
    assert result.metrics["doubtful"].value == len(doubts) / 1000
    assert len(result.images) == MAX_LISTED
    assert result.images == tuple(f"{row:06}.png" for row in doubts[:MAX_LISTED])
    assert flips[doubts[:MAX_LISTED]].all()
    assert result.kinds == ("doubtful-labels",)
    first = result.tables[0].rows[0]
    assert {first[2], first[3]} == {"normal", "covid"}


def test_silent_where_nothing_was_flipped(
    make_rows: Rows, tell: Tell, generator: np.random.Generator
) -> None:
    labels, table, _ = planted(generator, 1000, 0.0)
    result = label_noise(tell(make_rows(names(labels)), table))
    assert result.verdict == "passes"
    assert (result.metrics["doubtful"].value or 0) < 0.01


def test_no_doubts_are_no_table(make_rows: Rows, tell: Tell) -> None:
    table = np.tile([[0.9, 0.1], [0.1, 0.9]], (20, 1))
    result = label_noise(tell(make_rows(["normal", "covid"] * 20), table))
    assert result.verdict == "passes"
    assert result.tables == ()
    assert result.images == ()


def test_the_confident_joint_by_hand() -> None:
    # Thresholds: 0.6 for the first class, (0.5 + 0.8) / 2 for the second, none for the third.
    table = np.array([[0.9, 0.05, 0.05], [0.3, 0.68, 0.02], [0.2, 0.5, 0.3], [0.15, 0.8, 0.05]])
    doubts = doubtful_labels(table, np.array([0, 0, 1, 1]))
    assert doubts.tolist() == [1]


def test_the_order_is_by_the_margin() -> None:
    table = np.array([[0.95, 0.05]] * 8 + [[0.05, 0.95]] * 8 + [[0.02, 0.98], [0.04, 0.96]])
    doubts = doubtful_labels(table, np.array([0] * 8 + [1] * 8 + [0, 0]))
    assert doubts.tolist() == [16, 17]


def test_unknown_where_it_would_say_nothing(
    make_rows: Rows, tell: Tell, generator: np.random.Generator
) -> None:
    labels, table, _ = planted(generator, 200, 0.0, skill=0.1)
    result = label_noise(tell(make_rows(names(labels)), table))
    assert result.verdict == "could_not_run"
    assert result.kinds == ("low-accuracy",)
    result = label_noise(tell(make_rows(["normal"] * 9 + ["covid"] * 30), table[:39]))
    assert result.kinds == ("few-images",)
