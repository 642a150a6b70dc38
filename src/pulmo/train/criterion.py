"""Criterion: what makes one epoch of a training better than another, on the validation images."""

from collections.abc import Sequence
from itertools import combinations
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import log_loss, roc_auc_score

from pulmo.bundle.card import Epoch
from pulmo.bundle.outcome import probabilities
from pulmo.core.errors import InputError
from pulmo.core.recipe import Recipe
from pulmo.train.balance import UNSTATED, SourceCells
from pulmo.train.training_data import TrainingData

ENOUGH: Final = 5
"""Images that a class of a source needs for its AUC to count."""


class Pair(NamedTuple):
    """Two classes of one source.

    Attributes:
        source: the source (`pulmo.datasets.effective_source`).
        first: the number of a class.
        second: that of another one.
        rows: int64 [n], the images of the two, counted among the validation images.
    """

    source: str
    first: int
    second: int
    rows: NDArray[np.intp]


class Criterion(NamedTuple):
    """What an epoch is chosen by, if not by the loss on all validation images.

    Attributes:
        rows: int64 [n], the images that choose, counted among the validation images.
        pairs: the classes that are told apart within sources; None if the loss chooses.
        said: what it is, for people, as `mean AUC within kermany`.
    """

    rows: NDArray[np.intp]
    pairs: tuple[Pair, ...] | None
    said: str

    def score(self, logits: NDArray[np.float32], truth: NDArray[np.int64]) -> float:
        """Returns the loss, or the mean AUC within sources.

        Of a source it is the mean over its pairs of classes (Hand and Till 2001) of the AUC of
        P(first) / (P(first) + P(second)), and each source counts alike.

        Args:
            logits: float32 [n, classes], of the validation images.
            truth: int64 [n], their classes.
        """
        if self.pairs is None:
            chosen = probabilities(logits[self.rows], 1.0)
            return float(log_loss(truth[self.rows], chosen, labels=range(logits.shape[1])))
        values: dict[str, list[float]] = {}
        for source, first, second, rows in self.pairs:
            # P(first) / (P(first) + P(second)) ranks as the difference of the logits does.
            margin = logits[rows, first].astype(np.float64) - logits[rows, second]
            values.setdefault(source, []).append(roc_auc_score(truth[rows] == first, margin))
        return float(np.mean([np.mean(aucs) for aucs in values.values()]))


def criterion_of(recipe: Recipe, data: TrainingData) -> Criterion | None:
    """Returns what a recipe chooses an epoch by; None for the loss on all validation images.

    Raises:
        InputError: no validation image is of the named sources, or no source of them has two
            classes with enough images.
    """
    section = recipe.train
    if section.choose_by == "loss" and not section.choose_on:
        return None
    table, truth = data.manifest.frame.iloc[data.val], data.truth[data.val]
    named = table["source"].isin(section.choose_on).to_numpy(np.bool_)
    rows = np.flatnonzero(named) if section.choose_on else np.arange(len(table))
    on = f" on {', '.join(section.choose_on)}" if section.choose_on else ""
    if not len(rows):
        raise InputError(
            "choice-images-missing",
            f"The setting train.choose_on names {', '.join(section.choose_on)}, but no validation "
            "image that the recipe may use is from there.",
        )
    if section.choose_by == "loss":
        return Criterion(rows, None, f"loss{on}")
    cells = SourceCells.of(table.iloc[rows], truth[rows], recipe.labels.order)
    pairs = tuple(_pairs(cells, rows))
    if not pairs:
        raise InputError(
            "choice-auc-undefined",
            "The epoch is to be chosen by the AUC within sources (train.choose_by), but no stated "
            f"source{on} has two classes with {ENOUGH} validation images each. There are: "
            f"{_listed(cells)}.",
        )
    return Criterion(rows, pairs, f"mean AUC within {_sources(pairs, recipe.labels.order)}")


def is_better(epoch: Epoch, best: Epoch, criterion: Criterion | None) -> bool:
    """Tells whether an epoch is to be kept instead of the best one before it."""
    return _key(epoch, criterion) < _key(best, criterion)


def _key(epoch: Epoch, criterion: Criterion | None) -> tuple[float, float]:
    """Returns what is lowest for the best epoch; of equal ones the loss decides."""
    if criterion is None or epoch.val_score is None:
        return epoch.val_loss, 0.0
    return (epoch.val_score if criterion.pairs is None else -epoch.val_score), epoch.val_loss


def _pairs(cells: SourceCells, rows: NDArray[np.intp]) -> list[Pair]:
    """Returns the pairs of classes with enough images in each stated source."""
    found = []
    for number, source in enumerate(cells.sources):
        if source == UNSTATED:
            continue
        enough = np.flatnonzero(cells.counts[number] >= ENOUGH).tolist()
        for first, second in combinations(enough, 2):
            members = (cells.source == number) & np.isin(cells.truth, (first, second))
            found.append(Pair(source, first, second, rows[members]))
    return found


def _sources(pairs: Sequence[Pair], labels: Sequence[str]) -> str:
    """Returns the sources of pairs with their classes, as `cohen (covid, viral)`."""
    classes: dict[str, set[int]] = {}
    for pair in pairs:
        classes.setdefault(pair.source, set()).update((pair.first, pair.second))
    return " and ".join(
        f"{source} ({', '.join(labels[number] for number in sorted(numbers))})"
        for source, numbers in classes.items()
    )


def _listed(cells: SourceCells) -> str:
    """Returns the images of each source and class, as words."""
    return "; ".join(
        f"{source}: {', '.join(f'{label} {n}' for label, n in classes.items())}"
        for source, classes in cells.table.items()
    )
