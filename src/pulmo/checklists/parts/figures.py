"""What the evaluations say of how well the model does, and what that does not show."""

from collections.abc import Mapping

from pulmo.checklists.artefacts import Artefacts
from pulmo.checklists.checklist import Said
from pulmo.checklists.parts.evaluated import of_each
from pulmo.checklists.phrases import counted, figures, listed
from pulmo.evaluate.evaluation import Evaluation
from pulmo.report.words import metric_title, without_folders


def measures(artefacts: Artefacts) -> Said:
    """Says which figures are given."""

    def tell(evaluation: Evaluation) -> str:
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

    return of_each(artefacts, tell, "overall, classes, decision, sweep, roc, reliability")


def uncertainty(artefacts: Artefacts) -> Said:
    """Says what the intervals are of."""
    return of_each(
        artefacts,
        lambda evaluation: (
            "figures have 95 % intervals, each of which allows for "
            f"{evaluation.data.groups:,} groups of images (one patient, and known copies) as "
            "clusters; an undefined figure is null with its reason"
        ),
        "overall, classes, decision",
    )


def overall(artefacts: Artefacts) -> Said:
    """Gives the figures over all classes."""
    return of_each(artefacts, lambda evaluation: figures(evaluation.overall), "overall")


def by_class(artefacts: Artefacts) -> Said:
    """Gives the figures of each class against the rest."""
    return of_each(
        artefacts,
        lambda evaluation: "; ".join(
            f"{label}: {figures(by)}" for label, by in evaluation.classes.items()
        ),
        "classes",
    )


def at_threshold(artefacts: Artefacts) -> Said:
    """Gives the figures at the card's threshold."""

    def tell(evaluation: Evaluation) -> str:
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
        return f"{listed(decision.positive)} against the rest: {figures(found)}"

    return of_each(artefacts, tell, "decision")


def confusion(artefacts: Artefacts) -> Said:
    """Gives the confusion of true and decided classes."""
    order = artefacts.card.labels.order

    def tell(evaluation: Evaluation) -> str:
        rows = (
            f"{true} decided as {counted(dict(zip(order, row, strict=True)))}"
            for true, row in zip(order, evaluation.confusion, strict=True)
        )
        return "; ".join(rows)

    return of_each(artefacts, tell, "confusion")


def within_sources(artefacts: Artefacts) -> Said:
    """Gives the comparisons within one source, which the source cannot win."""

    def tell(evaluation: Evaluation) -> str:
        return "; ".join(
            f"within {each.source}, {' and '.join(each.positive)} ({each.n_positive:,}) against "
            f"{' and '.join(each.negative)} ({each.n_negative:,}): AUC {each.auc}"
            for each in evaluation.contrasts
        )

    return of_each(
        artefacts,
        tell,
        "contrasts",
        "No evaluation given has classes to compare within one source that is stated.",
    )


def subgroups(artefacts: Artefacts) -> Said:
    """Gives the figures of subgroups."""

    def tell(evaluation: Evaluation) -> str:
        return "; ".join(
            f"{each.fact} {each.name} (n = {each.n:,}): sensitivity {each.sensitivity}, "
            f"specificity {each.specificity}"
            for each in evaluation.subgroups
        )

    return of_each(
        artefacts,
        tell,
        "subgroups",
        "No evaluation given has figures of subgroups (age, sex, view); evaluate on images of "
        "which these are stated.",
    )


def doubts(artefacts: Artefacts) -> Said:
    """Says what the figures do not show."""
    return of_each(
        artefacts,
        lambda evaluation: " ".join(
            without_folders(sentence, evaluation.data.failed) for sentence in evaluation.warnings
        ),
        "warnings",
        "No evaluation given warns of anything: look for what its figures do not show.",
    )


def _names(mapping: Mapping[str, object]) -> str:
    return ", ".join(map(metric_title, mapping))
