"""The temperature that calibrates logits."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax


def fit_temperature(logits: NDArray[np.float32], truth: NDArray[np.int64]) -> float:
    """Returns the temperature in [0.05, 20] with the lowest log loss (Guo et al. 2017).

    It is that of scikit-learn's `CalibratedClassifierCV(method="temperature")` but for the ends,
    which keep the probabilities of a network that is right on all images from becoming 0 and 1.

    Args:
        logits: float [n, classes].
        truth: int [n], the class of each image.
    """

    def loss(log_temperature: float) -> float:
        scaled = log_softmax(logits.astype(np.float64) / math.exp(log_temperature), axis=1)
        return -float(scaled[np.arange(len(truth)), truth].mean())

    bounds = (math.log(0.05), math.log(20))
    return float(math.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x))
