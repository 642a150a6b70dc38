from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score

from pulmo.audit.accuracy import accuracy, balanced_accuracy, balanced_difference, chance, skill
from pulmo.audit.context import AuditContext
from pulmo.datasets.inspect.confounding import confounding_of
from pulmo.datasets.inspect.facts import file_facts
from pulmo.decide.thresholds import rates
from pulmo.predictions.predictions import Predictions
from pulmo.stats.estimate import Estimate
from pulmo.stats.estimates import estimate_metrics
from pulmo.stats.proportions import wilson


def test_shares_of_some_rows(
    make_rows: Callable[..., pd.DataFrame],
    tell: Callable[..., AuditContext],
    generator: np.random.Generator,
) -> None:
    context = tell(make_rows(["normal"] * 30 + ["covid"] * 10), np.full((40, 2), 0.5))
    numbers = np.arange(5, 40)
    one, two = generator.integers(2, size=(2, 35))
    truth = context.truth[numbers]
    plain = accuracy(context, numbers, one)
    assert plain.value == pytest.approx(accuracy_score(truth, one))
    balanced = [balanced_accuracy(context, numbers, each).value for each in (one, two)]
    expected = [balanced_accuracy_score(truth, each) for each in (one, two)]
    assert balanced == pytest.approx(expected)
    difference = balanced_difference(context, numbers, one, two)
    assert difference.estimate.value == pytest.approx(expected[0] - expected[1])
    # Where all are right each group counts once.
    assert accuracy(context, numbers, truth)[1:3] == pytest.approx(wilson(1.0, 35))


def test_skill_is_the_adjusted_balanced_accuracy(
    make_rows: Callable[..., pd.DataFrame],
    tell: Callable[..., AuditContext],
    generator: np.random.Generator,
) -> None:
    rows = make_rows(["normal"] * 30 + ["covid"] * 60)
    context = tell(rows, generator.dirichlet([1, 1], 90))
    numbers, decided = np.arange(90), context.sample.decided
    found = skill(balanced_accuracy(context, numbers, decided), chance(context, numbers))
    expected = balanced_accuracy_score(context.truth, decided, adjusted=True)
    assert found.value == pytest.approx(expected)
    assert found.low is not None
    assert found.high is not None
    assert found.low < expected < found.high
    assert chance(context, np.arange(30)) == 1.0


def test_skill_keeps_what_is_undefined() -> None:
    assert skill(Estimate(0.75, None, None, 9, "why"), 0.5) == (0.5, None, None, 9, "why")


def test_card_evaluation_audit_and_inspection_give_one_interval(
    make_rows: Callable[..., pd.DataFrame],
    tell: Callable[..., AuditContext],
    validate: Callable[..., Predictions],
    generator: np.random.Generator,
) -> None:
    """40 images of 20 patients, two of each, which are both right (30) or both wrong."""
    patients, everyone = np.arange(20).repeat(2), np.arange(40)
    covid, wrong = patients % 2 == 0, patients >= 15
    seen_as_covid = covid ^ wrong
    rows = make_rows(np.where(covid, "covid", "normal").tolist()).assign(
        group=[f"patient {number}" for number in patients], view=np.where(seen_as_covid, "PA", "AP")
    )
    context = tell(rows, np.where(seen_as_covid[:, None], [0.1, 0.9], [0.9, 0.1]))
    decided = context.sample.decided
    evaluated = estimate_metrics(context.sample, 100, generator).overall["accuracy"]
    # The view tells what the model decides, and a tree of other patients guesses by it.
    inspected = confounding_of(rows, file_facts(rows), generator).clues["view"].accuracy
    validated = validate((~wrong).astype(float), np.ones(40, np.bool_), patients)
    card = rates(validated, 0.5)[0]
    found = [card, evaluated, accuracy(context, everyone, decided), inspected]
    assert set(found) == {card}
    assert found[0][:4] == pytest.approx((0.75, 0.5197, 0.8919, 40), abs=1e-3)
