"""Outputs that hardly depend on the image."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pulmo import stats
from pulmo.audit.check import Answer, Unanswered, check
from pulmo.audit.context import AuditContext
from pulmo.audit.finding import Cell, Table, Verdict
from pulmo.audit.screening import is_positive
from pulmo.core.files import sha256

ALWAYS: Final = 0.99
"""Share of the images from which a class counts as always decided on."""

CONSTANT: Final = 0.01
"""Difference of a class's 97.5th and 2.5th percentile below which its probability is constant: no
decision that a reader would take hangs on a hundredth."""

SATURATED: Final = 1e-4
"""Distance from 1 below which a probability is saturated: it claims that one image in ten
thousand is wrong, more than validation images can show."""

MANY: Final = 0.5
"""Share of the images from which saturation is told of."""

FEWEST: Final = 10
"""Images of a class from which it is a fault that no image is decided to be of it."""

REPEATED: Final = 0.01
"""Share of the images from which results that repeat those of others are a fault: single ones can
be near copies."""

_NAMED: Final = 20

# Decimal places to which probabilities count as rounded, and what single precision adds to them.
_PLACES: Final = 6
_SINGLE: Final = 1e-7
_COLUMNS: Final = ("class", "images", "decided", "probability, 2.5 %", "median", "97.5 %")


class _Fault(NamedTuple):
    """One thing that is wrong."""

    verdict: Verdict
    sentence: str


@check(
    "degenerate",
    question="Do the results depend on the image?",
    claim=(
        "decides on every class that has enough images, on none of them always, and gives "
        "different images different probabilities that are not saturated"
    ),
)
def degenerate(context: AuditContext) -> Answer:
    """Fails where results are constant, one class always wins or one never, or results repeat."""
    n, table = len(context.rows), context.probabilities
    if (context.sample.is_class.sum(axis=0) < FEWEST).all():
        raise Unanswered(f"No class has {FEWEST} images.")
    saturated = table.max(axis=1) > 1 - SATURATED
    repeats = _external_repeats(context) if context.is_external else _repeats(context)
    faults = [*_constant(context), *_classes(context), *_threshold(context)]
    if saturated.mean() >= MANY:
        faults.append(
            _Fault("warns", f"{saturated.mean():.0%} of the probabilities are within 0.0001 of 1.")
        )
    if repeats.any():
        verdict: Verdict = "fails" if repeats.mean() >= REPEATED else "warns"
        words = f"{repeats.sum():,} of {n:,} images have exactly the result of a different one."
        faults.append(_Fault(verdict, words))
    verdicts = [fault.verdict for fault in faults]
    worst: Verdict = "fails" if "fails" in verdicts else "warns" if verdicts else "passes"
    sentence = " ".join(fault.sentence for fault in faults)
    return Answer(
        worst,
        sentence or f"No result is constant, saturated or repeated among {n:,} images.",
        {
            "saturated": stats.proportion(saturated, context.groups),
            "repeated": stats.proportion(repeats, context.groups),
        },
        (Table(title="Decisions", columns=_COLUMNS, rows=tuple(_rows(context))),),
        images=tuple(
            path.rsplit("/", 1)[-1] for path in context.rows["path"][repeats].head(_NAMED)
        ),
    )


def _constant(context: AuditContext) -> list[_Fault]:
    """Returns the fault of probabilities that are all the same."""
    low, high = np.percentile(context.probabilities, (2.5, 97.5), axis=0)
    if len(context.rows) > 1 and (high - low < CONSTANT).all():
        return [_Fault("fails", "Every class has nearly the same probability for all images.")]
    return []


def _classes(context: AuditContext) -> list[_Fault]:
    """Returns the faults of classes that are decided on always, or never."""
    faults = []
    sample = context.sample
    decided, true = sample.called_class.mean(axis=0), sample.is_class.mean(axis=0)
    counts = sample.is_class.sum(axis=0)
    for label, often, share, n in zip(sample.labels, decided, true, counts, strict=True):
        if often >= ALWAYS > share:
            words = f"{often:.0%} of the images are called {label}, {share:.0%} are."
            faults.append(_Fault("fails", words))
        elif often == 0 and n:
            verdict: Verdict = "fails" if n >= FEWEST else "warns"
            words = f"No image is called {label}, although {n:,} {'is' if n == 1 else 'are'}."
            faults.append(_Fault(verdict, words))
    return faults


def _threshold(context: AuditContext) -> list[_Fault]:
    """Returns the fault of a threshold that all images reach, or none."""
    positive, called = is_positive(context), context.decisions.positive
    if min(positive.sum(), (~positive).sum()) < FEWEST or 0 < called.mean() < 1:
        return []
    word = "Every" if called.all() else "No"
    return [_Fault("fails", f"{word} image reaches the threshold of a positive result.")]


def _repeats(context: AuditContext) -> NDArray[np.bool_]:
    """Tells which images have exactly the logits of another image that looks different, [n]."""
    looks = np.array([sha256(image.tobytes()) for image in context.images])
    return _shared(context.outputs.logits, looks)


def _external_repeats(context: AuditContext) -> NDArray[np.bool_]:
    """Tells which images have exactly the probabilities of another image, [n].

    Probabilities that were rounded to six places or fewer repeat by accident, and so do those that
    single precision has made 1; they count as none.
    """
    table, rows = context.probabilities, context.rows
    rounded = np.abs(table - table.round(_PLACES)).max(axis=1) < _SINGLE
    if rounded.mean() > MANY:
        return np.zeros(len(rows), np.bool_)
    looks = rows["pixels_sha256"].astype("string").fillna(rows["sha256"].astype("string"))
    looks = looks.fillna(rows["path"].astype("string"))
    return np.asarray(_shared(table, looks.to_numpy(str)) & (table.max(axis=1) < 1))


def _shared(results: NDArray[np.floating], looks: NDArray[np.str_]) -> NDArray[np.bool_]:
    """Tells which of results [n, k] are exactly those of another image with other looks, [n]."""
    found = np.unique(results, axis=0, return_inverse=True)[1].ravel()
    different = np.unique(np.stack([found, np.unique(looks, return_inverse=True)[1]]), axis=1)
    return np.asarray(np.bincount(different[0])[found] > 1)


def _rows(context: AuditContext) -> list[tuple[Cell, ...]]:
    """Returns what is decided and with which probabilities, a row a class."""
    sample = context.sample
    points = np.percentile(sample.probabilities, (2.5, 50, 97.5), axis=0)
    return [
        (
            label,
            int(sample.is_class[:, place].sum()),
            int(sample.called_class[:, place].sum()),
            *(f"{point:.3f}" for point in points[:, place]),
        )
        for place, label in enumerate(sample.labels)
    ]
