"""Balance: what the images of each source and class count, and how likely a class is in a source.

A source in which one class is common gives that class away, whatever the lungs show. Weights make
the classes of a source count alike; the logarithm of p(class | source), added to the logits that
the loss sees, leaves nothing to learn from the source alone.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pulmo.core.training import Balance
from pulmo.datasets.effective_source import effective_sources

UNSTATED: Final = "source not stated"
"""What images without a stated source are called together."""

_SMOOTHING: Final = 1.0
"""Images that are added to each class of a source, so that no probability is 0 (Laplace)."""


class SourceCells(NamedTuple):
    """Training images by source and class.

    Attributes:
        sources: the sources, sorted (`pulmo.datasets.effective_source`); images without a stated
            one are together.
        labels: the classes.
        source: int64 [n], the source of each image.
        truth: int64 [n], its class.
    """

    sources: tuple[str, ...]
    labels: tuple[str, ...]
    source: NDArray[np.int64]
    truth: NDArray[np.int64]

    @classmethod
    def of(cls, rows: pd.DataFrame, truth: NDArray[np.int64], labels: Sequence[str]) -> Self:
        """Takes rows of a manifest and their class, int64 [n]."""
        found = effective_sources(rows.assign(**{"class": np.array(labels)[truth]}))
        names, source = np.unique(np.where(found == "", UNSTATED, found), return_inverse=True)
        return cls(tuple(names.tolist()), tuple(labels), source.astype(np.int64), truth)

    @property
    def counts(self) -> NDArray[np.int64]:
        """Images of each source and class, int64 [sources, classes]."""
        counts = np.zeros((len(self.sources), len(self.labels)), np.int64)
        np.add.at(counts, (self.source, self.truth), 1)
        return counts

    @property
    def number(self) -> NDArray[np.int64]:
        """The number of each image's cell, source by source, int64 [n]."""
        return self.source * len(self.labels) + self.truth

    @property
    def table(self) -> dict[str, dict[str, int]]:
        """Source -> class -> images, without the classes that a source lacks."""
        return {
            source: {label: n for label, n in zip(self.labels, row, strict=True) if n}
            for source, row in zip(self.sources, self.counts.tolist(), strict=True)
        }

    @property
    def notes(self) -> tuple[str, ...]:
        """What was assumed, and what no weight can change, as sentences."""
        table = self.table
        said = []
        if UNSTATED in table:
            said.append(
                f"{sum(table[UNSTATED].values()):,} training images state no source. They count as "
                "one source of their own."
            )
        if alone := [source for source, classes in table.items() if len(classes) == 1]:
            said.append(
                f"The training images of {', '.join(alone)} are of one class. There the model may "
                "learn the source instead of the class, whatever the images count."
            )
        return tuple(said)


def cell_factors(counts: NDArray[np.int64], balance: Balance) -> NDArray[np.float64]:
    """Returns what an image of each source and class counts, float64 [sources, classes].

    On average over the images it is 1. A cell without images has 0.

    Args:
        counts: images of each source and class, int64 [sources, classes].
        balance: what is to count alike.
    """
    there = counts > 0
    if balance == "none":
        return there.astype(np.float64)
    total = counts.sum(axis=1, keepdims=True)
    classes = there.sum(axis=1, keepdims=True)
    if balance == "source-and-class":
        total, classes = total.sum(keepdims=True), classes.sum(keepdims=True)
    even = np.asarray(total / classes, np.float64)
    return np.asarray(np.divide(even, counts, out=np.zeros(counts.shape), where=there))


def log_prior(
    counts: NDArray[np.int64],
    factors: NDArray[np.float64],
    spread: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Returns log p(class | source), float64 [sources, classes], of images as they count.

    Laplace's rule of succession: p = (n + 1) / (images of the source + classes), where n is the
    share of the class in what the source's images count, times their number.

    Args:
        counts: images of each source and class, int64 [sources, classes].
        factors: what an image of each counts, of any unit.
        spread: float64 [kinds, classes], the share of each class in each column of the counts, if
            these are kinds and not classes; a row sums to 1.
    """
    total = counts.sum(axis=1, keepdims=True)
    counted = counts * factors
    counted *= total / counted.sum(axis=1, keepdims=True)
    if spread is not None:
        counted = counted @ spread
    smoothed = counted + _SMOOTHING
    return np.asarray(np.log(smoothed / smoothed.sum(axis=1, keepdims=True)))
