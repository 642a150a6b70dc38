"""The page of a comparison."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pulmo.bundle.card import Card
from pulmo.evaluate.evaluation import Evaluation
from pulmo.report.comparison import ComparedModel, Comparison, PairedTest
from pulmo.report.comparison_figures import Stroke, draw_histories
from pulmo.report.comparison_page import ComparisonContent, render_comparison, write_comparison
from pulmo.stats.estimate import Estimate

VOID = {"meta", "col", "line", "br", "img", "path", "use"}


class Page(HTMLParser):
    """Checks that every element is closed, and collects the words and the ids."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.ids: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value for name, value in attrs if name == "id" and value]
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data.split()


def paired(p: float | None, low: float | None = -0.05, value: float | None = 0.021) -> PairedTest:
    reason = None if low is not None else "two groups are too few"
    return PairedTest(
        name="second <b>",
        against="first",
        metric="auc",
        of="covid",
        difference=Estimate(value, low, None if low is None else 0.077, 4711, reason),
        p=p,
        p_holm=p,
        test="DeLong",
    )


@pytest.fixture
def content(evaluation: Evaluation, card: Card) -> ComparisonContent:
    first = ComparedModel(
        name="first",
        kind="evaluation",
        labels=("covid", "viral", "normal"),
        positive=("covid",),
        recipe="demo",
        backbone="tiny",
        parameters=12345,
        epochs=5,
        minutes=1.25,
        evaluated_on="split test",
        n=9001,
        groups=8002,
        metrics=evaluation.overall,
        classes=evaluation.classes,
        support=evaluation.data.labels,
    )
    second = ComparedModel(
        name="second <b>",
        kind="run",
        labels=("normal", "viral", "covid"),
        positive=("covid",),
        evaluated_on="validation",
        n=77,
        metrics={"validation_loss": Estimate(0.625, None, None, 77, "training gives none")},
        classes={"covid": {"recall": Estimate.undefined("no image is of covid")}},
    )
    comparison = Comparison(
        models=(first, second),
        against="first",
        tests=(paired(0.0004), paired(0.25, None), paired(None, None, None)),
        notes=("No paired test of a & b.",),
    )
    history = card.training.history
    return ComparisonContent(
        comparison, {"first": evaluation.roc}, {"first": (history,), "second <b>": (history[:1],)}
    )


def test_it_shows_everything_of_everyone(content: ComparisonContent) -> None:
    page = Page(render_comparison(content))
    words = " ".join(page.words)
    for expected in (
        "2 models compared", "first, second <b>.",
        "Classes: covid, viral and normal; positive: covid",
        "demo", "tiny", "12,345", "1.2", "9,001", "77",
        "+0.021", "-0.050 to +0.077", "4,711", "< 0.001", "0.250", "undefined", "DeLong",
        "No paired test of a & b.", "0.625", "Validation loss", "smaller is better",
        "9,001 images", "No image is of covid.", "not stated", "For research, not diagnosis.",
    ):  # fmt: skip
        assert expected in words, expected
    assert len(set(page.ids)) == len(page.ids)
    assert "questions" not in words


def test_models_of_other_questions_do_not_stand_side_by_side(content: ComparisonContent) -> None:
    first, second = content.comparison.models
    other = first.model_copy(update={"name": "other", "labels": ("covid", "normal")})
    sides = second.model_copy(update={"name": "sides", "positive": ("viral",)})
    four = content.comparison.model_copy(update={"models": (first, second, other, sides)})
    more = replace(
        content, comparison=four, roc=dict.fromkeys(("first", "other"), content.roc["first"])
    )
    text = render_comparison(more)
    assert "3 different sets of classes" in text
    tables = re.findall(r"Main metrics of each model.*?</table>", text, re.DOTALL)
    found = [set(re.findall(r'<th scope="row">(\w+)', table)) for table in tables]
    assert found == [{"first", "second"}, {"other"}, {"sides"}]
    curves = re.findall(r'aria-label="ROC curves of covid against the rest: (\w+)"', text)
    assert curves == ["first", "other"]
    Page(text)


def test_it_is_one_file_that_needs_nothing_and_is_repeatable(
    content: ComparisonContent, tmp_path: Path
) -> None:
    write_comparison(tmp_path / "compare.html", content)
    text = (tmp_path / "compare.html").read_text()
    assert text == render_comparison(content)
    assert "default-src 'none'" in text
    assert not re.search(
        r"<script|<link|src=\"(?!data:)|url\((?!#)|https?://(?!www\.w3\.org)", text
    )
    assert "prefers-color-scheme: dark" in text


def test_each_model_has_its_own_line_in_every_figure(content: ComparisonContent) -> None:
    text = render_comparison(content)
    found = re.findall(r"<svg viewBox.*?</svg>", text, re.DOTALL)
    figures = [ET.fromstring(figure) for figure in found]  # noqa: S314 - made here
    named = {figure.get("aria-label"): ET.tostring(figure, "unicode") for figure in figures}
    assert [name for name in named if name and name.startswith("ROC")] == [
        f"ROC curves of {label} against the rest: first" for label in ("covid", "viral", "normal")
    ]
    losses = [body for name, body in named.items() if name and "loss over the epochs" in name]
    assert len(losses) == 2
    for body in losses:
        assert "var(--class-0" in body
        assert "var(--class-1" in body


def test_without_tests_histories_or_curves(content: ComparisonContent) -> None:
    second = content.comparison.models[1].model_copy(update={"classes": {}})
    bare = content.comparison.model_copy(update={"models": (second, second), "tests": ()})
    words = " ".join(Page(render_comparison(ComparisonContent(bare))).words)
    assert "There is no paired test." in words
    assert "None of the compared folders is an evaluation." in words
    assert "Learning curves" not in words
    assert draw_histories(0, {"a": (Stroke(0), ())}) == {}


def test_thirty_six_models_differ_in_colour_or_dash() -> None:
    strokes = [Stroke(number) for number in range(36)]
    assert len({(stroke.colour, stroke.dash) for stroke in strokes}) == 36
    assert len({stroke.svg_dashes for stroke in strokes}) == 6
