"""The page: an evaluation, its model's card and a gallery become one HTML file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pulmo.bundle.card import RESEARCH_ONLY, Card
from pulmo.core.errors import UsageError
from pulmo.core.files import write_atomically
from pulmo.core.message import texts
from pulmo.evaluate.evaluation import Evaluation
from pulmo.explain.overlay import colour_stops
from pulmo.report import lines, words
from pulmo.report.command import training_command
from pulmo.report.figures import MIN_IMAGES, draw_reliability, draw_roc, draw_training
from pulmo.report.gallery import Shown, file_name
from pulmo.report.score_figures import (
    draw_decision_curve,
    draw_histograms,
    draw_precision_recall,
    draw_sweep,
)
from pulmo.report.shortcuts import within_source
from pulmo.report.template import render
from pulmo.report.words import metric_title


@dataclass(frozen=True)
class ReportContent:
    """What a report shows.

    Attributes:
        evaluation: the results.
        card: the card of the model that was evaluated; None if only its predictions are known.
        gallery: images with heat maps, in the order in which they are shown; may be empty.
    """

    evaluation: Evaluation
    card: Card | None
    gallery: Sequence[Shown] = ()


def write_report(path: Path, content: ReportContent) -> None:
    """Writes a report as one HTML file.

    The file holds everything it shows: it needs no network, no script and no fonts, and forbids
    them by its content security policy. It names files without their folders. The same content
    gives the same bytes.

    Args:
        path: the file to write.
        content: what to show.

    Raises:
        UsageError: the evaluation is of a model with other classes than the card's.
        InputError: an image of the gallery is not a PNG, or the file cannot be written.
    """
    write_atomically(path, render_report(content).encode())


def render_report(content: ReportContent) -> str:
    """Returns a report as HTML.

    Raises:
        UsageError: the evaluation is of a model with other classes than the card's.
        InputError: an image of the gallery is not a PNG.
    """
    evaluation, card = content.evaluation, content.card
    if card is not None:
        _check_same_classes(evaluation, card)
    order = tuple(evaluation.classes) if card is None else card.labels.order
    failed = evaluation.data.failed
    return render(
        "evaluation",
        {
            "evaluation": evaluation,
            "card": card,
            "order": order,
            "warnings": [
                words.without_folders(text, failed) for text in texts(evaluation.warnings)
            ],
            "failed": [
                (file_name(one.path), words.without_folders(one.reason, failed)) for one in failed
            ],
            "gallery": _by_class(content.gallery, order),
            "colours": colour_stops(12),
            "sections": _sections(evaluation, card),
            **_numbers(evaluation, order),
            **_drawings(evaluation, order),
            "training": [] if card is None else draw_training(card.training),
            "command": None if card is None else training_command(card.training),
        },
        notice=RESEARCH_ONLY if card is None else card.notice,
    )


def _numbers(evaluation: Evaluation, order: Sequence[str]) -> dict[str, object]:
    """Returns the tables of metrics, and what is known of shortcuts."""
    bands, sets = lines.calibrated_groups(evaluation)
    classes = lines.class_groups(evaluation.classes, order)
    return {
        "key": lines.key_lines(evaluation),
        "within": within_source(evaluation),
        "decided": [sum(column) for column in zip(*evaluation.confusion, strict=True)],
        "overall": [lines.metric_line(*metric) for metric in evaluation.overall.items()],
        "decision_groups": lines.decision_groups(evaluation),
        "bands": bands,
        "sets": sets,
        "main": {metric_title(name): classes[name] for name in classes if name in lines.MAIN},
        "others": {metric_title(name): classes[name] for name in classes if name not in lines.MAIN},
        "pairs": [
            lines.Line(f"{pair.first} against {pair.second}", pair.auc) for pair in evaluation.pairs
        ],
        "contrasts": lines.contrast_groups(evaluation),
        "patients": lines.patient_groups(evaluation, order),
        "internal": lines.internal_groups(evaluation),
        "subgroups": lines.subgroup_groups(evaluation),
        "summaries": words.metric_summaries({**evaluation.overall, **classes}),
    }


def _sections(evaluation: Evaluation, card: Card | None) -> dict[str, str]:
    """Returns anchor -> name of the page's sections."""
    sections = {
        "decision": "Decision",
        "classes": "Classes",
        "within": "Within one source",
        "overall": "All metrics",
        "patients": "Patients",
        "internal": "Internal and external",
        "subgroups": "Subgroups",
        "curves": "Curves",
        "gallery": "Images",
        "data": "Data",
        "training": "Training",
        "card": "Model card",
        "reproduce": "Reproduce",
    }
    if evaluation.internal is None:
        del sections["internal"]
    if card is None:
        for name in ("training", "card", "reproduce"):
            del sections[name]
    return sections


def _drawings(evaluation: Evaluation, order: Sequence[str]) -> dict[str, object]:
    """Returns the figures, each as SVG or None."""
    return {
        "roc": draw_roc(evaluation, order),
        "reliability": draw_reliability(evaluation),
        "precision_recall": draw_precision_recall(evaluation, order),
        "sweep": draw_sweep(evaluation),
        "benefit": draw_decision_curve(evaluation),
        "scores": draw_histograms(evaluation, order),
        "few": MIN_IMAGES,
    }


def _check_same_classes(evaluation: Evaluation, card: Card) -> None:
    order = card.labels.order
    if set(evaluation.classes) != set(order) or len(evaluation.confusion) != len(order):
        raise UsageError(
            "result-of-other-model",
            f"The evaluation is of a model with the classes {', '.join(evaluation.classes)}, but "
            f"the classes of {card.name} are {', '.join(order)}. Use the card of the same model.",
        )


def _by_class(gallery: Sequence[Shown], order: Sequence[str]) -> dict[str, list[Shown]]:
    """Returns true class -> its images, in the order of the classes, without empty ones."""
    classes = {label: [shown for shown in gallery if shown.truth == label] for label in order}
    return {label: images for label, images in classes.items() if images}
