"""A summary as tables to read."""

from collections.abc import Sequence
from typing import Final

from pulmo.experiments.summary import Summary
from pulmo.report.markdown import markdown_table
from pulmo.report.words import metric_title
from pulmo.stats.estimate import Estimate

_OF_A_RUN: Final = (
    "accuracy", "balanced_accuracy", "macro_auc", "log_loss", "sensitivity", "specificity",
)  # fmt: skip
"""The figures in the table of the runs; the table of the figures has all of them."""


def summary_text(summary: Summary) -> str:
    """Returns a summary as Markdown: each run, then each figure over the runs."""
    many = f"{len(summary.seeds)} seed{'' if len(summary.seeds) == 1 else 's'}"
    title = f"{summary.folds} folds, {many}" if summary.folds else many
    parts = [
        f"# {summary.recipe}: {title}\n",
        f"Each run, judged on its {summary.judged_on}:\n",
        markdown_table(_runs(summary)),
        "Each figure, with its 95 % interval:\n",
        markdown_table(_figures(summary)),
        *(f"{note}\n" for note in summary.notes),
    ]
    return "\n".join(parts)


def figure_title(name: str) -> str:
    """Turns a figure's name into a heading: `covid.auc` becomes `AUC of covid`."""
    label, _, metric = name.rpartition(".")
    return f"{metric_title(metric)} of {label}" if label else metric_title(metric)


def _runs(summary: Summary) -> list[list[str]]:
    names = [name for name in _OF_A_RUN if name in summary.mean]
    heading = ["Run", "n", "Epochs", "Best", "Minutes", *map(figure_title, names)]
    rows = [
        [run.name, f"{run.n:,}", str(run.epochs), str(run.best_epoch), f"{run.minutes:.1f}"]
        + [_value(run.figures[name]) for name in names]
        for run in summary.runs
    ]
    return [heading, *rows]


def _figures(summary: Summary) -> list[list[str]]:
    pooled = summary.pooled
    columns = [f"Pooled, seed {part.seed}" if len(pooled) > 1 else "Pooled" for part in pooled]
    heading = ["Figure", "Lowest run", "Highest run", "Mean", *columns]
    rows = [
        [figure_title(name), *_ends([run.figures[name] for run in summary.runs]), _short(mean)]
        + [_short(part.figures[name]) for part in pooled]
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
    """Gives a figure as `0.955 (0.923-0.974)`, without the reason for what is missing."""
    if estimate.value is None or estimate.low is None:
        return _value(estimate)
    return str(estimate)
