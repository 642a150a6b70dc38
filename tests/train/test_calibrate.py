import numpy as np
import pytest
from scipy.stats import binomtest

from pulmo.core.recipe import Recipe, load_recipe
from pulmo.train.calibrate import choose_threshold, decide, fit_temperature


@pytest.fixture
def recipe() -> Recipe:
    return load_recipe("demo")


def drawn(temperature: float) -> tuple[np.ndarray, np.ndarray]:
    """Logits whose true probabilities are softmax(logits / temperature), and drawn classes."""
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(20000, 4)).astype(np.float32) * 3
    gumbel = generator.gumbel(size=logits.shape)
    return logits, (logits / temperature + gumbel).argmax(1)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_that_made_the_classes_is_found(temperature: float) -> None:
    logits, truth = drawn(temperature)
    assert fit_temperature(logits, truth) == pytest.approx(temperature, rel=0.05)


def test_a_perfect_model_gets_the_lowest_temperature() -> None:
    logits = np.eye(4, dtype=np.float32)
    assert fit_temperature(logits, np.arange(4)) == pytest.approx(0.05, rel=0.05)


def test_the_threshold_is_the_highest_that_reaches_the_sensitivity() -> None:
    generator = np.random.default_rng(1)
    for _ in range(50):
        scores = generator.random(101).round(2)
        positive = generator.random(101) < 0.4
        wanted = generator.uniform(0.5, 0.99)
        threshold = choose_threshold(scores, positive, wanted)
        assert (scores[positive] >= threshold).mean() >= wanted - 1e-9
        reached = scores[scores >= threshold].min()
        if (scores[positive] > reached).any():
            assert (scores[positive] > reached).mean() < wanted


def test_a_sensitivity_that_is_just_reached_counts() -> None:
    scores = np.arange(20) / 20
    assert choose_threshold(scores, np.ones(20, bool), 0.95) == (scores[0] + scores[1]) / 2


def test_the_threshold_lies_between_two_scores() -> None:
    scores = np.array([0.2, 0.4, 0.6, 0.8])
    positive = np.array([False, True, False, True])
    assert choose_threshold(scores, positive, 0.9) == pytest.approx(0.3)
    assert choose_threshold(scores[1:], positive[1:], 0.9) == pytest.approx(0.2)


def test_a_decision_says_what_it_does(recipe: Recipe) -> None:
    logits = np.array([[4, 0, 0, 0]] * 9 + [[0, 4, 0, 0]] * 3, np.float32)
    truth = np.array([0] * 8 + [1] + [0, 1, 1])
    decision = decide(recipe, logits, truth, 1.0)
    low, high = binomtest(9, 9).proportion_ci(method="wilson")
    assert decision.positive == ("covid",)
    assert decision.aim == 0.9
    assert decision.sensitivity == pytest.approx((1.0, low, high, 9, None)) or (
        decision.sensitivity[:4] == pytest.approx((1.0, low, high, 9))
    )
    assert decision.specificity[:1] == (0.0,)
    assert decision.specificity.n == 3


def test_without_negatives_the_specificity_is_undefined(recipe: Recipe) -> None:
    decision = decide(recipe, np.eye(4, dtype=np.float32)[:1], np.array([0]), 1.0)
    assert decision.specificity.value is None
    assert decision.specificity.reason
