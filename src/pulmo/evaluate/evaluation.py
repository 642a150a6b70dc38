"""Evaluation: the content of `evaluation.json`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from pulmo.bundle.predictor import Predictor
from pulmo.core.files import read_bytes, sha256
from pulmo.core.message import Message
from pulmo.core.record import Record, read_record
from pulmo.evaluate.decision_results import (
    DecisionMetrics,
    Histogram,
    InternalExternal,
    SetMetrics,
    Threshold,
)
from pulmo.predictions.decision_rule import DecisionRule
from pulmo.predictions.operating_point import Band, BandShares, OperatingPoint
from pulmo.predictions.predictions import Failure
from pulmo.stats.estimate import Estimate


def _of_classes(value: object) -> object:
    """Refuses an evaluation of several findings, and names what to use instead."""
    if value == "labels 2":
        raise PydanticCustomError(
            "labels",
            "it is of several findings per image; name the folder of one finding, below labels",
        )
    return value


ClassesFormat = Annotated[Literal[2], BeforeValidator(_of_classes)]
"""That of one class an image."""


class ModelName(Record):
    """Which model was evaluated."""

    name: str
    version: str
    sha256: str
    """SHA-256 of `model.onnx`."""

    @classmethod
    def from_predictor(cls, predictor: Predictor) -> Self:
        """Takes them of an opened bundle."""
        card = predictor.card
        return cls(name=card.name, version=card.created, sha256=predictor.sha256)

    @classmethod
    def from_table(cls, path: Path) -> Self:
        """Takes them of a model of which only a table is known: the file's name and hash."""
        return cls(name=path.stem, version="predictions", sha256=sha256(read_bytes(path)))


class EvaluatedData(Record):
    """What the model was evaluated on."""

    manifest_sha256: str
    split: str | None
    """The split of the manifest that was taken; None for all of it."""
    views: tuple[str, ...] = ()
    """The views that were chosen of it; empty for all."""
    modalities: tuple[str, ...] = ()
    """The modalities that were chosen of it; empty for all."""
    n: int
    groups: int
    """Clusters of images (patients, copies) that were resampled together."""
    labels: dict[str, int]
    """Class -> images."""
    sources: dict[str, dict[str, int]]
    """Source -> class -> images."""
    effective_sources: Mapping[str, dict[str, int]] = {}
    """The same of `pulmo.datasets.effective_source`; empty if they are the sources."""
    skipped: dict[str, int]
    """Label that the model does not know -> images left out."""
    failed: tuple[Failure, ...]
    excluded: tuple[Failure, ...] = ()
    """Images that took no part because the model was trained or chosen on them."""
    image_notes: Mapping[str, int] | None = None
    """Kind of note on an image or on the model -> images, the commonest first; None where the
    predictions do not tell."""
    test_accesses: int | None = None
    """How often the test that these images are of was evaluated with this model, this time
    included; None if no image is of a test."""


class ReportRow(Record):
    """A row of the classification report; None where a value is undefined."""

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
    """The images that share one value of a fact."""

    fact: str
    name: str
    n: int
    groups: int
    accuracy: Estimate
    auc: Estimate
    """AUC of the summed positive probability."""
    sensitivity: Estimate
    specificity: Estimate


class PatientMetrics(Record):
    """The metrics of one result per patient: the mean over the patient's images."""

    n: int
    mixed: int
    """Patients left out because their images are of several classes."""
    overall: dict[str, Estimate]
    classes: dict[str, dict[str, Estimate]]
    confusion: tuple[tuple[int, ...], ...]
    decision: DecisionMetrics


class ReliabilityBin(Record):
    """Images whose highest probability lies in one of ten equal bins."""

    low: float
    high: float
    n: int
    confidence: float | None
    """Mean highest probability; None without images."""
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
    """All results of one evaluation."""

    format: ClassesFormat = 2
    model: ModelName
    data: EvaluatedData
    merges: Mapping[str, str] = {}
    """Label -> class that it counts as."""
    overall: dict[str, Estimate]
    """Metric -> value over all classes."""
    classes: dict[str, dict[str, Estimate]]
    """Class -> metric -> value, one against the rest."""
    confusion: tuple[tuple[int, ...], ...]
    """Images [true class, decided class], in the order of the card's labels."""
    decision: DecisionMetrics
    fitted: OperatingPoint | None = None  # where a threshold that is not the card's is from
    bands: Mapping[Band, BandShares] = {}
    sets: SetMetrics | None = None
    reliability: tuple[ReliabilityBin, ...]
    roc: dict[str, Curve]
    contrasts: tuple[Contrast, ...]
    precision_recall: Mapping[str, PrecisionRecall] = {}
    pairs: tuple[Pair, ...] = ()
    classification_report: Mapping[str, ReportRow] = {}
    sweep: tuple[Threshold, ...] = ()
    histograms: Mapping[str, Histogram] = {}
    """Class -> its images by positive probability or, if no class is positive, by its own."""
    subgroups: tuple[Subgroup, ...] = ()
    patients: PatientMetrics | None = None
    """None if each patient or group has one image."""
    internal: InternalExternal | None = None
    """None if no internal evaluation was named."""
    scored: bool = True  # else only decisions were known, and what needs probabilities is null
    notes: tuple[str, ...] = ()  # how a table of predictions was read, as sentences
    warnings: tuple[Message, ...]
    """What these metrics do not show, as sentences."""

    def decision_rule(self) -> DecisionRule:
        """Returns the rule that the predictions were read by, without triage and sets."""
        return DecisionRule(
            tuple(self.classes),
            self.merges,
            self.decision.positive,
            self.decision.threshold,
            scored=self.scored,
        )


def read_evaluation(path: Path) -> Evaluation:
    """Reads an evaluation.

    Raises:
        InputError: the file is missing or is not an evaluation.
    """
    return read_record(path, Evaluation, "an evaluation")
