"""Contrasts: two groups of classes within one source.

Between sources a model can distinguish the hospitals; within one source it must use the lungs. A
source whose classes come from different origins is as many sources
(`pulmo.datasets.effective_source`).
"""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pulmo import stats
from pulmo.evaluate.evaluation import Contrast, Pair
from pulmo.stats.classified import ClassifiedImages

NORMAL = "normal"


class Sides(NamedTuple):
    """The classes that are held against each other."""

    positive: tuple[str, ...]
    negative: tuple[str, ...]


def contrasts(sample: ClassifiedImages, sources: NDArray[np.str_]) -> tuple[Contrast, ...]:
    """Holds the classes of each source against each other.

    Args:
        sample: the images.
        sources: name of the source of each image, [n]; empty where it is not known.
    """
    found = []
    for source in sorted(set(sources.tolist()) - {""}):
        inside = sources == source
        present = sample.is_class[inside].any(axis=0)
        labels = [label for label, there in zip(sample.labels, present, strict=True) if there]
        for sides in (*pairings(labels), *each_against_the_rest(labels)):
            rows = inside & (_belongs(sample, sides.positive) | _belongs(sample, sides.negative))
            found.append(contrast(source, sides, sample.take(rows)))
    return tuple(found)


def pairings(labels: Sequence[str]) -> Iterator[Sides]:
    """Yields each pair of the labels, then all others together against normal.

    Normal is always the negative side; of two other classes the later one is. The last pairing is
    left out where it would repeat a pair.
    """
    for first, second in combinations(labels, 2):
        yield Sides((second,), (first,)) if first == NORMAL else Sides((first,), (second,))
    others = tuple(label for label in labels if label != NORMAL)
    if NORMAL in labels and len(others) > 1:
        yield Sides(others, (NORMAL,))


def each_against_the_rest(labels: Sequence[str]) -> Iterator[Sides]:
    """Yields each of the labels but normal against all others together, if there are three."""
    for label in labels:
        if label != NORMAL and len(labels) > 2:
            yield Sides((label,), tuple(other for other in labels if other != label))


def contrast(source: str, sides: Sides, sample: ClassifiedImages) -> Contrast:
    """Holds two sides against each other, by their shares of the probability.

    Args:
        source: name of the source.
        sides: the classes that are compared.
        sample: images of these classes from this source, some of each side.
    """
    positive = _belongs(sample, sides.positive)
    shares = positive_share(sample, sides)
    called = shares >= 0.5
    groups = sample.groups
    return Contrast(
        source=source,
        positive=sides.positive,
        negative=sides.negative,
        n_positive=int(positive.sum()),
        n_negative=int((~positive).sum()),
        auc=stats.auc(positive, shares, groups),
        accuracy=stats.proportion(called == positive, groups),
        sensitivity=stats.proportion(
            called[positive], groups[positive], undefined="no positive image"
        ),
        specificity=stats.proportion(
            ~called[~positive], groups[~positive], undefined="no negative image"
        ),
    )


def pairs(sample: ClassifiedImages) -> tuple[Pair, ...]:
    """Returns the AUC of each two classes that have images, over all sources.

    The score is P(first) / (P(first) + P(second)) over the images of the two; the overall
    `pairwise_auc` is of their two probabilities alone.
    """
    found = []
    for first, second in combinations(range(len(sample.labels)), 2):
        names = sample.labels[first], sample.labels[second]
        inside = sample.take(np.isin(sample.truth, (first, second)))
        positive = inside.truth == first
        if positive.any() and not positive.all():
            shares = positive_share(inside, Sides(names[:1], names[1:]))
            found.append(
                Pair(
                    first=names[0],
                    second=names[1],
                    auc=stats.auc(positive, shares, inside.groups),
                )
            )
    return tuple(found)


def positive_share(sample: ClassifiedImages, sides: Sides) -> NDArray[np.float64]:
    """Returns P(positive) / (P(positive) + P(negative)), [n] in [0, 1]; 0.5 where both are 0."""
    positive, negative = (
        sample.probabilities[:, [sample.labels.index(label) for label in side]].sum(axis=1)
        for side in sides
    )
    both = positive + negative
    shares = np.full(len(sample), 0.5)
    np.divide(positive, both, out=shares, where=both > 0)
    return shares


def _belongs(sample: ClassifiedImages, labels: tuple[str, ...]) -> NDArray[np.bool_]:
    """Returns whether each image is of one of the classes, [n]."""
    return np.isin(sample.truth, [sample.labels.index(label) for label in labels])
