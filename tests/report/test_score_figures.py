import re
from xml.etree import ElementTree as ET

import pytest

from pulmo.evaluate.evaluation import Evaluation
from pulmo.report.score_figures import (
    draw_decision_curve,
    draw_histograms,
    draw_precision_recall,
    draw_sweep,
)
from pulmo.stats.estimate import Estimate

LABELS = ("covid", "viral", "normal")


def all_figures(evaluation: Evaluation) -> list[str | None]:
    return [
        draw_precision_recall(evaluation, LABELS),
        draw_sweep(evaluation),
        draw_decision_curve(evaluation),
        draw_histograms(evaluation, LABELS),
    ]


def words_of(figure: str | None) -> str:
    assert figure is not None
    return " ".join(text.strip() for text in ET.fromstring(figure).itertext() if text.strip())  # noqa: S314 - our own


def test_each_is_a_sound_element_with_a_description(evaluation: Evaluation) -> None:
    first, second = all_figures(evaluation), all_figures(evaluation)
    assert first == second
    ids: list[str] = []
    for figure in first:
        assert figure is not None
        assert ET.fromstring(figure).attrib["aria-label"]  # noqa: S314 - our own
        ids += re.findall(r' id="([^"]*)"', figure)
    assert len(ids) == len(set(ids))


def test_curves_are_named(evaluation: Evaluation) -> None:
    figure = draw_precision_recall(evaluation, LABELS)
    assert "average precision covid viral normal" in words_of(figure)
    classes = {
        label: {"average_precision": Estimate(0.875, 0.8, 0.9, 9)} for label in evaluation.classes
    }
    named = draw_precision_recall(evaluation.model_copy(update={"classes": classes}), LABELS)
    assert "viral 0.875" in words_of(named)
    for name in ("sensitivity", "specificity", "PPV", "NPV", "threshold"):
        assert name in words_of(draw_sweep(evaluation))
    for name in ("call none", "call all", "the model", "net benefit"):
        assert name in words_of(draw_decision_curve(evaluation))


def test_an_absent_class_has_no_curve(evaluation: Evaluation) -> None:
    curves = {"viral": evaluation.precision_recall["viral"]}
    figure = draw_precision_recall(
        evaluation.model_copy(update={"precision_recall": curves}), LABELS
    )
    assert "covid" not in words_of(figure)
    assert figure is not None
    assert "--class-1" in figure
    assert "--class-0" not in figure


@pytest.mark.parametrize(
    ("positive", "expected"),
    [(("covid", "viral"), "probability of covid + viral"), ((), "probability of the class")],
)
def test_histograms_say_of_what(
    evaluation: Evaluation, positive: tuple[str, ...], expected: str
) -> None:
    decision = evaluation.decision.model_copy(update={"positive": positive, "threshold": None})
    figure = draw_histograms(evaluation.model_copy(update={"decision": decision}), LABELS)
    assert expected in words_of(figure)


def test_nothing_is_drawn_of_nothing(evaluation: Evaluation) -> None:
    bare = evaluation.model_copy(update={"precision_recall": {}, "sweep": (), "histograms": {}})
    assert all_figures(bare) == [None] * 4
