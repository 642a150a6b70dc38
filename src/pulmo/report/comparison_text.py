"""A comparison as tables and lines for people."""

from pulmo.report.comparison import ComparedModel, Comparison, PairedTest
from pulmo.report.markdown import markdown_table
from pulmo.report.words import metric_title
from pulmo.stats.estimate import Estimate

_HEADING = ["Model", "n", "Recipe", "Network", "Weights", "Epochs", "Minutes"]


def comparison_text(comparison: Comparison) -> str:
    """Returns a table of the models, one of their metrics, and a line for each paired test."""
    models = comparison.models
    names = list(dict.fromkeys(name for model in models for name in model.metrics))
    rows = [
        [metric_title(name), *(_value(model.metrics.get(name)) for model in models)]
        for name in names
    ]
    return "\n".join(
        [
            markdown_table([_HEADING, *(_model(model) for model in models)]),
            markdown_table([["Metric", *(model.name for model in models)], *rows]),
            *(f"Order: {', '.join(order.names)}." for order in comparison.orders),
            *(sentence for order in comparison.orders for sentence in order.sentences),
            *(paired_sentence(test) for test in comparison.tests),
            *comparison.notes,
        ]
    )


def _model(model: ComparedModel) -> list[str]:
    return [
        model.name,
        f"{model.n:,}",
        model.recipe or "-",
        model.backbone or "-",
        "-" if model.parameters is None else f"{model.parameters:,}",
        "-" if model.epochs is None else f"{model.epochs:g}",
        "-" if model.minutes is None else f"{model.minutes:.1f}",
    ]


def _value(estimate: Estimate | None) -> str:
    if estimate is None or estimate.value is None:
        return "-"
    return f"{estimate.value:.3f}" if estimate.low is None else str(estimate)


def paired_sentence(test: PairedTest) -> str:
    """Gives a test as a line."""
    difference = test.difference
    metric = f"{metric_title(test.metric)} of {test.of}"
    if difference.value is None or test.p is None or test.p_holm is None:
        return f"{test.name} - {test.against}: {metric} undefined ({difference.reason})"
    interval = (
        f"{difference.low:+.3f} to {difference.high:+.3f}"
        if difference.low is not None and difference.high is not None
        else f"no interval: {difference.reason}"
    )
    return (
        f"{test.name} - {test.against}: {metric} {difference.value:+.3f} ({interval}), p "
        f"{_p(test.p)}, corrected {_p(test.p_holm)} ({test.test}, n = {difference.n:,})"
    )


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
