"""Whether probabilities that were calibrated on validation are right on the judged images."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pulmo import stats
from pulmo.audit.check import Answer, Unanswered, check
from pulmo.audit.context import AuditContext
from pulmo.audit.finding import Cell, Table
from pulmo.audit.screening import is_positive
from pulmo.evaluate.decision import NOT_NAMED
from pulmo.stats.estimate import Estimate
from pulmo.stats.estimates import estimate_metrics
from pulmo.stats.multiple import surely_above
from pulmo.stats.recalibration import Line, recalibrate

MARGIN: Final = 0.05
"""Confidence above accuracy that fails: of a hundred images, five more are wrong than is said."""

FEWEST: Final = 20
"""Images, and groups, of a source from which its calibration is judged."""

_LEAST: Final = 1e-12
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
    question="Do the probabilities mean here what they meant on the validation images?",
    claim="is neither surely too sure nor surely too unsure of itself here, nor in any one source "
    "that is stated",
)
def calibration(context: AuditContext) -> Answer:
    """Fails where the confidence is surely above the accuracy by more than the margin.

    Warns where it is surely off at all, or where the slope or the intercept of the positive score
    surely is. All images and each source are tested together (Holm 1979).
    """
    everyone = np.arange(len(context.rows))
    if _too_few(context, everyone):
        raise Unanswered(f"There are fewer than {FEWEST} images or groups.")
    sources = context.called.to_numpy(str)
    whole = _calibration(context, "all sources", everyone)
    each = [whole]
    for name in sorted(set(sources.tolist())):
        numbers = np.flatnonzero(sources == name)
        if len(numbers) < len(everyone) and not _too_few(context, numbers):
            each.append(_calibration(context, name, numbers))
    much = surely_above([part.excess for part in each], MARGIN)
    off = _surely_off(each)
    sentence = (
        f"{_temperature(context)} mean confidence is {whole.confidence:.3f}; minus the accuracy it "
        f"is {whole.excess}. The slope is {whole.slope}, the intercept {whole.intercept}."
    )
    if much.any():
        sentence += f" Surely too sure by more than {MARGIN}: {_names(each, much)}."
    elif off.any():
        sentence += f" Surely off: {_names(each, off)}."
    return Answer(
        "fails" if much.any() else "warns" if off.any() else "passes",
        sentence,
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
    """Begins the sentence on the confidence, with the temperatures if they are known."""
    cards = [part.model.card for part in context.parts]
    heat = ", ".join(f"{card.temperature:.2f}" for card in cards if card)
    return f"With the temperature of the validation images, {heat}, the" if heat else "The"


def _too_few(context: AuditContext, numbers: NDArray[np.intp]) -> bool:
    return min(len(numbers), len(np.unique(context.groups[numbers]))) < FEWEST


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
    odds = np.log(np.maximum(scores, _LEAST)) - np.log(np.maximum(rest, _LEAST))
    brier = stats.mean(np.square(scores - positive), groups)
    return recalibrate(positive, odds, groups), brier


def _surely_off(each: list[_Calibration]) -> NDArray[np.bool_]:
    """Tells of which images the excess, the slope or the intercept is surely not right, [k]."""
    figures = [
        side
        for part in each
        for figure, right in ((part.excess, 0.0), (part.slope, 1.0), (part.intercept, 0.0))
        for side in (figure.rescaled(right, right + 1), figure.rescaled(right, right - 1))
    ]
    return np.asarray(surely_above(figures, 0.0).reshape(len(each), -1).any(axis=1))


def _names(each: list[_Calibration], chosen: NDArray[np.bool_]) -> str:
    return ", ".join(part.name for part, there in zip(each, chosen, strict=True) if there)


def _row(part: _Calibration) -> tuple[Cell, ...]:
    name, n, confidence, *figures = part
    return (name, n, f"{confidence:.3f}", *figures)
