from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.special import expit, logit
from sklearn.metrics import brier_score_loss

from pulmo.audit.checks.calibration import calibration
from pulmo.audit.context import AuditContext

Rows = Callable[..., pd.DataFrame]
Tell = Callable[..., AuditContext]


@pytest.fixture
def right(generator: np.random.Generator) -> NDArray[np.float64]:
    """The true probabilities that images are positive."""
    return np.asarray(expit(generator.normal(size=800, scale=2)))


@pytest.fixture
def labels(right: NDArray[np.float64], generator: np.random.Generator) -> list[str]:
    """Labels that are drawn from them."""
    return [("normal", "covid")[int(drawn)] for drawn in generator.random(800) < right]


def both(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([1 - scores, scores], axis=1)


def test_silent_where_the_probabilities_are_right(
    make_rows: Rows, tell: Tell, labels: list[str], right: NDArray[np.float64]
) -> None:
    result = calibration(tell(make_rows(labels), both(right)))
    assert result.verdict == "passes"
    truth = np.array(labels) == "covid"
    brier = result.metrics["Brier score"].value
    assert brier == pytest.approx(brier_score_loss(truth, right), abs=1e-6)
    hits = truth == (right > 0.5)
    excess = (np.maximum(right, 1 - right) - hits).mean()
    assert result.metrics["confidence minus accuracy"].value == pytest.approx(excess, abs=1e-6)
    assert len(result.tables[0].rows) == 1
    assert result.kinds == ("calibration",)
    assert "(1.00)" in result.conclusion


def test_fires_on_a_model_that_is_too_sure(
    make_rows: Rows, tell: Tell, labels: list[str], right: NDArray[np.float64]
) -> None:
    result = calibration(tell(make_rows(labels), both(expit(3 * logit(right)))))
    assert result.verdict == "fails"
    assert result.kinds == ("calibration", "overconfident")
    assert "all sources" in result.conclusion
    assert result.metrics["slope"].value == pytest.approx(1 / 3, abs=0.06)


def test_warns_of_one_that_is_too_timid(
    make_rows: Rows, tell: Tell, labels: list[str], right: NDArray[np.float64]
) -> None:
    result = calibration(tell(make_rows(labels), both(expit(0.5 * logit(right)))))
    assert result.verdict == "warns"
    assert result.kinds == ("calibration", "miscalibrated")
    assert "all sources" in result.conclusion


def test_fires_on_one_source_where_it_is_too_sure(
    make_rows: Rows, tell: Tell, labels: list[str], right: NDArray[np.float64]
) -> None:
    rows = make_rows(labels)
    rows["source"] = ["far"] * 200 + ["near"] * 590 + ["tiny"] * 10
    shifted = right.copy()
    shifted[:200] = expit(5 * logit(right[:200]))
    result = calibration(tell(rows, both(shifted)))
    assert result.verdict == "fails"
    assert "far" in result.messages[1].text
    assert [row[0] for row in result.tables[0].rows] == ["all sources", "far", "near"]
    assert "near" not in result.messages[1].text


def test_a_certain_model_has_finite_odds(
    make_rows: Rows, tell: Tell, labels: list[str], right: NDArray[np.float64]
) -> None:
    result = calibration(tell(make_rows(labels), both((right > 0.5).astype(float))))
    assert result.verdict == "fails"
    assert result.metrics["slope"].value is not None


def test_where_all_is_sure_and_right_nothing_varies(make_rows: Rows, tell: Tell) -> None:
    rows = make_rows(["normal", "covid"] * 20)
    result = calibration(tell(rows, np.tile([[1.0, 0.0], [0.0, 1.0]], (20, 1))))
    assert result.metrics["calibration error"].low is None
    assert result.metrics["slope"].value is None


def test_unknown_with_few(make_rows: Rows, tell: Tell) -> None:
    rows = make_rows(["covid"] * 30).assign(group=["a", "b"] * 15)
    result = calibration(tell(rows, np.full((30, 2), 0.5)))
    assert result.verdict == "could_not_run"
    assert result.kinds == ("few-images",)
