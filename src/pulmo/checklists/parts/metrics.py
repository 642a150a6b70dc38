"""The statements of evaluations on metrics, and their warnings."""

from collections.abc import Mapping

from pulmo.checklists.artefacts import Artefacts
from pulmo.checklists.checklist import Statement
from pulmo.checklists.parts.evaluated import of_each
from pulmo.checklists.phrases import counted, values
from pulmo.core.message import listed, texts
from pulmo.evaluate.evaluation import Evaluation
from pulmo.report.words import metric_title, without_folders


def measures(artefacts: Artefacts) -> Statement:
    """States which metrics are given."""

    def text_of(evaluation: Evaluation) -> str:
        of_classes = dict.fromkeys(name for by in evaluation.classes.values() for name in by)
        words = [
            f"over all classes: {_names(evaluation.overall)}",
            f"for each class: {_names(of_classes)}",
            "at the threshold: sensitivity and specificity",
        ]
        further = {
            "net benefit over thresholds": evaluation.sweep,
            "ROC curves": evaluation.roc,
            "precision-recall curves": evaluation.precision_recall,
            "reliability by confidence": evaluation.reliability,
        }
        return "; ".join([*words, *(name for name, there in further.items() if there)])

    return of_each(artefacts, text_of, "overall, classes, decision, sweep, roc, reliability")


def uncertainty(artefacts: Artefacts) -> Statement:
    """States what the intervals are of."""
    return of_each(
        artefacts,
        lambda evaluation: (
            "metrics have 95 % intervals that allow for "
            f"{evaluation.data.groups:,} groups of images (one patient, and known copies) as "
            "clusters; an undefined value is null with its reason"
        ),
        "overall, classes, decision",
    )


def overall(artefacts: Artefacts) -> Statement:
    """States the metrics over all classes."""
    return of_each(artefacts, lambda evaluation: values(evaluation.overall), "overall")


def by_class(artefacts: Artefacts) -> Statement:
    """States the metrics of each class against the rest."""
    return of_each(
        artefacts,
        lambda evaluation: "; ".join(
            f"{label}: {values(by)}" for label, by in evaluation.classes.items()
        ),
        "classes",
    )


def at_threshold(artefacts: Artefacts) -> Statement:
    """States the metrics at the card's threshold."""

    def text_of(evaluation: Evaluation) -> str:
        decision = evaluation.decision
        optional = {
            "AUC": decision.auc,
            "PPV": decision.ppv,
            "NPV": decision.npv,
            "positive likelihood ratio": decision.positive_likelihood_ratio,
            "negative likelihood ratio": decision.negative_likelihood_ratio,
        }
        found = {"sensitivity": decision.sensitivity, "specificity": decision.specificity}
        found |= {name: value for name, value in optional.items() if value is not None}
        return f"{listed(decision.positive)} against the rest: {values(found)}"

    return of_each(artefacts, text_of, "decision")


def confusion(artefacts: Artefacts) -> Statement:
    """States the confusion matrix."""
    order = artefacts.card.labels.order

    def text_of(evaluation: Evaluation) -> str:
        rows = (
            f"{true} decided as {counted(dict(zip(order, row, strict=True)))}"
            for true, row in zip(order, evaluation.confusion, strict=True)
        )
        return "; ".join(rows)

    return of_each(artefacts, text_of, "confusion")


def within_sources(artefacts: Artefacts) -> Statement:
    """States the comparisons within one source, in which the source is no clue."""

    def text_of(evaluation: Evaluation) -> str:
        return "; ".join(
            f"within {each.source}, {' and '.join(each.positive)} ({each.n_positive:,}) against "
            f"{' and '.join(each.negative)} ({each.n_negative:,}): AUC {each.auc}"
            for each in evaluation.contrasts
        )

    return of_each(
        artefacts,
        text_of,
        "contrasts",
        "No given evaluation has two classes within one stated source.",
    )


def subgroups(artefacts: Artefacts) -> Statement:
    """States the metrics of subgroups."""

    def text_of(evaluation: Evaluation) -> str:
        return "; ".join(
            f"{each.fact} {each.name} (n = {each.n:,}): sensitivity {each.sensitivity}, "
            f"specificity {each.specificity}"
            for each in evaluation.subgroups
        )

    return of_each(
        artefacts,
        text_of,
        "subgroups",
        "No given evaluation has subgroups (age, sex, view). Evaluate on images for which these "
        "are stated.",
    )


def warnings(artefacts: Artefacts) -> Statement:
    """States the warnings of the evaluations."""
    return of_each(
        artefacts,
        lambda evaluation: " ".join(
            without_folders(text, evaluation.data.failed) for text in texts(evaluation.warnings)
        ),
        "warnings",
        "No given evaluation has a warning. State the limitations.",
    )


def _names(mapping: Mapping[str, object]) -> str:
    return ", ".join(map(metric_title, mapping))
