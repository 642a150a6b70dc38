import io
import re
from xml.etree import ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from fixtures.refuses import refuses
from pulmo.bundle.card import Card
from pulmo.evaluate.evaluation import Curve, Evaluation
from pulmo.report import svg
from pulmo.report.figures import (
    draw_reliability,
    draw_roc,
    draw_training,
    learning_curves,
    training_plot,
)
from pulmo.stats.estimate import Estimate

LABELS = ("covid", "viral", "normal")


def all_figures(evaluation: Evaluation, card: Card) -> list[str]:
    drawn = (
        draw_roc(evaluation, LABELS),
        draw_reliability(evaluation),
        *draw_training(card.training),
    )
    return [figure for figure in drawn if figure]


@pytest.fixture(scope="session")
def figures(evaluation: Evaluation, card: Card) -> list[str]:
    return all_figures(evaluation, card)


def words_of(figure: str) -> str:
    return " ".join(" ".join(ET.fromstring(figure).itertext()).split())  # noqa: S314 - our own SVG


def points(figure: str, colour: int) -> list[tuple[float, float]]:
    """The corners of the first line drawn in a class's colour."""
    tags = re.findall(r'<path d="([^"]*)"[^>]*stroke: var\(--class-(\d)', figure)
    path = next(path for path, number in tags if int(number) == colour)
    return [(float(x), float(y)) for x, y in re.findall(r"[ML] (\S+) (\S+)", path)]


def test_figures_are_elements_that_refer_to_nothing_outside(figures: list[str]) -> None:
    assert len(figures) == 5
    for figure in figures:
        root = ET.fromstring(figure)  # noqa: S314 - our own SVG
        assert root.attrib["role"] == "img"
        assert root.attrib["aria-label"]
        assert "http" not in figure
        assert "<script" not in figure
        assert "<style" not in figure


def test_ids_are_unique_on_the_page_and_every_reference_is_met(figures: list[str]) -> None:
    page = "".join(figures)
    ids = re.findall(r' id="([^"]*)"', page)
    references = re.findall(r'(?:url\(|href=")#([^)"]*)', page)
    assert len(ids) == len(set(ids))
    assert set(references) == set(ids)


def test_the_same_figure_has_the_same_bytes_and_leaves_settings_alone(
    figures: list[str], evaluation: Evaluation, card: Card
) -> None:
    before = dict(mpl.rcParams)
    assert all_figures(evaluation, card) == figures
    assert dict(mpl.rcParams) == before


def test_a_roc_curve_runs_through_its_points(evaluation: Evaluation) -> None:
    figure = draw_roc(evaluation, LABELS)
    assert figure
    (x0, y0), (x1, y1), (x2, y2) = points(figure, 1)
    assert (x1 - x0) / (x2 - x0) == pytest.approx(0.1)
    assert (y1 - y0) / (y2 - y0) == pytest.approx(0.9)


def test_a_roc_curve_is_labelled_with_its_auc(evaluation: Evaluation) -> None:
    figure = draw_roc(evaluation, LABELS)
    assert figure
    for label, metrics in evaluation.classes.items():
        assert f"{label} {metrics['auc']}" in words_of(figure)


def test_an_auc_without_interval_or_value_leaves_a_shorter_label(
    evaluation: Evaluation,
) -> None:
    classes = {
        "covid": {"auc": Estimate(0.75, None, None, 3, "a long reason")},
        "viral": {"auc": Estimate.undefined("a long reason")},
        "normal": {},
    }
    figure = draw_roc(evaluation.model_copy(update={"classes": classes}), LABELS)
    assert figure
    assert "covid 0.750 viral normal" in words_of(figure)
    assert "reason" not in figure


def test_a_class_without_a_curve_keeps_the_colours_of_the_others(
    evaluation: Evaluation,
) -> None:
    curve = Curve(false_positive_rate=(0, 0.5, 1), true_positive_rate=(0, 0.5, 1))
    figure = draw_roc(evaluation.model_copy(update={"roc": {"normal": curve}}), LABELS)
    assert figure
    assert len(points(figure, 2)) == 3
    assert "--class-0" not in figure
    assert "covid" not in figure


