import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator

from pulmo.bundle.outcome import probabilities
from pulmo.decide.temperature import fit_temperature


class Logits(ClassifierMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """A classifier whose decision function is what it is given."""

    def fit(self, _: NDArray[np.float64], y: NDArray[np.int64]) -> "Logits":
        self.classes_ = np.unique(y)
        return self

    def predict(self, x: NDArray[np.float64]) -> NDArray[np.int64]:
        return np.asarray(self.classes_[x.argmax(1)])

    def decision_function(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        return x


def drawn(temperature: float, n: int = 20000) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Logits whose true probabilities are softmax(logits / temperature), and drawn classes."""
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(n, 4)).astype(np.float32) * 3
    gumbel = generator.gumbel(size=logits.shape)
    return logits, (logits / temperature + gumbel).argmax(1)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_that_made_the_classes_is_found(temperature: float) -> None:
    logits, truth = drawn(temperature)
    assert fit_temperature(logits, truth) == pytest.approx(temperature, rel=0.05)


@pytest.mark.parametrize("temperature", [0.4, 2.5])
def test_the_probabilities_are_those_of_scikit_learn(temperature: float) -> None:
    logits, truth = drawn(temperature, 500)
    wide = logits.astype(np.float64)
    frozen = FrozenEstimator(Logits().fit(wide, truth))
    theirs = CalibratedClassifierCV(frozen, method="temperature").fit(wide, truth)
    ours = probabilities(logits, fit_temperature(logits, truth))
    assert ours == pytest.approx(theirs.predict_proba(wide), abs=1e-5)
    assert ours == pytest.approx(softmax(wide / fit_temperature(logits, truth), axis=1))


def test_a_perfect_model_gets_the_lowest_temperature() -> None:
    logits = np.eye(4, dtype=np.float32)
    assert fit_temperature(logits, np.arange(4)) == pytest.approx(0.05, rel=0.05)
