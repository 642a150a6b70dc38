"""Explanations: maps must depend on the trained weights (Adebayo et al. 2018)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from pulmo.audit.batches import in_batches
from pulmo.audit.check import CannotRun, Message, Outcome, check
from pulmo.audit.check_result import Verdict
from pulmo.audit.context import AuditContext
from pulmo.bundle.predictor import Predictor
from pulmo.bundle.randomise import randomised
from pulmo.core.errors import InputError
from pulmo.explain.methods import GRAPH, METHODS, Method, serves
from pulmo.stats.estimate import Estimate
from pulmo.stats.resampling import bootstrap, interval_estimate
from pulmo.stats.weights import Weights

ALIKE: Final = 0.5
"""Rank correlation above which the maps of a trained and a random network are alike."""

DRAWS: Final = 3
"""Random networks. A single one may resemble the trained one, or its negative, by accident."""

FEW: Final = 6
"""Images of a method that asks the network about many changes of each."""

_METRIC: Final = "median rank correlation"


@dataclass(frozen=True, eq=False)
class _Subject:
    """A method with the images that it is tried on, and their decided classes.

    Attributes:
        method: the method.
        numbers: the rows of the images, [m].
        decided: the decided class of each, [m].
        before: the maps of the trained networks, [m, positions].
    """

    method: Method
    numbers: NDArray[np.intp]
    decided: NDArray[np.intp]
    before: NDArray[np.float32]


@check(
    "explanations",
    question="Do the heat maps depend on the trained weights?",
    statement="The heat maps change when the trained weights are shuffled.",
)
def explanations(context: AuditContext) -> Outcome:
    """Fails where the maps of a method stay alike when the weights are shuffled.

    For each image, the map of the decided class is compared with that of the same class in three
    networks with shuffled weights, by the rank correlation over its positions. The check fails
    where the whole interval of the median is above a half, and warns where part of it is. Maps that
    change are not shown to point at a disease.

    All methods that the model serves are tried: that of the graph on as many images as other checks
    change; the others on six of these and with few samples, for which the network is asked about
    some 300 changes of each image, four times. That costs as much as predicting 7,400 images.
    """
    if context.outputs.activation[0, 0].size < 2:
        raise CannotRun("one-position", "The maps have only one position: nothing can be ranked.")
    subjects = _subjects(context)
    generator = context.generator("explanations")
    draws: list[list[NDArray[np.float64]]] = [[] for _ in subjects]
    for models in _shuffled(context, generator):
        for subject, found in zip(subjects, draws, strict=True):
            after = _maps(context, models, subject)
            found.append(rank_correlation(subject.before, after))
    medians = [
        _median(context, subject.numbers, np.mean(found, axis=0))
        for subject, found in zip(subjects, draws, strict=True)
    ]
    return _outcome(medians, subjects)


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


def _subjects(context: AuditContext) -> list[_Subject]:
    """Returns the methods that all networks serve, that of the graph first."""
    networks = context.networks
    some, decided = context.some, context.sample.decided
    few = np.sort(context.generator("few").permutation(some)[:FEW])
    graph = context.outputs.activation[some, decided[some]].reshape(len(some), -1)
    subjects = [_Subject(METHODS[GRAPH].quick(), some, decided[some], graph)]
    for method in (kind.quick() for name, kind in METHODS.items() if name != GRAPH):
        if all(serves(network, method) for network in networks.each):
            subject = _Subject(method, few, decided[few], np.empty((len(few), 0), np.float32))
            subjects.append(replace(subject, before=_maps(context, networks.each, subject)))
    return subjects


def _shuffled(
    context: AuditContext, generator: np.random.Generator
) -> Iterator[Sequence[Predictor]]:
    """Yields the networks of the parts with shuffled weights, a few times."""
    for _ in range(DRAWS):
        try:
            yield [randomised(network, generator) for network in context.networks.each]
        except ModuleNotFoundError as missing:
            raise CannotRun(
                "missing-package",
                f"Shuffling the weights needs the package {missing.name}, which is not installed. "
                "Install it with: pip install 'pulmo[train]'.",
            ) from None


def _maps(
    context: AuditContext, models: Sequence[Predictor], subject: _Subject
) -> NDArray[np.float32]:
    """Returns the maps of a method by the networks of the parts, [m, positions].

    NaN where a network gave a value that is not a number, as one with shuffled weights may.
    """
    images = context.images[subject.numbers]

    def ask(part: int, places: NDArray[np.intp]) -> list[NDArray[np.float32]]:
        given, classes = images[places], subject.decided[places]
        try:
            found = subject.method.maps(models[part], given, classes).values
        except InputError:
            if not subject.before.size:  # the trained network itself
                raise
            return [np.full_like(subject.before[places], np.nan)]
        return [found.reshape(len(places), -1)]

    return in_batches(context.part[subject.numbers], ask)[0]


def _outcome(medians: Sequence[Estimate], subjects: Sequence[_Subject]) -> Outcome:
    """Returns what the medians of the methods say; the worst of them decides."""
    graph, *others = medians
    names = [subject.method.name for subject in subjects[1:]]
    pairs = list(zip(names, others, strict=True))
    messages = [
        Message(
            "shuffled-weights",
            "The median rank correlation between the maps of the model and of networks with "
            f"shuffled weights is {graph.in_text}. 1 would mean that the training does not change "
            "the maps.",
        )
    ]
    if pairs:
        each = "; ".join(f"{name} {median.in_text}" for name, median in pairs)
        messages.append(
            Message(
                "shuffled-weights-few",
                f"The same of the maps of other methods, of {len(subjects[1].numbers)} images: "
                f"{each}.",
            )
        )
    metrics = {_METRIC: graph} | {f"{_METRIC}, {name}": median for name, median in pairs}
    verdicts = {_verdict(median) for median in medians}
    worst = next(verdict for verdict in ("fails", "warns", "passes") if verdict in verdicts)
    return Outcome(worst, tuple(messages), metrics)


def _median(
    context: AuditContext, numbers: NDArray[np.intp], values: NDArray[np.float64]
) -> Estimate:
    """Returns the median of values [m] of rows, with a bootstrap over groups."""
    groups = context.groups_of(numbers)
    draws = bootstrap(
        lambda weights: {"median": weighted_medians(values, weights)},
        groups,
        context.options.replicates,
        context.generator("median"),
    )["median"]
    return interval_estimate(float(np.median(values)), draws, len(values), "it has no value")


def weighted_medians(values: NDArray[np.float64], weights: Weights) -> NDArray[np.float64]:
    """Returns the median of values [m] where each counts as often as a row of weights says, [k].

    Between two middle values it is their mean, as that of `numpy.median` is.

    Args:
        values: the values, [m].
        weights: how often each counts, whole numbers [k, m].
    """
    order = np.argsort(values)
    reached = np.cumsum(weights[:, order], axis=1)
    half = reached[:, -1:] / 2
    lower, upper = (reached < half).sum(axis=1), (reached <= half).sum(axis=1)
    ranked = values[order]
    return np.asarray((ranked[lower] + ranked[upper]) / 2)


def _verdict(median: Estimate) -> Verdict:
    # Maps that do not change at all have correlations that do not vary, and so no interval.
    value = median.value or 0.0
    low, high = (value if end is None else end for end in (median.low, median.high))
    if low > ALIKE:
        return "fails"
    return "passes" if high <= ALIKE else "warns"
