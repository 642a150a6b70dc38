"""The confusion, and the classification report in the form of scikit-learn."""

import numpy as np
from numpy.typing import NDArray

from pulmo.evaluate.evaluation import ReportRow
from pulmo.stats.classified import ClassifiedImages
from pulmo.stats.weights import Floats, divide


def confusion(sample: ClassifiedImages) -> NDArray[np.int64]:
    """Returns the number of images [true class, decided class]."""
    return np.asarray(sample.is_class.T.astype(np.int64) @ sample.called_class)


def classification_report(sample: ClassifiedImages) -> dict[str, ReportRow]:
    """Returns precision, recall, F1 and support of each class, and their means.

    The rows are those of `sklearn.metrics.classification_report`, but for the accuracy, which is
    among the values. Where scikit-learn warns and gives 0, a value is None, and so is a mean over
    classes of which one has none.
    """
    counts = confusion(sample).astype(np.float64)
    hits, decided, true = np.diagonal(counts), counts.sum(axis=0), counts.sum(axis=1)
    values = np.stack(
        [divide(hits, decided), divide(hits, true), divide(2 * hits, decided + true)], axis=1
    )
    rows = {label: _row(values[place], true[place]) for place, label in enumerate(sample.labels)}
    rows["macro avg"] = _row(values.mean(axis=0), true.sum())
    rows["weighted avg"] = _row(true @ values / true.sum(), true.sum())
    return rows


def _row(values: Floats, support: float) -> ReportRow:
    precision, recall, f1 = (None if np.isnan(value) else float(value) for value in values)
    return ReportRow(precision=precision, recall=recall, f1=f1, support=int(support))
