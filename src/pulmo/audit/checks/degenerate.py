"""Degenerate results: the same class, probability or output for nearly all images."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pulmo import stats
from pulmo.audit.check import CannotRun, Message, Outcome, check
from pulmo.audit.check_result import Cell, Table, Verdict
from pulmo.audit.context import AuditContext
from pulmo.audit.screening import is_positive
from pulmo.core.files import sha256

ALWAYS_SHARE: Final = 0.99
"""Share of decisions from which a class counts as always predicted."""

MIN_SPREAD: Final = 0.01
"""Difference of the 97.5th and 2.5th percentile below which a probability counts as constant."""

SATURATED: Final = 1e-4
"""Distance from 1 below which a probability is saturated: it says that one image in ten thousand is
wrong, which no validation set can support."""

SATURATED_SHARE: Final = 0.5
"""Share of saturated probabilities from which the check warns."""

MIN_IMAGES: Final = 10
"""Images of a class from which the check fails if the class is never predicted."""

REPEATED_SHARE: Final = 0.01
"""Share of repeated results from which the check fails: single ones can be near copies."""

_MAX_LISTED: Final = 20

# Decimal places to which probabilities count as rounded, and what single precision adds to them.
_PLACES: Final = 6
_SINGLE: Final = 1e-7
_COLUMNS: Final = ("class", "images", "decided", "probability, 2.5 %", "median", "97.5 %")


class _Fault(NamedTuple):
    """A fault, and how bad it is."""

    verdict: Verdict
    message: Message


@check(
    "degenerate",
    question="Do the results depend on the image?",
    statement=(
        "The results depend on the image: every class with enough images is predicted, none is "
        "always predicted, and the probabilities are neither constant nor saturated."
    ),
)
def degenerate(context: AuditContext) -> Outcome:
    """Fails where results are constant or repeated, or a class is always or never predicted."""
    n, table = len(context.rows), context.probabilities
    if (context.sample.is_class.sum(axis=0) < MIN_IMAGES).all():
        raise CannotRun(
            "few-images", f"No class has {MIN_IMAGES} images: too few for a conclusion."
        )
    saturated = table.max(axis=1) > 1 - SATURATED
    repeats = _external_repeats(context) if context.is_external else _repeats(context)
    faults = [*_constant(context), *_classes(context), *_threshold(context)]
    if saturated.mean() >= SATURATED_SHARE:
        text = (
            f"{_percent(saturated.mean())} of the probabilities are above 0.9999. Such certainty "
            "cannot be supported by the validation images."
        )
        faults.append(_Fault("warns", Message("saturated", text)))
    if repeats.any():
        verdict: Verdict = "fails" if repeats.mean() >= REPEATED_SHARE else "warns"
        text = f"{repeats.sum():,} of {n:,} images have exactly the same output as another image."
        faults.append(_Fault(verdict, Message("repeated", text)))
    verdicts = [fault.verdict for fault in faults]
    worst: Verdict = "fails" if "fails" in verdicts else "warns" if verdicts else "passes"
    good = Message("no-fault", f"No constant, saturated or repeated results in {n:,} images.")
    return Outcome(
        worst,
        tuple(fault.message for fault in faults) or (good,),
        {
            "saturated": stats.proportion(saturated, context.groups),
            "repeated": stats.proportion(repeats, context.groups),
        },
        (Table(title="Decisions", columns=_COLUMNS, rows=tuple(_rows(context))),),
        images=tuple(
            path.rsplit("/", 1)[-1] for path in context.rows["path"][repeats].head(_MAX_LISTED)
        ),
    )


def _constant(context: AuditContext) -> list[_Fault]:
    """Returns the fault of constant probabilities."""
    low, high = np.percentile(context.probabilities, (2.5, 97.5), axis=0)
    if len(context.rows) > 1 and (high - low < MIN_SPREAD).all():
        text = "The probabilities are nearly the same for all images."
        return [_Fault("fails", Message("constant", text))]
    return []


def _classes(context: AuditContext) -> list[_Fault]:
    """Returns the faults of classes that are always or never predicted."""
    faults = []
    sample = context.sample
    decided, true = sample.called_class.mean(axis=0), sample.is_class.mean(axis=0)
    counts = sample.is_class.sum(axis=0)
    for label, often, share, n in zip(sample.labels, decided, true, counts, strict=True):
        if often >= ALWAYS_SHARE > share:
            text = (
                f"The model predicts {label} for {_percent(often)} of the images; "
                f"{_percent(share)} are {label}."
            )
            faults.append(_Fault("fails", Message("always-one-class", text)))
        elif often == 0 and n:
            verdict: Verdict = "fails" if n >= MIN_IMAGES else "warns"
            text = f"The model never predicts {label}; {n:,} {'is' if n == 1 else 'are'} {label}."
            faults.append(_Fault(verdict, Message("never-a-class", text)))
    return faults


def _threshold(context: AuditContext) -> list[_Fault]:
    """Returns the fault of a threshold that all images reach, or none."""
    positive, called = is_positive(context), context.decisions.positive
    if min(positive.sum(), (~positive).sum()) < MIN_IMAGES or 0 < called.mean() < 1:
        return []
    word = "Every" if called.all() else "No"
    text = f"{word} image reaches the threshold of a positive result. Choose another threshold."
    return [_Fault("fails", Message("useless-threshold", text))]


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


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
    if rounded.mean() > SATURATED_SHARE:
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
    """Returns a row for each class: images, decisions and quantiles of the probability."""
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
