"""Explanations: maps must depend on the trained weights (Adebayo et al. 2018)."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from pulmo.audit.batches import in_batches
from pulmo.audit.check import CannotRun, Message, Outcome, check
from pulmo.audit.check_result import Verdict
from pulmo.audit.context import AuditContext
from pulmo.bundle.outcome import Outputs
from pulmo.bundle.randomise import randomised
from pulmo.stats.estimate import Estimate
from pulmo.stats.resampling import bootstrap, interval_estimate
from pulmo.stats.weights import Weights

ALIKE: Final = 0.5
"""Rank correlation above which the maps of a trained and a random network are alike."""

DRAWS: Final = 3
"""Random networks. A single one may resemble the trained one, or its negative, by accident."""


@check(
    "explanations",
    question="Do the class activation maps depend on the trained weights?",
    statement="The class activation maps change when the trained weights are shuffled.",
)
def explanations(context: AuditContext) -> Outcome:
    """Fails where the maps stay alike when the weights are shuffled.

    For each image, the map of the decided class is compared with that of the same class in three
    networks with shuffled weights, by the rank correlation over its positions. The check fails
    where the whole interval of the median is above a half, and warns where part of it is. Maps that
    change are not shown to point at a disease.
    """
    outputs = context.outputs
    numbers = context.some
    decided = context.sample.decided[numbers]
    before = _of_decided(outputs.activation[numbers], decided)
    if before.shape[1] < 2:
        raise CannotRun("one-position", "The maps have only one position: nothing can be ranked.")
    generator = context.generator("explanations")
    draws = [
        rank_correlation(before, _of_decided(maps, decided))
        for maps in _shuffled_maps(context, numbers, generator)
    ]
    median = _median(context, numbers, np.mean(draws, axis=0))
    message = Message(
        "shuffled-weights",
        "The median rank correlation between the maps of the model and of networks with shuffled "
        f"weights is {median.in_text}. 1 would mean that the training does not change the maps.",
    )
    return Outcome(_verdict(median), (message,), {"median rank correlation": median})


def rank_correlation(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float64]:
    """Returns Spearman's correlation of the rows of two tables [n, positions], [n].

    It is 0 where a row does not vary or holds a value that is not a number: then nothing of its
    order is left.
    """
    ranks = np.stack([rankdata(np.nan_to_num(table), axis=1) for table in (one, other)])
    deviations = ranks - ranks.mean(axis=2, keepdims=True)
    sizes = np.sqrt(np.square(deviations).sum(axis=2)).prod(axis=0)
    sizes[~(np.isfinite(one) & np.isfinite(other)).all(axis=1)] = 0.0
    products = deviations.prod(axis=0).sum(axis=1)
    found = np.zeros(len(one))
    np.divide(products, sizes, out=found, where=sizes > 0)
    return found


def _of_decided(maps: NDArray[np.float32], decided: NDArray[np.intp]) -> NDArray[np.float32]:
    """Returns the map of the decided class of each image, [n, positions]."""
    return maps[np.arange(len(maps)), decided].reshape(len(maps), -1)


def _shuffled_maps(
    context: AuditContext, numbers: NDArray[np.intp], generator: np.random.Generator
) -> Iterator[NDArray[np.float32]]:
    """Yields the maps [m, classes, rows, columns] of networks with shuffled weights."""
    images = context.images[numbers]
    for _ in range(DRAWS):
        try:
            models = [randomised(network, generator) for network in context.networks.each]
        except ModuleNotFoundError as missing:
            raise CannotRun(
                "missing-package",
                f"Shuffling the weights needs the package {missing.name}, which is not installed. "
                "Install it with: pip install 'pulmo[train]'.",
            ) from None

        def ask(part: int, places: NDArray[np.intp]) -> Outputs:
            return models[part].run(images[places])  # noqa: B023 - it is asked in this round

        yield in_batches(context.part[numbers], ask)[1]


def _median(
    context: AuditContext, numbers: NDArray[np.intp], values: NDArray[np.float64]
) -> Estimate:
    """Returns the median of values [m] of rows, with a bootstrap over groups."""
    order = np.argsort(values)
    groups = context.groups_of(numbers)

    def median(weights: Weights) -> NDArray[np.float64]:
        reached = np.cumsum(weights[:, order], axis=1)
        half = (reached < reached[:, -1:] / 2).sum(axis=1)
        return np.asarray(values[order][half])

    draws = bootstrap(
        lambda weights: {"median": median(weights)},
        groups,
        context.options.replicates,
        context.generator("median"),
    )["median"]
    return interval_estimate(float(np.median(values)), draws, len(values), "it has no value")


def _verdict(median: Estimate) -> Verdict:
    # Maps that do not change at all have correlations that do not vary, and so no interval.
    value = median.value or 0.0
    low, high = (value if end is None else end for end in (median.low, median.high))
    if low > ALIKE:
        return "fails"
    return "passes" if high <= ALIKE else "warns"
