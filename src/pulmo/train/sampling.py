"""Which pictures an epoch shows, and in what order."""

import numpy as np
from numpy.typing import NDArray

from pulmo.core.training import TrainSection


def repeats(
    truth: NDArray[np.int64], labels: tuple[str, ...], section: TrainSection
) -> NDArray[np.float64]:
    """Returns float [classes], how often a picture of each class is shown an epoch.

    Args:
        truth: int64 [n], the class of each training picture.
        labels: the classes.
        section: the recipe's training.
    """
    counts = np.bincount(truth, minlength=len(labels))
    if section.oversample == "none":
        return np.ones(len(labels))
    if section.oversample == "balanced":
        return np.asarray(counts.max() / counts, np.float64)
    given = section.oversample
    return np.array([given.get(label, 1.0) for label in labels])


def epoch_length(truth: NDArray[np.int64], times: NDArray[np.float64]) -> int:
    """Returns how many pictures an epoch shows, the same in each."""
    return int(np.floor(np.bincount(truth, minlength=len(times)) * times + 0.5).sum())


def epoch_rows(
    truth: NDArray[np.int64], times: NDArray[np.float64], generator: np.random.Generator
) -> NDArray[np.intp]:
    """Returns the training pictures of an epoch in random order.

    Each picture of a class is shown as often as the whole part of its class's `times`; the part
    over it is made up by pictures of the class drawn without replacement.

    Args:
        truth: int64 [n], the class of each training picture.
        times: float [classes], at least one each.
        generator: draws the pictures and the order.
    """
    rows = []
    for number, share in enumerate(times):
        members = np.flatnonzero(truth == number)
        whole, wanted = int(share), int(np.floor(len(members) * share + 0.5))
        extra = wanted - whole * len(members)
        rows += [np.repeat(members, whole), generator.choice(members, extra, replace=False)]
    return generator.permutation(np.sort(np.concatenate(rows)))
