"""Label noise: labels that the model contradicts with confidence."""

from pathlib import PurePath
from typing import Final

import numpy as np
from cleanlab.filter import find_label_issues
from numpy.typing import NDArray

from pulmo import stats
from pulmo.audit.accuracy import balanced_accuracy
from pulmo.audit.check import CannotRun, Message, Outcome, check
from pulmo.audit.check_result import Cell, Table
from pulmo.audit.context import AuditContext

MAX_DOUBTFUL: Final = 0.02
"""Share of doubtful labels above which the check warns: the labels then limit every metric."""

MIN_IMAGES: Final = 10
"""Images that a class needs, so that its mean probability can serve as a threshold."""

MIN_ACCURACY: Final = 0.7
"""Balanced accuracy that a model needs: confident learning assumes nearly correct probabilities."""

MAX_LISTED: Final = 20
"""Greatest number of images that are listed."""

_COLUMNS: Final = ("image", "source", "label", "the model's class", "its probability")


@check(
    "label-noise",
    question="Are labels of the test images likely to be wrong?",
    statement="Not significantly more than 2 % of the labels of the test images are in doubt.",
)
def label_noise(context: AuditContext) -> Outcome:
    """Warns where many labels are in doubt; the model may be the one that is wrong."""
    counts = np.bincount(context.truth, minlength=len(context.rule.classes))
    if (counts >= MIN_IMAGES).sum() < 2:
        raise CannotRun(
            "few-images",
            f"Fewer than two classes have {MIN_IMAGES} images: too few for a conclusion.",
        )
    skill = balanced_accuracy(context, np.arange(len(context.rows)), context.sample.decided)
    if (skill.value or 0.0) < MIN_ACCURACY:
        raise CannotRun(
            "low-accuracy",
            f"The balanced accuracy is {skill.in_text}: too low (below {MIN_ACCURACY}) to find "
            "wrong labels.",
        )
    doubts = doubtful_labels(context.probabilities, context.truth)
    doubtful = np.zeros(len(context.rows), np.bool_)
    doubtful[doubts] = True
    share = stats.proportion(doubtful, context.groups)
    much = share.low is not None and share.low > MAX_DOUBTFUL
    text = (
        f"{len(doubts):,} of {len(doubtful):,} labels are in doubt (confident learning): "
        f"{share.in_text}."
    )
    if len(doubts):
        text += " Let a radiologist review them: the label may be wrong, or the model."
    table = Table(
        title="Labels in doubt, the most doubtful first",
        columns=_COLUMNS,
        rows=tuple(_rows(context, doubts[:MAX_LISTED])),
    )
    return Outcome(
        "warns" if much else "passes",
        (Message("doubtful-labels", text),),
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
