"""Probe: does a network know the source of an image better than its class?

A linear classifier is fitted to what the network makes of images before its head decides, once
to the class and once to the source (Alain and Bengio 2017 for such probes; Zech et al. 2018 and
DeGrave et al. 2021 for hospitals in chest radiographs). Every image is judged by a probe that was
fitted to images of other groups.

Where each class has a source of its own, the class is the source, and whoever knows the one knows
the other. So the source is asked for among the images of one class only.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pulmo import stats
from pulmo.audit.accuracy import skill
from pulmo.audit.check import Answer, Unanswered, check
from pulmo.audit.context import AuditContext
from pulmo.audit.finding import Table, Verdict
from pulmo.datasets.inspect.tree import FOLDS
from pulmo.stats.estimate import Estimate

FEWEST: Final = 10
"""Groups of images that a class or a source needs, and images."""

TOLD: Final = 0.1
"""Share of the way from chance to certainty that the source may be told within a class."""

Numbers = NDArray[np.intp]


@check(
    "probe",
    question="Does the network know an image's source better than its class?",
    claim="tells the class by its features, and hardly the source of images of one class",
)
def probe(context: AuditContext) -> Answer:
    """Fails where the source is told surely better than the class.

    Both are balanced accuracies as shares of the way from chance to no mistake. The source is asked
    for within each class of several sources that are stated, and every source of a class weighs
    alike; it is told surely better where the intervals do not meet. It warns where the source is
    surely told by more than a tenth of the way. What can be told from the features need not be what
    the head decides by: even a network that has learnt nothing passes on much of what differs
    between scanners.
    """
    context.require_network()
    numbers = context.some
    source = pd.factorize(context.sources.iloc[numbers])[0]  # -1 where none is stated
    truth, part = context.truth[numbers], context.part[numbers]
    within = list(_tasks(source, part * (truth.max() + 1) + truth, context.groups[numbers]))
    if not within:
        raise Unanswered(
            f"No class has {FEWEST} images of each of two sources that are stated; class and "
            "source cannot be told apart."
        )
    classes = list(_tasks(truth, part, context.groups[numbers]))
    features = context.networks.features(context.images[numbers], numbers)
    if features is None:
        raise Unanswered(
            "The bundle does not give the network's features; `pulmo export` of its run makes one "
            "that does."
        )
    told = _skill(context, numbers, features, within, source)
    known = _skill(context, numbers, features, classes, truth)
    sentence = (
        f"From the features a linear probe tells the class with a skill of {known} and, within a "
        f"class, the source with {told}; 0 is chance, 1 no mistake."
    )
    table = Table(
        title="Linear probes of the features",
        columns=("told", "images", "skill"),
        rows=(("class", known.n, known), ("source within a class", told.n, told)),
    )
    figures = {"class": known, "source within a class": told}
    return Answer(_verdict(told, known), sentence, figures, (table,))


def _tasks(wanted: Numbers, stratum: Numbers, groups: Numbers) -> Iterator[Numbers]:
    """Yields the places [k] of each stratum that has enough images of two kinds.

    Args:
        wanted: what is to be told of each image, [m]; -1 where it is not known.
        stratum: within which, [m].
        groups: [m].
    """
    for number in np.unique(stratum):
        inside = np.flatnonzero(stratum == number)
        kinds = [
            inside[wanted[inside] == kind]
            for kind in np.unique(wanted[inside][wanted[inside] >= 0])
            if len(np.unique(groups[inside[wanted[inside] == kind]])) >= FEWEST
        ]
        if len(kinds) > 1:
            yield np.sort(np.concatenate(kinds))


def _skill(
    context: AuditContext,
    numbers: Numbers,
    features: NDArray[np.float32],
    tasks: list[Numbers],
    wanted: Numbers,
) -> Estimate:
    """Returns how well probes tell what is wanted, over all tasks, every kind of each alike."""
    places = np.concatenate(tasks)
    groups = context.groups[numbers]
    told = np.concatenate([guess(features[task], wanted[task], groups[task]) for task in tasks])
    task_of = np.repeat(np.arange(len(tasks)), [len(task) for task in tasks])
    pairs = np.stack([task_of, wanted[places]], axis=1)
    kinds, strata = np.unique(pairs, axis=0, return_inverse=True)
    accuracy = stats.balanced_accuracy(told == wanted[places], strata, groups[places])
    # Each task is one kind's worth of right guesses, whatever is guessed.
    return skill(accuracy, len(tasks) / len(kinds))


def guess(features: NDArray[np.float32], wanted: Numbers, groups: Numbers) -> Numbers:
    """Returns what linear probes that were fitted on other groups say, [n].

    Args:
        features: [n, channels].
        wanted: what is to be told, [n], two kinds or more.
        groups: [n], five or more of each kind.
    """
    said = np.empty_like(wanted)
    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
    for fit, held_out in splitter.split(features, wanted, groups):
        fitted = make_pipeline(
            StandardScaler(), LogisticRegression(C=0.1, class_weight="balanced", max_iter=1000)
        ).fit(features[fit], wanted[fit])
        said[held_out] = fitted.predict(features[held_out])
    return said


def _verdict(told: Estimate, known: Estimate) -> Verdict:
    low = 0.0 if told.low is None else told.low
    if known.high is not None and low > known.high:
        return "fails"
    return "warns" if low > TOLD else "passes"
