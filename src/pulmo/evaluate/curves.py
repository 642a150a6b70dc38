"""Curves: reliability over ten bins, and ROC curves thin enough to draw."""

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve, roc_curve

from pulmo.evaluate.evaluation import Curve, PrecisionRecall, ReliabilityBin
from pulmo.stats.classified import BINS, ClassifiedImages

POINTS = 200
"""Most points of a thinned curve."""


def reliability(sample: ClassifiedImages) -> tuple[ReliabilityBin, ...]:
    """Returns ten bins of the highest probability, with its mean and the share that is right."""
    right = sample.decided == sample.truth
    bins = []
    for position in range(BINS):
        inside = sample.confidence_bin == position
        found = bool(inside.any())
        bins.append(
            ReliabilityBin(
                low=position / BINS,
                high=(position + 1) / BINS,
                n=int(inside.sum()),
                confidence=float(sample.confidence[inside].mean()) if found else None,
                accuracy=float(right[inside].mean()) if found else None,
            )
        )
    return tuple(bins)


def roc_curves(sample: ClassifiedImages) -> dict[str, Curve]:
    """Returns class -> ROC curve against the rest, for classes with images on both sides."""
    return {
        label: roc(sample.probabilities[:, position], sample.is_class[:, position])
        for position, label in enumerate(sample.labels)
        if 0 < sample.is_class[:, position].sum() < len(sample)
    }


def roc(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> Curve:
    """Returns a ROC curve of at most 200 points, from (0, 0) to (1, 1).

    Points are dropped where they lie close together along the curve, so that its corner stays.

    Args:
        scores: [n], high for positives.
        positive: whether each image is positive, [n], with both kinds.
    """
    false_rate, true_rate, _ = roc_curve(positive, scores)
    kept = _kept(false_rate, true_rate)
    return Curve(
        false_positive_rate=tuple(false_rate[kept].tolist()),
        true_positive_rate=tuple(true_rate[kept].tolist()),
    )


def precision_recall_curves(sample: ClassifiedImages) -> dict[str, PrecisionRecall]:
    """Returns class -> precision-recall curve, for classes with images on both sides."""
    return {
        label: precision_recall(sample.probabilities[:, position], sample.is_class[:, position])
        for position, label in enumerate(sample.labels)
        if 0 < sample.is_class[:, position].sum() < len(sample)
    }


def precision_recall(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> PrecisionRecall:
    """Returns a precision-recall curve of at most 200 points, by rising recall.

    Args:
        scores: [n], high for positives.
        positive: whether each image is positive, [n], with some that are.
    """
    precision, recall, _ = precision_recall_curve(positive, scores, drop_intermediate=True)
    precision, recall = precision[::-1], recall[::-1]
    kept = _kept(recall, precision)
    return PrecisionRecall(
        recall=tuple(recall[kept].tolist()), precision=tuple(precision[kept].tolist())
    )


def _kept(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.intp]:
    """Returns the points to keep of a curve, evenly spread along it, both ends among them."""
    steps = np.abs(np.diff(x)) + np.abs(np.diff(y))
    length = np.concatenate([[0.0], np.cumsum(steps)])
    return np.unique(np.searchsorted(length, np.linspace(0, length[-1], POINTS)))
