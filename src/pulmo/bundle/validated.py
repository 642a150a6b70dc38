"""Validation pictures with what the model says of them: what thresholds are fitted on."""

from math import sqrt
from typing import NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtrit

from pulmo.bundle.outcome import positive_probability
from pulmo.core.estimate import Estimate, wilson


class Validated(NamedTuple):
    """n validation pictures of K classes.

    Attributes:
        probabilities: float64 [n, K], calibrated.
        truth: index of the true class, [n].
        scores: summed probability of the positive classes, [n].
        positive: whether a picture is of a positive class, [n].
        groups: number of the patient or group of copies, [n].
        independent: whether a picture is the one that was drawn of its group, [n]. A guarantee
            assumes independent pictures, and rests on these alone.
    """

    probabilities: NDArray[np.float64]
    truth: NDArray[np.intp]
    scores: NDArray[np.float64]
    positive: NDArray[np.bool_]
    groups: NDArray[np.intp]
    independent: NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        probabilities: NDArray[np.float64],
        truth: NDArray[np.intp],
        rows: pd.DataFrame,
        labels: tuple[str, ...],
        wanted: tuple[str, ...],
    ) -> Self:
        """Takes pictures and draws one of each group.

        The one with the lowest SHA-256 is drawn: that is by chance, and the same everywhere.

        Args:
            probabilities: float64 [n, K], calibrated.
            truth: index of the true class, [n].
            rows: their rows of the manifest, with `group` and `sha256`, [n].
            labels: the K classes.
            wanted: those that count as positive.
        """
        groups = np.asarray(pd.factorize(rows["group"])[0], np.intp)
        order = np.argsort(rows["sha256"].to_numpy(str), kind="stable")
        independent = np.zeros(len(groups), np.bool_)
        independent[order[np.unique(groups[order], return_index=True)[1]]] = True
        return cls(
            probabilities,
            truth,
            positive_probability(probabilities, labels, wanted),
            np.isin(truth, [labels.index(label) for label in wanted]),
            groups,
            independent,
        )


def share_estimate(hits: NDArray[np.bool_], groups: NDArray[np.intp]) -> Estimate:
    """Returns the share of hits with Wilson's interval, in which each group counts once.

    Args:
        hits: whether each relevant picture is a hit, [n].
        groups: group of each, [n].
    """
    if not len(hits):
        return Estimate.undefined("there is no such picture")
    share = float(hits.mean())
    return Estimate(share, *wilson(share, len(np.unique(groups))), len(hits))


def mean_estimate(values: NDArray[np.float64], groups: NDArray[np.intp]) -> Estimate:
    """Returns a mean with its 95 % interval, Student's with the variance between groups.

    Args:
        values: [n], one or more.
        groups: group of each, [n].
    """
    n, mean = len(values), float(values.mean())
    members = np.unique(groups, return_inverse=True)[1]
    count = int(members.max()) + 1
    if count == 1:
        return Estimate(mean, None, None, n, "the pictures are of one patient or group")
    residuals = np.bincount(members, weights=values - mean)
    error = sqrt(count / (count - 1) * float(np.square(residuals).sum())) / n
    reach = float(stdtrit(count - 1, 0.975)) * error
    return Estimate(mean, mean - reach, mean + reach, n)
