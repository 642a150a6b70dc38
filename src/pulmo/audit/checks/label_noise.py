"""Labels that the model contradicts with confidence."""

from pathlib import PurePath
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pulmo.audit.check import Answer, Unanswered, check
from pulmo.audit.finding import Cell, Table
from pulmo.audit.shares import balanced_accuracy
from pulmo.audit.subject import Subject
from pulmo.evaluate.intervals import proportion_estimate

MUCH: Final = 0.02
"""Share of doubtful labels from which figures near 1 say more of the labels than of the model."""

FEWEST: Final = 10
"""Pictures of a class from which its mean probability is known well enough to be a threshold."""

ENOUGH: Final = 0.7
"""Balanced accuracy below which a model's doubts say nothing of the labels: confident learning
supposes probabilities that are nearly right."""

NAMED: Final = 20
"""Pictures that are named at most."""

_COLUMNS: Final = ("picture", "source", "label", "the model's class", "its probability")


class Doubts(NamedTuple):
    """Labels that are in doubt.

    Attributes:
        rows: their rows, [m], the most doubtful first.
        classes: the class that each may truly be of, [m].
    """

    rows: NDArray[np.intp]
    classes: NDArray[np.intp]


@check(
    "label-noise",
    question="Are there labels that the model contradicts with confidence?",
    claim="does not confidently contradict surely more than 2 % of the labels it is judged by",
)
def label_noise(subject: Subject) -> Answer:
    """Warns where many labels are in doubt; the model may be the one that is wrong."""
    counts = np.bincount(subject.truth, minlength=len(subject.labels.order))
    if (counts >= FEWEST).sum() < 2:
        raise Unanswered(f"Fewer than two classes have {FEWEST} pictures.")
    skill = balanced_accuracy(subject, np.arange(len(subject.rows)), subject.sample.decided)
    if (skill.value or 0.0) < ENOUGH:
        raise Unanswered(
            f"With a balanced accuracy of {skill} the model's doubts say nothing of the labels."
        )
    doubts = confident_doubts(subject.probabilities, subject.truth)
    doubtful = np.zeros(len(subject.rows), np.bool_)
    doubtful[doubts.rows] = True
    share = proportion_estimate(doubtful, subject.groups, "there are no pictures")
    much = share.low is not None and share.low > MUCH
    sentence = (
        f"By confident learning {len(doubts.rows):,} of {len(doubtful):,} labels are in doubt, "
        f"{share} of them."
    )
    if len(doubts.rows):
        sentence += " A person must look: the model may be the one that is wrong."
    named = Doubts(*(each[:NAMED] for each in doubts))
    table = Table(
        title="Labels in doubt, the most doubtful first",
        columns=_COLUMNS,
        rows=tuple(_rows(subject, named)),
    )
    return Answer(
        "warns" if much else "passes",
        sentence,
        {"doubtful": share},
        (table,) if len(doubts.rows) else (),
        pictures=tuple(str(row[0]) for row in table.rows),
    )


def confident_doubts(table: NDArray[np.float64], truth: NDArray[np.intp]) -> Doubts:
    """Returns the labels in doubt by confident learning (Northcutt et al. 2021).

    A class's threshold is the mean probability of the class among the pictures that have it as a
    label (equation 2). A picture is confidently of the likeliest class among those whose threshold
    its probability reaches (equation 1). Where that is not its label, the label is in doubt: these
    are the pictures off the diagonal of the confident joint. They are ranked by how much less
    likely the label is than the likeliest other class.

    Args:
        table: probabilities of pictures that the model was not fitted on, [n, classes].
        truth: the label's class, [n].
    """
    classes = table.shape[1]
    # A class without pictures has no threshold, and none is confidently of it.
    thresholds = np.full(classes, np.inf)
    for place in np.unique(truth):
        thresholds[place] = table[truth == place, place].mean()
    reached = np.where(table >= thresholds, table, -1.0)
    likeliest = reached.argmax(axis=1)
    doubtful = (reached.max(axis=1) >= 0) & (likeliest != truth)
    everyone = np.arange(len(table))
    others = table.copy()
    others[everyone, truth] = -1.0
    margins = table[everyone, truth] - others.max(axis=1)
    rows = np.flatnonzero(doubtful)
    rows = rows[np.argsort(margins[rows], kind="stable")]
    return Doubts(rows, likeliest[rows])


def _rows(subject: Subject, doubts: Doubts) -> list[tuple[Cell, ...]]:
    order, table = subject.labels.order, subject.probabilities
    return [
        (
            PurePath(str(subject.rows["path"].iloc[row])).name,
            str(subject.rows["source"].iloc[row]),
            order[subject.truth[row]],
            order[place],
            f"{table[row, place]:.3f}",
        )
        for row, place in zip(doubts.rows, doubts.classes, strict=True)
    ]
