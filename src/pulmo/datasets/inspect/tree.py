"""The tree: a shallow decision tree that guesses the class from facts, cross-validated by group."""

from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.preprocessing import TargetEncoder
from sklearn.tree import DecisionTreeClassifier

DEPTH: Final = 3
FOLDS: Final = 5

_SMOOTHING: Final = 10.0
"""Images that the rates of the whole weigh against those of one word."""


def draw_folds(labels: NDArray[np.str_], groups: NDArray[np.intp], seed: int) -> NDArray[np.intp]:
    """Returns the fold of each image, by group and stratified by label.

    Args:
        labels: class of each image, [n]; each has images of five or more groups.
        groups: group of each image, [n].
        seed: of the draw.
    """
    folds = np.empty(len(labels), np.intp)
    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    for fold, (_, held_out) in enumerate(splitter.split(labels, labels, groups)):
        folds[held_out] = fold
    return folds


class Guesses(NamedTuple):
    """The class that a tree guesses for each image, str [n], without and with equal weights.

    Attributes:
        plain: of a tree to which all images weigh alike.
        balanced: of a tree to which all classes weigh alike.
    """

    plain: NDArray[np.str_]
    balanced: NDArray[np.str_]


def guess(
    facts: pd.DataFrame, labels: NDArray[np.str_], folds: NDArray[np.intp], seed: int
) -> Guesses:
    """Guesses the class of each image by trees that were fitted on the other folds.

    A word, such as a source, becomes the rates of the classes among the images that have it in
    the other folds, each drawn a little to the rates of all.

    Args:
        facts: numbers and words, without nulls, [n, columns].
        labels: class of each image, [n].
        folds: fold of each image, [n].
        seed: decides between equally good splits of a tree.
    """
    words = [name for name in facts if not pd.api.types.is_numeric_dtype(facts[name])]
    numbers = facts.drop(columns=words).to_numpy(float)
    texts = facts[words].to_numpy(object)
    guesses = Guesses(np.empty_like(labels), np.empty_like(labels))
    for fold in np.unique(folds):
        fit, held_out = folds != fold, folds == fold
        inputs = np.hstack([numbers, _rates(texts, labels, fit)]) if words else numbers
        for weight, guessed in zip((None, "balanced"), guesses, strict=True):
            tree = DecisionTreeClassifier(max_depth=DEPTH, random_state=seed, class_weight=weight)
            guessed[held_out] = tree.fit(inputs[fit], labels[fit]).predict(inputs[held_out])
    return guesses


def _rates(
    texts: NDArray[np.object_], labels: NDArray[np.str_], fit: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Returns the rates of the classes among the images of `fit` with each word."""
    encoder = TargetEncoder(smooth=_SMOOTHING)
    rates: NDArray[np.float64] = encoder.fit(texts[fit], labels[fit]).transform(texts)
    return rates
