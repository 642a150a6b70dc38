"""What an evaluation says of decisions: thresholds, prediction sets, internal and external."""

from pulmo.core.record import Record
from pulmo.stats.estimate import Estimate


class DecisionMetrics(Record):
    """How the threshold of the card does here."""

    positive: tuple[str, ...]
    """Classes that count as positive; empty if none was named."""
    threshold: float | None
    """Summed probability of these from which a result is positive; None: the decided class is."""
    sensitivity: Estimate
    specificity: Estimate
    auc: Estimate | None = None
    """AUC of the summed probability."""
    ppv: Estimate | None = None
    """Share of the positive results that are right, at the prevalence of these images."""
    npv: Estimate | None = None
    positive_likelihood_ratio: Estimate | None = None
    negative_likelihood_ratio: Estimate | None = None
    prevalence: float | None = None
    """Share of positive images where the model would be used, if it was stated."""
    ppv_at_prevalence: Estimate | None = None
    npv_at_prevalence: Estimate | None = None


class Threshold(Record):
    """What one threshold of the summed positive probability would do."""

    threshold: float
    sensitivity: float
    specificity: float
    ppv: float | None
    npv: float | None
    net_benefit: float | None
    """Vickers and Elkin 2006; None at 1."""
    treat_all: float | None
    """Net benefit of calling every image positive."""


class Histogram(Record):
    """Images of a class in equal ranges of the positive probability from 0 to 1."""

    counts: tuple[int, ...]


class SetMetrics(Record):
    """How the conformal sets of the card do here."""

    coverage: float
    """The share of images whose set should hold their class."""
    covered: Estimate
    """The share whose set does."""
    classes: dict[str, Estimate]
    """Class -> the share of its images whose set holds it; no share was chosen for a class."""
    size: Estimate
    """Mean number of classes in a set."""
    sizes: tuple[int, ...]
    """Images whose set has 0, 1, 2, ... classes."""


class Gap(Record):
    """A metric on internal and on external images."""

    internal: Estimate
    external: Estimate
    gap: Estimate
    """The external value minus the internal one."""


class InternalExternal(Record):
    """The same model's metrics on images like those of its training, and the gaps to these."""

    manifest_sha256: str
    n: int
    gaps: dict[str, Gap]
    """Metric over all classes, or `sensitivity`, `specificity` and `auc` of the decision."""
    worst: str | None
    """The source here with the lowest AUC of the positive classes; None if none has one."""
