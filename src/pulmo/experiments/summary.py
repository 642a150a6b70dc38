"""Summary: what a repeated experiment found, over all its runs; the content of `summary.json`."""

from pathlib import Path
from typing import Literal

from pulmo.core.record import Record, read_record
from pulmo.evaluate.evaluation import Evaluation
from pulmo.stats.estimate import Estimate


class RunFigures(Record):
    """One run."""

    name: str
    """Its folder."""
    fold: int | None
    seed: int
    epochs: int
    best_epoch: int
    minutes: float
    """Time spent on training steps."""
    n: int
    """Images that it was judged on."""
    weights_sha256: str
    figures: dict[str, Estimate]
    """`metric` over all classes, or `class.metric`."""


class Pooled(Record):
    """All held-out folds together, by the runs of one seed."""

    seed: int
    n: int
    groups: int
    figures: dict[str, Estimate]


class Summary(Record):
    """All runs of a repeated experiment."""

    format: Literal[1] = 1
    recipe: str
    manifest_sha256: str
    folds: int
    """0 where the manifest's own split stands."""
    seeds: tuple[int, ...]
    judged_on: Literal["held-out fold", "validation"]
    runs: tuple[RunFigures, ...]
    mean: dict[str, Estimate]
    """Figure -> its mean; `n` counts folds, or seeds."""
    pooled: tuple[Pooled, ...]
    notes: tuple[str, ...]
    """What the figures mean, as sentences."""


def read_summary(path: Path) -> Summary:
    """Reads a summary.

    Raises:
        InputError: the file is missing or is not a summary.
    """
    return read_record(path, Summary, "a summary")


def flat(evaluation: Evaluation) -> dict[str, Estimate]:
    """Returns all figures of an evaluation: `metric` over all classes, or `class.metric`."""
    decision = evaluation.decision
    return {
        **evaluation.overall,
        "sensitivity": decision.sensitivity,
        "specificity": decision.specificity,
        **{
            f"{label}.{name}": estimate
            for label, metrics in evaluation.classes.items()
            for name, estimate in metrics.items()
        },
    }
