import numpy as np
import pandas as pd
import pytest
from mapie.classification import SplitConformalClassifier
from numpy.typing import NDArray
from scipy.special import softmax
from scipy.stats import beta
from sklearn.base import BaseEstimator, ClassifierMixin

from pulmo.decide.prediction_sets import fit_sets
from pulmo.predictions.decision_rule import DecisionRule
from pulmo.predictions.predictions import Predictions

LABELS = ("a", "b", "c")


class Known(ClassifierMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """A fitted classifier whose probabilities are what it is given."""

    def __init__(self) -> None:
        self.classes_ = np.arange(3)

    def fit(self, *_: object) -> "Known":
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def predict(self, x: NDArray[np.float64]) -> NDArray[np.intp]:
        return np.asarray(x.argmax(axis=1))

    def predict_proba(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        return x


def world(generator: np.random.Generator, n: int) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Probabilities of three classes, which are too sure of themselves, and true classes."""
    truth = generator.integers(0, 3, n)
    logits = generator.normal(size=(n, 3)) + 1.5 * np.eye(3)[truth]
    return softmax(2 * logits, axis=1), truth


def seen(
    table: NDArray[np.float64], truth: NDArray[np.intp], groups: NDArray[np.intp] | None = None
) -> Predictions:
    n = len(truth)
    rows = pd.DataFrame(
        {
            "path": [f"{i}.png" for i in range(n)],
            "label": np.array(LABELS)[truth],
            "group": np.arange(n) if groups is None else groups,
            "sha256": [f"{i:064x}" for i in range(n)],
        }
    )
    rule = DecisionRule(LABELS, positive=("a",))
    return Predictions.from_probabilities(rows, table, rule)


@pytest.mark.parametrize(("n", "copies"), [(60, 1), (60, 4)])
def test_new_images_are_covered_as_often_as_was_chosen(n: int, copies: int) -> None:
    generator, draws, found = np.random.default_rng(copies), 200, []
    for _ in range(draws):
        once = world(generator, n)
        table, truth = np.repeat(once[0], copies, axis=0), np.repeat(once[1], copies)
        sets = fit_sets(seen(table, truth, np.arange(n * copies) // copies), 0.9)
        assert sets.independent == n
        new, classes = world(generator, 500)
        found.append((new[np.arange(500), classes] >= sets.least).mean())
    # Coverage over draws is Beta(n + 1 - r, r), here between 0.9 and 0.9 + 1 / (n + 1), and half a
    # rank more for the limit that lies between two images.
    spread = beta.std(n + 1 - 6, 6) / np.sqrt(draws)
    assert 0.9 - 3 * spread <= np.mean(found) <= 0.9 + 2 / (n + 1) + 3 * spread


@pytest.mark.parametrize("coverage", [0.8, 0.9, 0.95])
def test_sets_are_those_of_mapie(coverage: float) -> None:
    generator = np.random.default_rng(4)
    table, truth = world(generator, 301)
    sets = fit_sets(seen(table, truth), coverage)
    theirs = SplitConformalClassifier(
        Known(), confidence_level=coverage, conformity_score="lac", prefit=True
    )
    theirs.conformalize(table, truth)
    new, _ = world(generator, 500)
    expected = theirs.predict_set(new)[1][:, :, 0]
    ours = new >= sets.least
    # Ours may hold what lies between the last image that counts and the next one.
    true = np.sort(table[np.arange(301), truth])
    last = true[true >= sets.least].min()
    assert (ours >= expected).all()
    assert ((new >= last) == expected).all()


def test_too_few_images_rule_no_class_out() -> None:
    table, truth = world(np.random.default_rng(0), 8)
    sets = fit_sets(seen(table, truth), 0.9)
    assert (sets.least, sets.covered.value, sets.size.value) == (0.0, 1.0, 3.0)
    table, truth = world(np.random.default_rng(0), 9)
    lowest = table[np.arange(9), truth].min()
    assert fit_sets(seen(table, truth), 0.9).least == lowest / 2


def test_a_set_holds_the_classes_that_are_probable_enough() -> None:
    table, truth = world(np.random.default_rng(1), 100)
    fitted = fit_sets(seen(table, truth), 0.9)
    assert fitted.size.value == (table >= fitted.least).sum() / 100
    assert fitted.covered.value == (table[np.arange(100), truth] >= fitted.least).mean()
