"""Probe: whether the features of the network show the source of an image better than its class.

A linear classifier is fitted to the network's features, the input of its head, once for the class
and once for the source (Alain and Bengio 2017 for such probes; Zech et al. 2018 and DeGrave et al.
2021 for hospitals in chest radiographs). Each image is predicted by a probe that was fitted to
images of other groups.

Where each class has a source of its own, class and source are the same. So the source is predicted
among the images of one class only.
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
from pulmo.audit.check import CannotRun, Message, Outcome, check
from pulmo.audit.check_result import Table, Verdict
from pulmo.audit.context import AuditContext
from pulmo.datasets.inspect.tree import FOLDS
from pulmo.stats.estimate import Estimate

MIN_GROUPS: Final = 10
"""Groups of images that a class or a source needs, and images."""

MAX_SKILL: Final = 0.1
"""Greatest skill, from 0 (chance) to 1 (no error), with which the source may be predicted."""

Numbers = NDArray[np.intp]


@check(
    "probe",
    question="Do the features show the source of an image better than its class?",
    statement="The features show the class, and hardly the source among images of one class.",
)
def probe(context: AuditContext) -> Outcome:
    """Fails where the skill for the source is above that for the class, with intervals apart.

    The skill is the balanced accuracy rescaled to 0 for chance and 1 for no error. The source is
    predicted within each class that has several stated sources, all with the same weight. The check
    warns where the whole interval of the skill for the source is above a tenth. Features that show
    the source need not be used by the head: even an untrained network keeps much of the differences
    between scanners.
    """
    context.require_network()
    numbers = context.some
    source = pd.factorize(context.sources.iloc[numbers])[0]  # -1 where none is stated
    truth, part = context.truth[numbers], context.part[numbers]
    within = list(_tasks(source, part * (truth.max() + 1) + truth, context.groups[numbers]))
    if not within:
        raise CannotRun(
            "no-shared-class",
            f"No class has {MIN_GROUPS} images from each of two stated sources: class and source "
            "cannot be separated.",
        )
    classes = list(_tasks(truth, part, context.groups[numbers]))
    features = context.networks.features(context.images[numbers], numbers)
    if features is None:
        raise CannotRun(
            "no-features",
            "The bundle does not give the features of the network. Export its run again with: "
            "pulmo export.",
        )
    of_source = _skill(context, numbers, features, within, source)
    of_class = _skill(context, numbers, features, classes, truth)
    message = Message(
        "skill",
        f"A linear probe of the features predicts the class with a skill of {of_class.in_text} "
        f"and, within a class, the source with {of_source.in_text} (0: chance, 1: no error).",
    )
    table = Table(
        title="Linear probes of the features",
        columns=("predicted", "images", "skill"),
        rows=(("class", of_class.n, of_class), ("source within a class", of_source.n, of_source)),
    )
    values = {"class": of_class, "source within a class": of_source}
    return Outcome(_verdict(of_source, of_class), (message,), values, (table,))


def _tasks(wanted: Numbers, stratum: Numbers, groups: Numbers) -> Iterator[Numbers]:
    """Yields the places [k] of each stratum that has enough images of two kinds.

    Args:
        wanted: what is to be predicted for each image, [m]; -1 where it is not known.
        stratum: within which, [m].
        groups: [m].
    """
    for number in np.unique(stratum):
        inside = np.flatnonzero(stratum == number)
        kinds = [
            inside[wanted[inside] == kind]
            for kind in np.unique(wanted[inside][wanted[inside] >= 0])
            if len(np.unique(groups[inside[wanted[inside] == kind]])) >= MIN_GROUPS
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
    """Returns the skill of probes over all tasks; every kind of a task has the same weight."""
    places = np.concatenate(tasks)
    groups = context.groups[numbers]
    predicted = np.concatenate(
        [guess(features[task], wanted[task], groups[task]) for task in tasks]
    )
    task_of = np.repeat(np.arange(len(tasks)), [len(task) for task in tasks])
    pairs = np.stack([task_of, wanted[places]], axis=1)
    kinds, strata = np.unique(pairs, axis=0, return_inverse=True)
    accuracy = stats.balanced_accuracy(predicted == wanted[places], strata, groups[places])
    # Each task is one kind's worth of right guesses, whatever is guessed.
    return skill(accuracy, len(tasks) / len(kinds))


def guess(features: NDArray[np.float32], wanted: Numbers, groups: Numbers) -> Numbers:
    """Returns the predictions of linear probes that were fitted on other groups, [n].

    Args:
        features: [n, channels].
        wanted: what is to be predicted, [n], two kinds or more.
        groups: [n], five or more of each kind.
    """
    predicted = np.empty_like(wanted)
    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
    for fit, held_out in splitter.split(features, wanted, groups):
        fitted = make_pipeline(
            StandardScaler(), LogisticRegression(C=0.1, class_weight="balanced", max_iter=1000)
        ).fit(features[fit], wanted[fit])
        predicted[held_out] = fitted.predict(features[held_out])
    return predicted


def _verdict(of_source: Estimate, of_class: Estimate) -> Verdict:
    low = 0.0 if of_source.low is None else of_source.low
    if of_class.high is not None and low > of_class.high:
        return "fails"
    return "warns" if low > MAX_SKILL else "passes"
