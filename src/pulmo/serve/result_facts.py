"""What a result says in short, as its own page says it."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from pulmo.audit.check_result import Audit
from pulmo.datasets.inspect.inspection import Inspection
from pulmo.evaluate.evaluation import Evaluation
from pulmo.evaluate.multilabel.evaluation import LabelsEvaluation
from pulmo.experiments.summary import Summary
from pulmo.report.comparison import Comparison
from pulmo.stats.estimate import Estimate

Facts = list[tuple[str, str]]
_Index = Evaluation | LabelsEvaluation | Audit | Comparison | Inspection | Summary

_KINDS: Final[Mapping[str, TypeAdapter[Any]]] = {
    "evaluation": TypeAdapter(Evaluation | LabelsEvaluation),
    "audit": TypeAdapter(Audit),
    "comparison": TypeAdapter(Comparison),
    "inspection": TypeAdapter(Inspection),
    "repeats": TypeAdapter(Summary),
}
"""Kind of result -> what its index holds."""


def facts_of(kind: str, index: bytes) -> Facts:
    """Returns the main facts of a result; what it does not have is left out.

    Args:
        kind: of the result; there are none of a kind whose index is not known here.
        index: the content of its index.
    """
    if kind not in _KINDS:
        return []
    try:
        read: _Index = _KINDS[kind].validate_json(index)
    except ValidationError:
        return [("Problem", "It cannot be read, or another version of pulmo made it.")]
    return [(name, text) for name, text in _facts(read) if text]


def _facts(read: _Index) -> Facts:
    match read:
        case Evaluation():
            whole = [
                ("Model", read.model.name),
                ("Images", str(read.data.n)),
                ("Balanced accuracy", _value(read.overall, "balanced_accuracy")),
            ]
            decision, positive = read.decision, ", ".join(read.decision.positive)
            values = {
                "AUC of": decision.auc,
                "Sensitivity for": decision.sensitivity,
                "Specificity for": decision.specificity,
            }
            named = [(f"{name} {positive}", str(value)) for name, value in values.items()]
            return whole + (named if positive else [])
        case LabelsEvaluation():
            return [
                ("Model", read.model.name),
                ("Images", str(read.n)),
                ("Findings", ", ".join(read.labels)),
            ]
        case Audit():
            return [("Model", read.model.name), ("Result", read.summary)]
        case Comparison():
            return [("Models", ", ".join(model.name for model in read.models))]
        case Inspection():
            return [("Manifest", read.name), ("Result", read.verdict)]
        case Summary():
            return [
                ("Recipe", read.recipe),
                ("Runs", str(len(read.runs))),
                ("Balanced accuracy", _value(read.mean, "balanced_accuracy")),
            ]


def _value(values: Mapping[str, Estimate], name: str) -> str:
    return str(values[name]) if name in values else ""
