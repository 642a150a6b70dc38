"""The page of a gallery: one file, every count and example, no folder and no script."""

from pathlib import Path

import pytest

from fixtures.page import Page
from pulmo.bundle.card import Card
from pulmo.evaluate.evaluation import Evaluation
from pulmo.explain.methods import read_method
from pulmo.report.examples import KINDS, Example, Gallery, Question
from pulmo.report.gallery_page import GalleryContent, render_gallery, write_gallery_page


def example(file: str, number: int, share: float | None) -> Example:
    return Example(
        file=file,
        sha256=f"{number:064x}",
        kind=KINDS[number],
        confidence="least confident" if number else "most confident",
        probability=0.123 + number / 10,
        truth="covid",
        decision="normal",
        positive=False,
        probabilities={"covid": 0.123 + number / 10, "viral": 0.3, "normal": 0.4},
        source=f"west {number}",
        explained="covid",
        share_in_lungs=share,
    )


@pytest.fixture
def content(evaluation: Evaluation, card: Card, jpeg: bytes) -> GalleryContent:
    examples = (example("a.png", 0, 0.876), example("<img src=x>.png", 1, None))
    by_rule = Question(
        classes=("covid", "viral"),
        threshold=0.4321,
        counts=dict(zip(KINDS, (1, 2345, 0, 17), strict=True)),
        examples=examples,
    )
    by_class = Question(
        classes=("normal",),
        threshold=None,
        counts=dict.fromkeys(KINDS, 0),
        examples=(),
    )
    gallery = Gallery(
        model=evaluation.model,
        method="hirescam",
        data=evaluation.data,
        warnings=evaluation.warnings,
        questions=(by_rule, by_class),
    )
    return GalleryContent(gallery, card, read_method("hirescam"), ((jpeg, jpeg), ()))


def test_every_count_and_example_is_there_with_its_probability_truth_and_source(
    content: GalleryContent,
) -> None:
    page = Page(render_gallery(content))
    for words in (
        "Is it covid or viral, by the threshold?",
        "the probability of covid or viral is 0.432 or more",
        "False positive: 2,345 images It is not covid or viral, and the answer is yes. 1 is shown",
        "False negative: 1 image It is covid or viral, and the answer is no.",
        "True positive: 0 images It is covid or viral, and the answer is yes. There is no such",
        "a.png · source west 0 False negative, most confident",
        "Probability of covid or viral 0.123 .",
        "True covid, decided normal, result negative.",
        "88 % of the evidence for covid is inside the lungs.",
        "<img src=x>.png · source west 1 False positive, least confident",
        "Is it normal? The answer is yes where normal is the class with the highest probability.",
    ):
        assert words in page.text, words
    assert page.text.count("is inside the lungs") == 1


def test_the_page_is_one_file_that_runs_nothing_and_names_no_folder(
    content: GalleryContent, tmp_path: Path
) -> None:
    write_gallery_page(tmp_path / "gallery.html", content)
    html = (tmp_path / "gallery.html").read_text(encoding="utf-8")
    page = Page(html)
    assert not page.all("script")
    assert all(each["src"].startswith("data:image/jpeg;base64,") for each in page.all("img"))
    assert len(page.all("img")) == 2
    assert all(each["alt"] for each in page.all("img"))
    assert "/data" not in html
    assert "Jane" not in page.text
    anchors = {each["href"] for each in page.all("a") if each["href"].startswith("#question")}
    assert {anchor.removeprefix("#") for anchor in anchors} <= set(page.values("id"))
    assert html == render_gallery(content)


def test_the_scale_is_told_as_the_method_has_it(content: GalleryContent) -> None:
    own = GalleryContent(content.gallery, content.card, read_method("rise"), content.images)
    assert "one scale for all images" in Page(render_gallery(content)).text
    words = Page(render_gallery(own)).text
    assert "one scale for all images" not in words
    assert "those of two maps do not compare" in words
