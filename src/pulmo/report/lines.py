"""Lines: a metric's name, its value, its interval, and where that lies on the metric's scale."""

from collections.abc import Iterable, Mapping, Sequence
from math import inf
from typing import Final, NamedTuple

from pulmo.evaluate.evaluation import Evaluation
from pulmo.report.words import metric_title
from pulmo.stats.estimate import Estimate
from pulmo.stats.metric import METRICS

Bounds = tuple[float, float]

UNBOUNDED: Final[Bounds] = (0.0, inf)
MAIN: Final = ("recall", "specificity", "auc")
"""The metrics of a class that a page shows first."""

DECIDED: Final = {
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "auc": "AUC",
    "accuracy": "Accuracy",
}
"""Metric of the decision in each subgroup and source -> its title."""


class Line(NamedTuple):
    """One line of a table of metrics.

    Attributes:
        name: what the first column says.
        estimate: the value.
        bounds: the ends of the metric's scale; a bar is drawn where both are finite.
        note: a few words below the name.
        baseline: the value without the model or the clue, marked on the bar.
        flagged: whether the note is a warning.
    """

    name: str
    estimate: Estimate
    bounds: Bounds = (0.0, 1.0)
    note: str = ""
    baseline: float | None = None
    flagged: bool = False

    @property
    def drawn(self) -> bool:
        """Whether the value and its whole interval lie on the scale."""
        ends = (self.estimate.low, self.estimate.value, self.estimate.high)
        low, high = self.bounds
        return high < inf and all(end is not None and low <= end <= high for end in ends)

    @property
    def width(self) -> str:
        """How wide the interval is, in percent of the scale; only of a line that is drawn."""
        low, high = self.estimate.low or 0.0, self.estimate.high or 0.0
        return f"{100 * (high - low) / (self.bounds[1] - self.bounds[0]):.2f}"

    @property
    def alt(self) -> str:
        """What the bar shows, in words."""
        low, high = self.bounds
        ends = f"{self.estimate.low:.3f} to {self.estimate.high:.3f}"
        mark = "" if self.baseline is None else f"; {self.baseline:.3f} is marked"
        return f"{ends} on a scale from {low:g} to {high:g}{mark}"

    def place(self, value: float) -> str:
        """Returns where a value lies, in percent of the scale."""
        low, high = self.bounds
        return f"{100 * (value - low) / (high - low):.2f}"


Groups = Mapping[str, Sequence[Line]]
"""Heading -> the lines below it; an empty heading is not shown."""


def metric_line(metric: str, estimate: Estimate, name: str | None = None) -> Line:
    """Makes a line of a metric of `pulmo.evaluate`, called by its title unless a name is given."""
    known = METRICS[metric] if metric in METRICS else None  # noqa: SIM401 - get() refuses
    bounds = known.bounds if known else (0.0, 1.0)
    note = "smaller is better" if known and not known.larger_is_better else ""
    return Line(metric_title(metric) if name is None else name, estimate, bounds, note)


def key_lines(evaluation: Evaluation) -> list[Line]:
    """Returns the few lines that answer how well the model does.

    Sensitivity, specificity and AUC of the decision where classes are named positive; of several
    classes, or where none is named, balanced accuracy and macro AUC too.
    """
    decision, lines = evaluation.decision, []
    if decision.positive:
        lines += [
            Line("Sensitivity", decision.sensitivity),
            Line("Specificity", decision.specificity),
        ]
        if decision.auc is not None:
            lines.append(Line("AUC", decision.auc))
    if not decision.positive or len(evaluation.classes) > 2:
        lines += [
            metric_line(name, evaluation.overall[name])
            for name in ("balanced_accuracy", "macro_auc")
            if name in evaluation.overall
        ]
    return lines


def class_groups(
    classes: Mapping[str, Mapping[str, Estimate]], order: Iterable[str]
) -> dict[str, list[Line]]:
    """Returns metric -> a line a class; the metrics that matter most come first."""
    labels = [label for label in order if label in classes]
    names = dict.fromkeys(name for label in labels for name in classes[label])
    ordered = sorted(names, key=lambda name: MAIN.index(name) if name in MAIN else len(MAIN))
    return {
        name: [
            metric_line(name, classes[label][name], label)
            for label in labels
            if name in classes[label]
        ]
        for name in ordered
    }


