"""What is fitted on validation images, as a card holds it: thresholds, triage, prediction sets."""

from typing import Annotated, Final, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from pulmo.core.record import Record
from pulmo.stats.estimate import Estimate

Band = Literal["negative", "uncertain", "positive"]

BANDS: Final[tuple[Band, ...]] = get_args(Band)
"""In the order of the probability."""


class OperatingPoint(Record):
    """A threshold of the summed positive probability, fitted on validation images."""

    threshold: Annotated[float, Field(ge=0, le=1)]
    """A result is positive at or above it."""
    metric: Literal["sensitivity", "specificity"] = "sensitivity"
    """What it was chosen for."""
    aim: float
    """The value of the metric for which it was chosen."""
    confidence: float | None = None
    """Of the guarantee that the threshold reaches the aim on all images like those (Angelopoulos
    et al. 2021); None without one: it reaches the aim on those, and may miss it on others."""
    reason: str | None = None
    """Why it is not guaranteed."""
    independent: int | None = None
    """Validation images of the metric's side, one a patient or group; None if not counted."""
    sensitivity: Estimate
    """The sensitivity that the validation images show at the threshold."""
    specificity: Estimate
    """The specificity that the validation images show at the threshold."""


class BandShares(Record):
    """How much falls into one band."""

    images: Estimate
    """Share of all images; it changes with the prevalence."""
    positives: Estimate
    """Share of the images of the positive classes."""
    negatives: Estimate
    """Share of the others."""


class Bands(Record):
    """Triage: below one threshold negative, from another one positive, uncertain between."""

    rule_out: OperatingPoint
    """Chosen for a sensitivity; a result below its threshold is in the band `negative`."""
    rule_in: OperatingPoint
    """Chosen for a specificity; its threshold is never below that of `rule_out`."""
    shares: dict[Band, BandShares]
    """What the validation images show."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.rule_in.threshold < self.rule_out.threshold:
            raise ValueError("the threshold of rule_in is below that of rule_out")
        return self

    def place(self, scores: NDArray[np.float64]) -> NDArray[np.intp]:
        """Returns the index in `BANDS` of the band of each summed positive probability, [n]."""
        limits = (self.rule_out.threshold, self.rule_in.threshold)
        return np.searchsorted(limits, scores, side="right")


class PredictionSets(Record):
    """Conformal sets: the classes that an image may be of (LAC, Sadinle et al. 2019).

    A set holds each class whose probability is at least `least`. Of images like those of the
    validation, a share of `coverage` or more is expected to have its class in its set, over all
    classes together; a single class may have less. A set may be empty.
    """

    coverage: float
    """The share that was chosen, in (0, 1)."""
    least: Annotated[float, Field(ge=0, le=1)]
    """0 if the validation images are too few for the coverage: each set holds each class."""
    independent: int
    """Validation images that it rests on, one a patient or group."""
    covered: Estimate
    """Share of the validation images whose set holds their class."""
    size: Estimate
    """Mean number of classes in their sets."""
