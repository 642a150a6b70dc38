"""Validation pictures with what the model says of them: what thresholds are fitted on."""

from typing import NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pulmo.bundle.outcome import positive_probability


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
