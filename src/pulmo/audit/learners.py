"""The simple classifiers that shortcut baselines are: a tree, a support vector machine, a network.

Each says two things of an image: what is likeliest if the classes are as frequent as in the
training, and what is if all are equally frequent.
"""

from typing import Final, Literal, NamedTuple

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_numeric_dtype
from scipy.special import softmax
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

MIN_KNOWN: Final = 0.9
"""Share of the images whose fact must be known for a baseline to use it."""

_DEPTH: Final = 3

_COPIES: Final = 8
"""Changed copies of each thumbnail, next to itself, for fitting and for testing."""

_TURN, _SCALE, _SHIFT, _CONTRAST, _BRIGHTNESS = 5.0, 0.05, 0.75, 0.2, 0.1
"""How much a copy is changed at most: degrees, shares of the size, pixels of the thumbnail, shares
of the contrast and of the grey scale."""

_UNITS, _BATCH, _PENALTY = 64, 200, 0.1
"""Units of the hidden layer, copies in a step, and the L2 penalty."""

_EPOCHS, _STEPS = 20, 600
"""Epochs over all copies, and the steps that there are at least."""


class NoBaseline(Exception):  # noqa: N818 - it is a result of its own, not an error
    """A baseline cannot be fitted; its text is the reason, without a capital and a full stop."""


class Learnt(NamedTuple):
    """What a classifier says of n images.

    Attributes:
        plain: probabilities [n, classes that the training has], fitted for the highest accuracy.
        balanced: likewise, as if all classes were equally frequent.
    """

    plain: NDArray[np.float64]
    balanced: NDArray[np.float64]


def learn_facts(inputs: pd.DataFrame, truth: NDArray[np.intp], asked: pd.DataFrame) -> Learnt:
    """Fits trees of depth 3 on facts, as `pulmo data inspect` does.

    Args:
        inputs: facts of the training images, nullable, one row an image.
        truth: the class of each.
        asked: the facts of the images to say something of.

    Raises:
        NoBaseline: no fact is known of enough images, or all are the same.
    """
    numbers = _as_numbers(pd.concat([inputs, asked], ignore_index=True), len(inputs))
    fit, new = numbers[: len(inputs)], numbers[len(inputs) :]

    def fitted(weight: Literal["balanced"] | None) -> NDArray[np.float64]:
        tree = DecisionTreeClassifier(max_depth=_DEPTH, random_state=0, class_weight=weight)
        return np.asarray(tree.fit(fit, truth).predict_proba(new))

    return Learnt(fitted(None), fitted("balanced"))


def learn_vectors(
    inputs: NDArray[np.float32], truth: NDArray[np.intp], asked: NDArray[np.float32]
) -> Learnt:
    """Fits support vector machines on numbers [n, columns].

    Its probabilities are the softmax of its scores, which rank but are not calibrated.
    """

    def fitted(weight: Literal["balanced"] | None) -> NDArray[np.float64]:
        machine = make_pipeline(StandardScaler(), SVC(C=10.0, class_weight=weight))
        scores = np.asarray(machine.fit(inputs, truth).decision_function(asked), float)
        if scores.ndim == 1:
            # Of two classes there is one score, that of the second.
            scores = np.stack([-scores, scores], axis=1)
        return np.asarray(softmax(scores, axis=1))

    return Learnt(fitted(None), fitted("balanced"))


def learn_thumbnails(
    inputs: NDArray[np.float32],
    truth: NDArray[np.intp],
    asked: NDArray[np.float32],
    generator: np.random.Generator,
) -> Learnt:
    """Fits a network with one hidden layer of 64 units on thumbnails and changed copies of them.

    What it says of a thumbnail is the mean over it and changed copies of it. For classes that are
    equally frequent its probabilities are divided by the shares of the classes in the training. How
    much copies are changed, and for how many epochs of them it is trained, was chosen by
    cross-validation over 600 of the training images of Kermany et al. 2018 alone.

    Args:
        inputs: training thumbnails, [n, side, side] in [0, 1].
        truth: the class of each, [n].
        asked: thumbnails to say something of, [m, side, side].
        generator: of the copies and of the network's start.
    """
    copies = np.concatenate([inputs, *(changed(inputs, generator) for _ in range(_COPIES))])
    centre, spread = copies.mean(axis=0), max(float(copies.std()), 1e-6)

    def seen(images: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray((images - centre) / spread, np.float32).reshape(len(images), -1)

    network = MLPClassifier(
        (_UNITS,),
        alpha=_PENALTY,
        batch_size=min(_BATCH, len(copies)),
        random_state=int(generator.integers(2**31)),
    )
    flat, targets, classes = seen(copies), np.tile(truth, _COPIES + 1), np.unique(truth)
    # A fixed number of epochs: copies of one image on both sides would never stop a training.
    for _ in range(max(_EPOCHS, -(-_STEPS // -(-len(flat) // _BATCH)))):
        order = generator.permutation(len(flat))
        network.partial_fit(flat[order], targets[order], classes=classes)
    shown = [asked, *(changed(asked, generator) for _ in range(_COPIES))]
    plain = np.mean([network.predict_proba(seen(each)) for each in shown], axis=0, dtype=float)
    weighed = plain / np.bincount(truth)[classes]
    return Learnt(plain, weighed / weighed.sum(axis=1, keepdims=True))


def changed(images: NDArray[np.float32], generator: np.random.Generator) -> NDArray[np.float32]:
    """Returns copies of images, each turned, scaled, shifted, and with other contrast, a little.

    Args:
        images: float32 [n, side, side].
        generator: of the changes.
    """
    size, side = len(images), images.shape[1]
    centre = ((side - 1) / 2, (side - 1) / 2)
    turns, scales = generator.uniform(-1, 1, (2, size)) * [[_TURN], [_SCALE]]
    shifts = generator.uniform(-_SHIFT, _SHIFT, (size, 2))
    gains = 1 + generator.uniform(-_CONTRAST, _CONTRAST, (size, 1, 1))
    lifts = generator.uniform(-_BRIGHTNESS, _BRIGHTNESS, (size, 1, 1))
    moved = np.empty_like(images)
    for place, image in enumerate(images):
        matrix = cv2.getRotationMatrix2D(centre, turns[place], 1 + scales[place])
        matrix[:, 2] += shifts[place]
        moved[place] = cv2.warpAffine(
            image, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
    return np.asarray((moved - 0.5) * gains + 0.5 + lifts, np.float32)


def _as_numbers(facts: pd.DataFrame, fitted: int) -> NDArray[np.float64]:
    """Returns facts as numbers, NaN where an image does not state one.

    A fact that too few of the first `fitted` images state is left out.
    """
    stated = facts.iloc[:fitted].notna().mean()
    kept = facts.loc[:, stated >= MIN_KNOWN]
    if kept.empty or kept.iloc[fitted:].isna().all(axis=None):
        raise NoBaseline("too few images state it")
    words = [name for name in kept if not is_numeric_dtype(kept[name])]
    coded = pd.get_dummies(kept, columns=words, dtype=float).astype("Float64")
    numbers = coded.to_numpy(float, na_value=np.nan)
    if not (numbers[:fitted] != numbers[0]).any():
        raise NoBaseline("it is the same for all training images")
    return numbers