def test_nothing_is_drawn_of_nothing(evaluation: Evaluation, card: Card) -> None:
    assert draw_roc(evaluation.model_copy(update={"roc": {}}), LABELS) is None
    empty = evaluation.reliability[:1]
    assert draw_reliability(evaluation.model_copy(update={"reliability": empty})) is None
    assert draw_training(card.training.model_copy(update={"history": ()})) == []


def test_reliability_shows_counts_and_hollow_points_for_few(evaluation: Evaluation) -> None:
    figure = draw_reliability(evaluation)
    assert figure
    assert "8,994" in words_of(figure)
    marks = re.findall(r'<use href="#\S+" x="\S+" y="\S+" style="([^"]*)"', figure)
    hollow = [mark for mark in marks if "fill-opacity: 0" in mark and "--accent" in mark]
    full = [mark for mark in marks if "fill: var(--accent" in mark]
    assert (len(hollow), len(full)) == (1, 1)


def test_reliability_says_in_words_what_it_shows(evaluation: Evaluation) -> None:
    figure = draw_reliability(evaluation)
    assert figure
    alt = ET.fromstring(figure).attrib["aria-label"]  # noqa: S314 - our own SVG
    assert alt == (
        "Reliability: 7 images with a mean confidence of 0.85 and an accuracy of 0.75;"
        " 8,994 images with a mean confidence of 0.95 and an accuracy of 0.97"
    )


def test_training_shows_every_epoch_and_the_best(card: Card) -> None:
    loss, accuracy, rate = draw_training(card.training)
    assert "training validation" in words_of(loss)
    assert "plain balanced" in words_of(accuracy)
    assert "the best is epoch 4" in rate
    x, y = zip(*points(loss, 0), strict=True)
    assert len(x) == 5
    steps = [1 / number for number in range(1, 6)]
    for place, step in zip(y, steps, strict=True):
        expected = (step - steps[0]) / (steps[-1] - steps[0])
        assert (place - y[0]) / (y[-1] - y[0]) == pytest.approx(expected, abs=1e-4)


def test_a_single_epoch_is_a_point(card: Card) -> None:
    training = card.training.model_copy(
        update={"history": card.training.history[:1], "best_epoch": 1}
    )
    assert all("<use" in figure for figure in draw_training(training))


def test_learning_curves_are_a_file_that_stands_alone(card: Card) -> None:
    drawn = learning_curves(card.training)
    root = ET.fromstring(drawn)  # noqa: S314 - our own SVG
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "var(" not in drawn
    text = " ".join(" ".join(root.itertext()).split())
    for title in ("Loss", "Validation accuracy", "Learning rate", "training validation"):
        assert title in text
    assert drawn == learning_curves(card.training)


def test_there_are_no_learning_curves_without_a_history(card: Card) -> None:
    with refuses("history-missing"):
        learning_curves(card.training.model_copy(update={"history": ()}))


def test_a_plot_has_four_curves_and_needs_the_training_s_accuracy(
    card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    epochs = [epoch.model_copy(update={"train_accuracy": 0.5}) for epoch in card.training.history]
    counted = card.training.model_copy(update={"history": tuple(epochs)})
    drawn: list[Figure] = []

    def kept(figsize: tuple[float, float]) -> Figure:
        drawn.append(Figure(figsize=figsize))
        return drawn[-1]

    monkeypatch.setattr(svg, "Figure", kept)
    png = training_plot(counted)
    assert Image.open(io.BytesIO(png)).size == (1152, 512)
    loss, accuracy = drawn[0].axes
    for axes, names in ((loss, ("train_loss", "val_loss")),
                        (accuracy, ("train_accuracy", "val_accuracy"))):  # fmt: skip
        for line, name in zip(axes.lines, names, strict=False):
            assert np.asarray(line.get_ydata()).tolist() == [getattr(e, name) for e in epochs]
    for history in ((), (*epochs[:-1], epochs[-1].model_copy(update={"train_accuracy": None}))):
        with refuses("history-missing"):
            training_plot(card.training.model_copy(update={"history": history}))
