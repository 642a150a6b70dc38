"""Summary: what a repeated experiment found over all its runs, in `summary.json` and as text."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

from pulmo.core.record import Record, read_record
from pulmo.evaluate.evaluation import Evaluation
from pulmo.report.markdown import markdown_table
from pulmo.report.words import metric_title
from pulmo.stats.estimate import Estimate

_OF_A_RUN: Final = (
    "accuracy", "balanced_accuracy", "macro_auc", "log_loss", "sensitivity", "specificity",
)  # fmt: skip
"""The metrics in the table of the runs; the other table has all of them."""


class RunMetrics(Record):
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
    """Images that it was evaluated on."""
    weights_sha256: str
    metrics: dict[str, Estimate]
    """`metric` over all classes, or `class.metric`."""


class Pooled(Record):
    """All held-out folds together, by the runs of one seed."""

    seed: int
    n: int
    groups: int
    metrics: dict[str, Estimate]


class Summary(Record):
    """All runs of a repeated experiment."""

    format: Literal[1] = 1
    recipe: str
    manifest_sha256: str
    folds: int
    """0 with the manifest's own split."""
    seeds: tuple[int, ...]
    evaluated_on: Literal["held-out fold", "validation"]
    runs: tuple[RunMetrics, ...]
    mean: dict[str, Estimate]
    """Metric -> its mean; `n` counts folds, or seeds."""
    pooled: tuple[Pooled, ...]
    notes: tuple[str, ...]
    """What the values mean, as sentences."""


def read_summary(path: Path) -> Summary:
    """Reads a summary.

    Raises:
        InputError: the file is missing or is not a summary.
    """
    return read_record(path, Summary, "a summary")


def flat(evaluation: Evaluation) -> dict[str, Estimate]:
    """Returns all metrics of an evaluation: `metric` over all classes, or `class.metric`."""
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


def summary_text(summary: Summary) -> str:
    """Returns a summary as Markdown: each run, then each metric over the runs."""
    many = f"{len(summary.seeds)} seed{'' if len(summary.seeds) == 1 else 's'}"
    title = f"{summary.folds} folds, {many}" if summary.folds else many
    parts = [
        f"# {summary.recipe}: {title}\n",
        f"Each run, evaluated on its {summary.evaluated_on}:\n",
        markdown_table(_runs(summary)),
        "Each metric, with its 95 % interval:\n",
        markdown_table(_metrics(summary)),
        *(f"{note}\n" for note in summary.notes),
    ]
    return "\n".join(parts)


def metric_heading(name: str) -> str:
    """Turns a metric's name into a heading: `covid.auc` becomes `AUC of covid`."""
    label, _, metric = name.rpartition(".")
    return f"{metric_title(metric)} of {label}" if label else metric_title(metric)


def _runs(summary: Summary) -> list[list[str]]:
    names = [name for name in _OF_A_RUN if name in summary.mean]
    heading = ["Run", "n", "Epochs", "Best", "Minutes", *map(metric_heading, names)]
    rows = [
        [run.name, f"{run.n:,}", str(run.epochs), str(run.best_epoch), f"{run.minutes:.1f}"]
        + [_value(run.metrics[name]) for name in names]
        for run in summary.runs
    ]
    return [heading, *rows]


def _metrics(summary: Summary) -> list[list[str]]:
    pooled = summary.pooled
    columns = [f"Pooled, seed {part.seed}" if len(pooled) > 1 else "Pooled" for part in pooled]
    heading = ["Metric", "Lowest run", "Highest run", "Mean", *columns]
    rows = [
        [metric_heading(name), *_ends([run.metrics[name] for run in summary.runs]), _short(mean)]
        + [_short(part.metrics[name]) for part in pooled]
        for name, mean in summary.mean.items()
    ]
    return [heading, *rows]


def _ends(estimates: Sequence[Estimate]) -> tuple[str, str]:
    """Returns the lowest and the highest value, or dashes where there is none."""
    values = [estimate.value for estimate in estimates if estimate.value is not None]
    return (f"{min(values):.3f}", f"{max(values):.3f}") if values else ("-", "-")


def _value(estimate: Estimate) -> str:
    return "-" if estimate.value is None else f"{estimate.value:.3f}"


def _short(estimate: Estimate) -> str:
    """Gives a value as `0.955 (0.923-0.974)`, without the reason for what is missing."""
    if estimate.value is None or estimate.low is None:
        return _value(estimate)
    return str(estimate)
