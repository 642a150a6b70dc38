"""Labels that the model contradicts with confidence."""

from pathlib import PurePath
from typing import Final

import numpy as np
from cleanlab.filter import find_label_issues
from numpy.typing import NDArray

from pulmo import stats
from pulmo.audit.accuracy import balanced_accuracy
from pulmo.audit.check import Answer, Unanswered, check
from pulmo.audit.context import AuditContext
from pulmo.audit.finding import Cell, Table

MUCH: Final = 0.02
"""Share of doubtful labels from which figures near 1 say more of the labels than of the model."""

FEWEST: Final = 10
"""Images of a class from which its mean probability is known well enough to be a threshold."""

ENOUGH: Final = 0.7
"""Balanced accuracy below which a model's doubts say nothing of the labels: confident learning
supposes probabilities that are nearly right."""

NAMED: Final = 20
"""Images that are named at most."""

_COLUMNS: Final = ("image", "source", "label", "the model's class", "its probability")


@check(
    "label-noise",
    question="Are there labels that the model contradicts with confidence?",
    claim="contradicts few of the labels that it is judged by, not surely more than 2 %",
)
def label_noise(context: AuditContext) -> Answer:
    """Warns where many labels are in doubt; the model may be the one that is wrong."""
    counts = np.bincount(context.truth, minlength=len(context.rule.classes))
    if (counts >= FEWEST).sum() < 2:
        raise Unanswered(f"Fewer than two classes have {FEWEST} images.")
    skill = balanced_accuracy(context, np.arange(len(context.rows)), context.sample.decided)
    if (skill.value or 0.0) < ENOUGH:
        raise Unanswered(
            f"With a balanced accuracy of {skill} the model's doubts say nothing of the labels."
        )
    doubts = doubtful_labels(context.probabilities, context.truth)
    doubtful = np.zeros(len(context.rows), np.bool_)
    doubtful[doubts] = True
    share = stats.proportion(doubtful, context.groups)
    much = share.low is not None and share.low > MUCH
    sentence = (
        f"By confident learning {len(doubts):,} of {len(doubtful):,} labels are in doubt, "
        f"{share} of them."
    )
    if len(doubts):
        sentence += " A person must look: the model may be the one that is wrong."
    table = Table(
        title="Labels in doubt, the most doubtful first",
        columns=_COLUMNS,
        rows=tuple(_rows(context, doubts[:NAMED])),
    )
    return Answer(
        "warns" if much else "passes",
        sentence,
        {"doubtful": share},
        (table,) if len(doubts) else (),
        images=tuple(str(row[0]) for row in table.rows),
    )


def doubtful_labels(table: NDArray[np.float64], truth: NDArray[np.intp]) -> NDArray[np.intp]:
    """Returns the rows of the labels in doubt by confident learning (Northcutt et al. 2021).

    They are the images off the diagonal of the confident joint, ranked by how much less likely
    the label is than the likeliest other class.

    Args:
        table: probabilities of images that the model was not fitted on, [n, classes].
        truth: the label's class, [n].
    """
    found = find_label_issues(
        truth,
        table,
        filter_by="confident_learning",
        return_indices_ranked_by="normalized_margin",
        n_jobs=1,
    )
    return np.asarray(found, np.intp)


def _rows(context: AuditContext, doubts: NDArray[np.intp]) -> list[tuple[Cell, ...]]:
    order, table = context.rule.classes, context.probabilities
    return [
        (
            PurePath(str(context.rows["path"].iloc[row])).name,
            str(context.called.iloc[row]),
            order[context.truth[row]],
            order[table[row].argmax()],
            f"{table[row].max():.3f}",
        )
        for row in doubts
    ]