def decision_groups(evaluation: Evaluation) -> dict[str, list[Line]]:
    """Returns the lines of the decision between positive and negative."""
    decision = evaluation.decision
    at = f" where {decision.prevalence:.3g} of all are positive" if decision.prevalence else ""
    found = (
        ("Sensitivity", decision.sensitivity, (0.0, 1.0)),
        ("Specificity", decision.specificity, (0.0, 1.0)),
        ("AUC", decision.auc, (0.0, 1.0)),
        ("Positive likelihood ratio", decision.positive_likelihood_ratio, UNBOUNDED),
        ("Negative likelihood ratio", decision.negative_likelihood_ratio, UNBOUNDED),
        ("Positive predictive value, in this set", decision.ppv, (0.0, 1.0)),
        ("Negative predictive value, in this set", decision.npv, (0.0, 1.0)),
        (f"Positive predictive value{at}", decision.ppv_at_prevalence, (0.0, 1.0)),
        (f"Negative predictive value{at}", decision.npv_at_prevalence, (0.0, 1.0)),
    )
    return {
        "": [
            Line(name, estimate, bounds) for name, estimate, bounds in found if estimate is not None
        ]
    }


def contrast_groups(evaluation: Evaluation) -> dict[str, list[Line]]:
    """Returns metric -> a line for each two groups of classes within a source."""
    return {
        DECIDED[name]: [
            Line(
                f"{one.source}: {' + '.join(one.positive)} against {' + '.join(one.negative)}",
                getattr(one, name),
                note=f"{one.n_positive:,} and {one.n_negative:,} images",
            )
            for one in evaluation.contrasts
        ]
        for name in ("auc", "sensitivity", "specificity", "accuracy")
    }


def subgroup_groups(evaluation: Evaluation) -> dict[str, list[Line]]:
    """Returns metric -> a line for each subgroup."""
    return {
        title: [
            Line(
                f"{one.fact}: {one.name}",
                getattr(one, name),
                note=f"{one.n:,} images, {one.groups:,} groups",
            )
            for one in evaluation.subgroups
        ]
        for name, title in DECIDED.items()
    }


def patient_groups(evaluation: Evaluation, order: Sequence[str]) -> dict[str, list[Line]]:
    """Returns metric -> its value by image and by patient, over all classes and of each."""
    patients = evaluation.patients
    if patients is None:
        return {}
    pairs = {
        (name, metric_title(name)): (evaluation.overall.get(name), estimate)
        for name, estimate in patients.overall.items()
    } | {
        (name, f"{metric_title(name)} of {label}"): (
            evaluation.classes[label].get(name),
            patients.classes[label].get(name),
        )
        for label in order
        for name in MAIN
    }
    return {
        title: [metric_line(name, one, "by image"), metric_line(name, other, "by patient")]
        for (name, title), (one, other) in pairs.items()
        if one is not None and other is not None
    }


def internal_groups(evaluation: Evaluation) -> dict[str, list[Line]]:
    """Returns metric -> its value on internal images, on these, and the gap."""
    if evaluation.internal is None:
        return {}
    groups = {}
    for name, one in evaluation.internal.gaps.items():
        inside = metric_line(name, one.internal, "internal")
        reach = inside.bounds[1] - inside.bounds[0]
        gap = Line("gap", one.gap, (-reach, reach))
        groups[metric_title(name)] = [inside, metric_line(name, one.external, "external"), gap]
    return groups


def calibrated_groups(evaluation: Evaluation) -> tuple[Groups, Groups]:
    """Returns band -> the shares of the images in it, and how often a set holds the class."""
    bands: Groups = {
        str(band): [
            Line("of all images", shares.images),
            Line(f"of {' + '.join(evaluation.decision.positive) or 'positive'}", shares.positives),
            Line("of the others", shares.negatives),
        ]
        for band, shares in evaluation.bands.items()
    }
    if evaluation.sets is None:
        return bands, {}
    of_class = [Line(label, share) for label, share in evaluation.sets.classes.items()]
    return bands, {"": [Line("all images", evaluation.sets.covered), *of_class]}
