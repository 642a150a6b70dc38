"""Calibration: whether the probabilities are right on the test images, too."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pulmo import stats
from pulmo.audit.check import CannotRun, Message, Outcome, check
from pulmo.audit.check_result import Cell, Table
from pulmo.audit.context import AuditContext
from pulmo.audit.screening import is_positive
from pulmo.evaluate.decision import NOT_NAMED
from pulmo.stats.estimate import Estimate
from pulmo.stats.estimates import estimate_metrics
from pulmo.stats.multiple import significantly_above
from pulmo.stats.recalibration import Line, recalibrate

MARGIN: Final = 0.05
"""Confidence minus accuracy above which the check fails: five more errors in a hundred images than
the probabilities say."""

MIN_IMAGES: Final = 20
"""Images, and groups, that a source needs for a result of its own."""

_MIN_ODDS: Final = 1e-12
_COLUMNS: Final = (
    "images of",
    "images",
    "mean confidence",
    "confidence minus accuracy",
    "calibration error",
    "slope",
    "intercept",
    "Brier score",
)


class _Calibration(NamedTuple):
    """How well the probabilities of some images are calibrated.

    Attributes:
        name: what the images are.
        n: how many.
        confidence: the mean of their highest probabilities.
        excess: that minus their accuracy.
        error: the expected calibration error.
        slope: of the positive score's log odds.
        intercept: likewise.
        brier: mean squared distance of the positive score from being positive or not.
    """

    name: str
    n: int
    confidence: float
    excess: Estimate
    error: Estimate
    slope: Estimate
    intercept: Estimate
    brier: Estimate


@check(
    "calibration",
    question="Are the probabilities calibrated on these images, too?",
    statement="The probabilities are calibrated: no significant overconfidence or underconfidence, "
    "over all images and in each stated source.",
)
def calibration(context: AuditContext) -> Outcome:
    """Fails where the confidence is significantly above the accuracy by more than the margin.

    Warns where it differs significantly at all, or where the slope or the intercept of the positive
    score does. All images and each source are tested together (Holm 1979).
    """
    everyone = np.arange(len(context.rows))
    if _too_few(context, everyone):
        raise CannotRun(
            "few-images",
            f"There are fewer than {MIN_IMAGES} images or groups: too few to measure calibration.",
        )
    sources = context.called.to_numpy(str)
    whole = _calibration(context, "all sources", everyone)
    each = [whole]
    for name in sorted(set(sources.tolist())):
        numbers = np.flatnonzero(sources == name)
        if len(numbers) < len(everyone) and not _too_few(context, numbers):
            each.append(_calibration(context, name, numbers))
    much = significantly_above([part.excess for part in each], MARGIN)
    off = _miscalibrated(each)
    messages = [
        Message(
            "calibration",
            f"{_temperature(context)} mean confidence is {whole.confidence:.3f}. Confidence minus "
            f"accuracy is {whole.excess.in_text} (ideal: 0). The calibration slope is "
            f"{whole.slope.in_text} (ideal: 1), the intercept {whole.intercept.in_text} (ideal: "
            "0).",
        )
    ]
    if much.any():
        messages.append(
            Message(
                "overconfident",
                f"The confidence is significantly more than {MARGIN} above the accuracy: "
                f"{_names(each, much)}. Calibrate the model on images of the place of use.",
            )
        )
    elif off.any():
        messages.append(
            Message("miscalibrated", f"Significantly miscalibrated: {_names(each, off)}.")
        )
    return Outcome(
        "fails" if much.any() else "warns" if off.any() else "passes",
        tuple(messages),
        {
            "confidence minus accuracy": whole.excess,
            "calibration error": whole.error,
            "slope": whole.slope,
            "intercept": whole.intercept,
            "Brier score": whole.brier,
        },
        (Table(title="Calibration", columns=_COLUMNS, rows=tuple(_row(part) for part in each)),),
    )


def _temperature(context: AuditContext) -> str:
    """Returns the start of the sentence on the confidence, with the temperatures if known."""
    cards = [part.model.card for part in context.parts]
    heat = ", ".join(f"{card.temperature:.2f}" for card in cards if card)
    return f"At the temperature fitted on the validation images ({heat}), the" if heat else "The"


def _too_few(context: AuditContext, numbers: NDArray[np.intp]) -> bool:
    return min(len(numbers), len(np.unique(context.groups[numbers]))) < MIN_IMAGES


def _calibration(context: AuditContext, name: str, numbers: NDArray[np.intp]) -> _Calibration:
    """Returns the calibration of rows [m]."""
    table = context.probabilities[numbers]
    sample = context.sample_of(table, numbers)
    line, brier = _of_positives(context, table, numbers)
    generator = context.generator("calibration")
    replicates = context.options.replicates
    found = estimate_metrics(sample, replicates, generator, ["calibration_error"])
    hits = sample.decided == sample.truth
    return _Calibration(
        name,
        len(numbers),
        float(sample.confidence.mean()),
        stats.mean(sample.confidence - hits, sample.groups),
        found.overall["calibration_error"],
        line.slope,
        line.intercept,
        brier,
    )


def _of_positives(
    context: AuditContext, table: NDArray[np.float64], numbers: NDArray[np.intp]
) -> tuple[Line, Estimate]:
    """Returns the recalibration and the Brier score of the positive score of rows [m]."""
    if not context.rule.positive:
        nothing = Estimate.undefined(NOT_NAMED, len(numbers))
        return Line(nothing, nothing), nothing
    positive, groups = is_positive(context)[numbers], context.groups_of(numbers)
    scores, wanted = context.rule.positive_probability(table), context.rule.positive
    others = [place for place, label in enumerate(context.rule.classes) if label not in wanted]
    # The sum of what is left, and not 1 - score, which rounds to 0 first.
    rest = table[:, others].sum(axis=1)
    odds = np.log(np.maximum(scores, _MIN_ODDS)) - np.log(np.maximum(rest, _MIN_ODDS))
    brier = stats.mean(np.square(scores - positive), groups)
    return recalibrate(positive, odds, groups), brier


def _miscalibrated(each: list[_Calibration]) -> NDArray[np.bool_]:
    """Tells in which rows the excess, the slope or the intercept is significantly wrong, [k]."""
    sides = [
        side
        for part in each
        for value, right in ((part.excess, 0.0), (part.slope, 1.0), (part.intercept, 0.0))
        for side in (value.rescaled(right, right + 1), value.rescaled(right, right - 1))
    ]
    return np.asarray(significantly_above(sides, 0.0).reshape(len(each), -1).any(axis=1))


def _names(each: list[_Calibration], chosen: NDArray[np.bool_]) -> str:
    return ", ".join(part.name for part, there in zip(each, chosen, strict=True) if there)


def _row(part: _Calibration) -> tuple[Cell, ...]:
    name, n, confidence, *values = part
    return (name, n, f"{confidence:.3f}", *values)
