from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from pulmo.audit.checks.degenerate import degenerate
from pulmo.audit.context import AuditContext

Rows = Callable[..., pd.DataFrame]
Tell = Callable[..., AuditContext]

LABELS = ["normal"] * 50 + ["covid"] * 50


@pytest.fixture
def scores(generator: np.random.Generator) -> NDArray[np.float64]:
    """Probabilities of covid, most of them right and no two the same."""
    drawn = generator.uniform(0.02, 0.6, 100)
    return np.where(np.arange(100) < 50, drawn, 1 - drawn)


def both(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([1 - scores, scores], axis=1)


def test_silent_on_results_that_depend_on_the_image(
    make_rows: Rows, tell: Tell, scores: NDArray[np.float64]
) -> None:
    result = degenerate(tell(make_rows(LABELS), both(scores)))
    assert result.verdict == "passes"
    assert result.metrics["repeated"].value == result.metrics["saturated"].value == 0
    first = result.tables[0].rows[0]
    assert first[:3] == ("normal", 50, int((scores < 0.5).sum()))
    assert first[4] == f"{np.median(1 - scores):.3f}"


def test_fires_on_constant_probabilities(
    make_rows: Rows, tell: Tell, generator: np.random.Generator
) -> None:
    result = degenerate(tell(make_rows(LABELS), both(0.5 + generator.uniform(-4e-3, 4e-3, 100))))
    assert result.verdict == "fails"
    assert "constant" in result.kinds


def test_fires_on_a_class_that_always_wins(
    make_rows: Rows, tell: Tell, generator: np.random.Generator
) -> None:
    result = degenerate(tell(make_rows(LABELS), both(generator.uniform(0.6, 0.9, 100))))
    assert result.verdict == "fails"
    assert result.kinds == ("never-a-class", "always-one-class", "useless-threshold")
    assert "covid for 100 % of the images; 50 % are covid" in result.conclusion
    assert "normal; 50 are normal" in result.conclusion


def test_no_image_may_reach_the_threshold(
    make_rows: Rows, tell: Tell, generator: np.random.Generator
) -> None:
    result = degenerate(tell(make_rows(LABELS), both(generator.uniform(0.1, 0.4, 100))))
    assert "useless-threshold" in result.kinds


def test_one_class_that_is_all_there_is_may_always_win(
    make_rows: Rows, tell: Tell, generator: np.random.Generator
) -> None:
    rows = make_rows(["covid"] * 100)
    assert degenerate(tell(rows, both(generator.uniform(0.6, 0.9, 100)))).verdict == "passes"


def test_a_scarce_class_that_never_wins_warns(
    make_rows: Rows, tell: Tell, scores: NDArray[np.float64]
) -> None:
    few = make_rows(["normal"] * 50 + ["covid"])
    result = degenerate(tell(few, both(np.minimum(scores[:51], 0.45))))
    assert result.verdict == "fails"  # all are called normal, though not quite all are
    rows = make_rows(["normal"] * 49 + ["covid"] * 2)
    result = degenerate(tell(rows, both(np.minimum(scores[:51], 0.45))))
    assert "never-a-class" in result.kinds
    assert "covid; 2 are covid" in result.conclusion


def test_saturation_warns(make_rows: Rows, tell: Tell, scores: NDArray[np.float64]) -> None:
    hard = np.where(scores > 0.5, 1 - 1e-6 * scores, 1e-6 * scores)
    result = degenerate(tell(make_rows(LABELS), both(hard)))
    assert result.verdict == "warns"
    assert result.kinds == ("saturated",)


def test_results_of_different_images_that_repeat_fire(
    make_rows: Rows, tell: Tell, scores: NDArray[np.float64]
) -> None:
    scores[:10] = scores[0]
    result = degenerate(tell(make_rows(LABELS), both(scores)))
    assert result.verdict == "fails"
    assert result.kinds == ("repeated",)
    assert "10 of 100" in result.conclusion
    assert result.images == tuple(f"{number:06}.png" for number in range(10))


def test_a_single_repeat_among_many_warns(
    make_rows: Rows, tell: Tell, generator: np.random.Generator
) -> None:
    scores = np.where(np.arange(400) < 200, 0, 1) * 0.4 + generator.uniform(0.05, 0.55, 400)
    scores[:2] = scores[0]
    result = degenerate(tell(make_rows(["normal"] * 200 + ["covid"] * 200), both(scores)))
    assert result.verdict == "warns"


def test_copies_may_have_the_same_result(
    make_rows: Rows, tell: Tell, scores: NDArray[np.float64]
) -> None:
    context = tell(make_rows(LABELS), both(scores))
    context.images[1] = context.images[0]
    assert degenerate(context).verdict == "passes"


def test_unknown_where_no_class_has_enough(make_rows: Rows, tell: Tell) -> None:
    result = degenerate(tell(make_rows(["normal", "covid"]), both(np.array([0.2, 0.8]))))
    assert result.verdict == "could_not_run"
    assert result.kinds == ("few-images",)
