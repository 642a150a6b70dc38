"""Evaluation: the content of `evaluation.json`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Self

from pulmo.bundle.card import Band, BandShares, OperatingPoint
from pulmo.bundle.predictor import Predictor
from pulmo.core.record import Record, read_record
from pulmo.evaluate.formats import ClassesFormat
from pulmo.evaluate.set_figures import SetFigures
from pulmo.stats.estimate import Estimate


class ModelName(Record):
    """Which model was evaluated."""

    name: str
    version: str
    sha256: str
    """SHA-256 of `model.onnx`."""

    @classmethod
    def of(cls, predictor: Predictor) -> Self:
        """Takes them of an opened bundle."""
        card = predictor.card
        return cls(name=card.name, version=card.created, sha256=predictor.sha256)


class Failure(Record):
    """A picture that could not be evaluated."""

    path: str
    reason: str


class EvaluatedData(Record):
    """What the model was evaluated on."""

    manifest_sha256: str
    split: str | None
    """The split of the manifest that was taken; None for all of it."""
    n: int
    groups: int
    """Clusters of pictures (patients, copies) that were resampled together."""
    labels: dict[str, int]
    """Class -> pictures."""
    sources: dict[str, dict[str, int]]
    """Source -> class -> pictures."""
    homes: Mapping[str, dict[str, int]] = {}
    """The same of `pulmo.evaluate.homes`; empty if they are the sources."""
    skipped: dict[str, int]
    """Label that the model does not know -> pictures left out."""
    failed: tuple[Failure, ...]
    voided: tuple[Failure, ...] = ()
    """Pictures that took no part because the model was trained or chosen on them."""
    notes: Mapping[str, int] | None = None
    """Kind of note on a picture or on the model -> pictures, the commonest first; None where the
    predictions do not tell."""
    openings: int | None = None
    """How often the test that these pictures are of was opened with this model, this time included;
    None if no picture is of a test."""


class DecisionFigures(Record):
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
    """Share of the positive results that are right, at the prevalence of these pictures."""
    npv: Estimate | None = None
    positive_likelihood_ratio: Estimate | None = None
    negative_likelihood_ratio: Estimate | None = None
    prevalence: float | None = None
    """Share of positive pictures where the model would be used, if it was stated."""
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
    """Net benefit of calling every picture positive."""


class Histogram(Record):
    """Pictures of a class in equal ranges of the positive probability from 0 to 1."""

    counts: tuple[int, ...]


class ReportRow(Record):
    """A row of the classification report; None where a figure is undefined."""

    precision: float | None
    recall: float | None
    f1: float | None
    support: int


class Pair(Record):
    """Two classes over all sources."""

    first: str
    second: str
    auc: Estimate
    """AUC of P(first) / (P(first) + P(second))."""


class Subgroup(Record):
    """The pictures that share one value of a fact."""

    fact: str
    name: str
    n: int
    groups: int
    accuracy: Estimate
    auc: Estimate
    """AUC of the summed positive probability."""
    sensitivity: Estimate
    specificity: Estimate


class Gap(Record):
    """A figure inside and outside."""

    inside: Estimate
    here: Estimate
    gap: Estimate
    """The figure here minus that inside."""


class Beside(Record):
    """The same model's figures on pictures like those of its training."""

    manifest_sha256: str
    n: int
    figures: dict[str, Gap]
    """Metric over all classes, or `sensitivity`, `specificity` and `auc` of the decision."""
    worst: str | None
    """The source here with the lowest AUC of the positive classes; None if none has one."""


class PatientFigures(Record):
    """The figures of one result a patient: the mean over the patient's pictures."""

    n: int
    mixed: int
    """Patients left out because their pictures are of several classes."""
    overall: dict[str, Estimate]
    classes: dict[str, dict[str, Estimate]]
    confusion: tuple[tuple[int, ...], ...]
    decision: DecisionFigures


class ReliabilityBin(Record):
    """Pictures whose highest probability lies in one of ten equal bins."""

    low: float
    high: float
    n: int
    confidence: float | None
    """Mean highest probability; None without pictures."""
    accuracy: float | None


class Curve(Record):
    """A ROC curve, thinned for drawing."""

    false_positive_rate: tuple[float, ...]
    true_positive_rate: tuple[float, ...]


class PrecisionRecall(Record):
    """A precision-recall curve, thinned for drawing."""

    recall: tuple[float, ...]
    precision: tuple[float, ...]


class Contrast(Record):
    """Two groups of classes within one source: the only comparison that the source cannot win."""

    source: str
    positive: tuple[str, ...]
    negative: tuple[str, ...]
    n_positive: int
    n_negative: int
    auc: Estimate
    """AUC of P(positive) / (P(positive) + P(negative))."""
    accuracy: Estimate
    """Share whose larger side is the true one."""
    sensitivity: Estimate
    specificity: Estimate


class Evaluation(Record):
    """All figures of one evaluation."""

    format: ClassesFormat = 1
    model: ModelName
    data: EvaluatedData
    overall: dict[str, Estimate]
    """Metric -> figure over all classes."""
    classes: dict[str, dict[str, Estimate]]
    """Class -> metric -> figure, one against the rest."""
    confusion: tuple[tuple[int, ...], ...]
    """Pictures [true class, decided class], in the order of the card's labels."""
    decision: DecisionFigures
    fitted: OperatingPoint | None = None  # where a threshold that is not the card's is from
    bands: Mapping[Band, BandShares] = {}
    sets: SetFigures | None = None
    reliability: tuple[ReliabilityBin, ...]
    roc: dict[str, Curve]
    contrasts: tuple[Contrast, ...]
    precision_recall: Mapping[str, PrecisionRecall] = {}
    pairs: tuple[Pair, ...] = ()
    classification_report: Mapping[str, ReportRow] = {}
    sweep: tuple[Threshold, ...] = ()
    histograms: Mapping[str, Histogram] = {}
    """Class -> its pictures by positive probability or, if no class is positive, by its own."""
    subgroups: tuple[Subgroup, ...] = ()
    patients: PatientFigures | None = None
    """None if each patient or group has one picture."""
    beside: Beside | None = None
    """None if no evaluation inside was named."""
    scored: bool = True  # else only decisions were known, and what needs probabilities is null
    notes: tuple[str, ...] = ()  # how a table of predictions was read, as sentences
    warnings: tuple[str, ...]
    """What these figures do not show, as sentences."""


def read_evaluation(path: Path) -> Evaluation:
    """Reads an evaluation.

    Raises:
        InputError: the file is missing or is not an evaluation.
    """
    return read_record(path, Evaluation, "an evaluation")
