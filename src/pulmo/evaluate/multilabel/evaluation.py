"""LabelsEvaluation: the content of `evaluation.json` where an image may have several findings."""

from pathlib import Path
from typing import Literal

from pulmo.core.message import Message
from pulmo.core.record import Record, read_record
from pulmo.evaluate.evaluation import Evaluation, ModelName
from pulmo.stats.estimate import Estimate


class LabelsEvaluation(Record):
    """All results of one evaluation of several findings per image."""

    format: Literal["labels 2"] = "labels 2"
    """Tells it from an `Evaluation`, whose format is a number."""
    model: ModelName
    manifest_sha256: str
    """SHA-256 of the file of predictions."""
    n: int
    """Images that are labelled for some finding."""
    groups: int
    """Clusters of images (patients, copies) that were resampled together."""
    whole: int
    """Images that are labelled for every finding of `labels`."""
    overall: dict[str, Estimate]
    """Metric -> value over all findings."""
    labels: dict[str, Evaluation]
    """Finding -> its evaluation, of the images labelled for it, as a class against its absence."""
    together: tuple[tuple[int, ...], ...]
    """Images that have both findings, in the order of `labels`; the diagonal: that have the one."""
    unlabelled: tuple[str, ...] = ()
    """Findings that no image is labelled for."""
    warnings: tuple[Message, ...]
    """What these metrics do not show, as sentences."""
    notes: tuple[str, ...] = ()
    """How the table of predictions was read, as sentences."""


def read_labels_evaluation(path: Path) -> LabelsEvaluation:
    """Reads an evaluation of several findings per image.

    Raises:
        InputError: the file is missing or is not such an evaluation.
    """
    return read_record(path, LabelsEvaluation, "an evaluation of several findings per image")
