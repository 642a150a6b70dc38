import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pulmo.core.message import Message
from pulmo.datasets.inspect.inspect import inspect_manifest
from pulmo.datasets.inspect.inspection import Crossing, Failure, Inspection, Tally
from pulmo.datasets.inspect.samples import SIDE, Sample
from pulmo.datasets.manifest import Manifest
from pulmo.report.inspection_page import (
    InspectionContent,
    amount,
    render_inspection,
    write_inspection,
)
from pulmo.stats.estimate import Estimate

VOID = {"meta", "col", "img", "br", "hr", "link", "input"}


class Page(HTMLParser):
    """A page read strictly: its words and tags; every tag must be closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def values(self, attribute: str) -> list[str]:
        return [attributes[attribute] for _, attributes in self.tags if attribute in attributes]


@pytest.fixture(scope="session")
def inspection(_images: pd.DataFrame) -> Inspection:
    images = _images.copy()
    images.loc[images["label"] == "covid", ["width", "height"]] = 1024
    images.loc[images.index[:5], "view"] = pd.NA
    inspection = inspect_manifest(Manifest(images), "images.parquet", 0)
    failed = Failure(path="/data/Jane Doe/cut.png", reason="/data/Jane Doe/cut.png is cut.")
    return inspection.model_copy(update={"failed": (failed,)})


@pytest.fixture(scope="session")
def content(inspection: Inspection) -> InspectionContent:
    pixels = np.random.default_rng(0).integers(0, 256, (3, SIDE, SIDE), np.uint8)
    places = (("covid", "east"), ("covid", "west"), ("normal", "east"))
    samples = [
        Sample(label, source, f"/data/Jane Doe/{number}.dcm", pixels[number])
        for number, (label, source) in enumerate(places)
    ]
    return InspectionContent(inspection, samples)


@pytest.fixture(scope="session")
def html(content: InspectionContent) -> str:
    return render_inspection(content)


@pytest.fixture(scope="session")
def page(html: str) -> Page:
    return Page(html)


def rendered(inspection: Inspection, **changes: object) -> Page:
    changed = inspection.model_copy(update=changes)
    return Page(render_inspection(InspectionContent(changed)))


def test_the_verdict_and_the_warnings_come_first(page: Page, inspection: Inspection) -> None:
    assert "is not shown to recognise the disease" in inspection.verdict
    assert page.text.index("64 images") < page.text.index(inspection.verdict)
    assert page.text.index(inspection.verdict) < page.text.index("Balanced accuracy")
    assert "What gives the classes away" in page.text


def test_every_clue_has_its_figures_and_what_is_reached_without_it(
    page: Page, inspection: Inspection
) -> None:
    found = 0
    for clue in inspection.confounding.clues.values():
        for estimate, baseline in (
            (clue.v, None),
            (clue.accuracy, clue.commonest),
            (clue.balanced_accuracy, clue.chance),
        ):
            if estimate.value is not None:
                words = f"{estimate.value:.3f} {estimate.low:.3f}\u2013{estimate.high:.3f}"
                assert words in page.text
                found += 1
            if baseline is not None:
                assert f" {baseline:.3f}" in page.text
    assert found > 20
    assert page.text.count("predicts the class") >= 3
    assert inspection.confounding.rule in page.text
    assert "source, origin" in page.text
    assert "(it is the same for all images that state it)." in page.text


def test_what_is_reached_without_the_clue_is_marked_to_scale(
    html: str, inspection: Inspection
) -> None:
    clue = inspection.confounding.clues["file"]
    assert clue.commonest is not None
    assert f'<path class="mark" d="M{100 * clue.commonest:.2f} 0V8"/>' in html


def test_a_clue_that_tells_the_class_is_flagged(html: str, inspection: Inspection) -> None:
    clues = inspection.confounding.clues.values()
    flagged = [clue for clue in clues if clue.classes and clue.flagged]
    assert html.count('<small class="flag">predicts the class') == 3 * len(flagged)


def test_counts_by_column_and_class(page: Page, inspection: Inspection) -> None:
    for label in inspection.labels:
        assert label in page.text
    view = inspection.crossings["view"].rows
    for name, row in view.items():
        cells = " ".join(str(row.get(label, 0)) for label in inspection.labels)
        assert f"{name} {cells} {sum(row.values())}" in page.text
    assert "The same for all images: source phantom" in page.text
    assert "Not stated for any image: fold." in page.text
    assert "boxes" in page.text


def test_histograms_have_a_bar_for_each_bin_with_images(page: Page, inspection: Inspection) -> None:
    shown = [d for d in inspection.distributions.values() if len(d.edges) > 2]
    spreads = [spread for one in shown for spread in one.classes.values()]
    bars = sum(count > 0 for spread in spreads for count in spread.counts)
    drawn = [bar for bar in page.all("rect") if bar["width"] == "0.88"]
    assert len(drawn) == bars
    assert len([a for a in page.values("aria-label") if a.startswith("Histogram of ")]) == len(
        spreads
    )
    assert max(float(bar["height"]) for bar in drawn) == 1
    for bar in drawn:
        assert float(bar["y"]) + float(bar["height"]) == pytest.approx(1, abs=0.0011)


def test_samples_are_small_images_by_class_and_source(page: Page) -> None:
    images = page.all("img")
    assert [image["alt"] for image in images] == [
        "covid, east: 0.dcm",
        "covid, west: 1.dcm",
        "normal, east: 2.dcm",
    ]
    for image in images:
        data = image["src"].removeprefix("data:image/jpeg;base64,")
        with Image.open(io.BytesIO(base64.b64decode(data))) as opened:
            assert (opened.size, opened.mode) == ((SIDE, SIDE), "L")


def test_what_could_not_be_shown_is_named_without_its_folder(html: str, page: Page) -> None:
    assert "cut.png cut.png is cut." in page.text
    assert "Jane Doe" not in html
    assert "/data" not in html


def test_the_page_needs_nothing_from_outside(html: str, page: Page) -> None:
    assert not {"script", "link", "iframe", "object", "embed", "base"} & {t for t, _ in page.tags}
    assert all(target.startswith("#") for target in page.values("href"))
    assert not re.search(r"https?:|@import|@font-face|javascript:| on\w+=", html)
    (policy,) = (tag["content"] for tag in page.all("meta") if "http-equiv" in tag)
    assert policy.startswith("default-src 'none'")


def test_the_page_is_accessible(page: Page) -> None:
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    assert {target[1:] for target in page.values("href")} <= set(ids)
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("h1")) == len(page.all("title")) == 1
    assert all(header["scope"] in {"col", "row", "rowgroup"} for header in page.all("th"))
    assert len(page.all("caption")) == len(page.all("table"))
    assert page.text.count("For research, not diagnosis.") == 2


def test_a_hostile_manifest_cannot_write_html(inspection: Inspection) -> None:
    bad = "<script>alert(1)</script>\"'&"
    crossing = Crossing(rows={bad: {"covid": 1}, "b": {"covid": 1}}, others=0, of_others={})
    copies = inspection.copies.model_copy(
        update={"same_bytes": Tally(sets=1, images=2, examples=(bad,))}
    )
    page = rendered(
        inspection,
        name=bad,
        facts=bad,
        warnings=(Message("bad", bad),),
        crossings=inspection.crossings | {"source": crossing},
        copies=copies,
    )
    assert page.all("script") == []
    assert page.text.count(bad) >= 5


def test_what_is_missing_is_said(inspection: Inspection) -> None:
    clues = {
        name: clue.model_copy(
            update={"classes": (), "flagged": False, "accuracy": Estimate(None, None, None, 0)}
        )
        for name, clue in inspection.confounding.clues.items()
    }
    width = inspection.distributions["width"].model_copy(update={"edges": (224, 224)})
    age = inspection.distributions["age"].model_copy(update={"edges": ()})
    page = rendered(
        inspection,
        failed=(),
        warnings=(),
        missing={"age": dict.fromkeys(inspection.labels, 0)},
        distributions=inspection.distributions | {"width": width, "age": age},
        confounding=inspection.confounding.model_copy(update={"clues": clues, "n": 60}),
    )
    for sentence in (
        "What may give the classes away",
        "No image is shown.",
        "No column has an empty cell.",
        "224 for all images of which it is known.",
        "Age in years Stated of no image.",
        "Computed from 60 images, whole groups drawn at random out of 64.",
    ):
        assert sentence in page.text
    assert "Images that could not be shown" not in page.text


def test_a_clue_of_some_classes_and_a_figure_without_interval(inspection: Inspection) -> None:
    clues = inspection.confounding.clues
    bare = Estimate(0.5, None, None, 12, "all images are of one group")
    some = clues["view"].model_copy(update={"classes": ("covid", "normal"), "accuracy": bare})
    confounding = inspection.confounding.model_copy(update={"clues": clues | {"view": some}})
    page = rendered(inspection, confounding=confounding, facts="published.csv")
    assert "View is known for covid and normal only." in page.text
    assert "0.500 no interval" in page.text
    assert "All images are of one group." in page.text
    assert "those of the files come from published.csv" in page.text


def test_a_data_set_of_the_users_own_is_no_stated_source(inspection: Inspection) -> None:
    own = {"mine (hospital not stated)": {"covid": 3}, "not stated": {"covid": 1}}
    for stated, total in (({}, 0), ({"nih": {"normal": 4}, "north": {"covid": 5}}, 2)):
        crossing = Crossing(rows={**own, **stated}, others=0, of_others={})
        page = rendered(
            inspection,
            crossings=inspection.crossings | {"source": crossing},
            totals=inspection.totals.model_copy(update={"with_source": 9 * (total > 0)}),
        )
        verb = "source is" if total == 1 else "sources are"
        assert f"{total} {verb} stated, of {9 * (total > 0)} images" in page.text


def test_values_beyond_the_listed_are_counted(inspection: Inspection) -> None:
    crossing = Crossing(
        rows={"a": {"covid": 3}, "b": {"covid": 2}}, others=1200, of_others={"covid": 1300}
    )
    page = rendered(inspection, crossings=inspection.crossings | {"origin": crossing})
    assert "1,200 further values 1,300" in page.text


@pytest.mark.parametrize(
    ("quantity", "value", "text"),
    [
        ("width", 1024.4, "1,024"),
        ("aspect", 1.2345, "1.23"),
        ("bytes_per_pixel", 0.06814, "0.068"),
        ("bytes", 12.0, "12 B"),
        ("bytes", 999.7, "1 kB"),
        ("bytes", 212_760, "213 kB"),
        ("bytes", 2_494_019, "2.49 MB"),
        ("bytes", 3e9, "3 GB"),
        ("age", 61.0, "61"),
    ],
)
def test_amounts(quantity: str, value: float, text: str) -> None:
    assert amount(quantity, value) == text


def test_a_page_is_written_and_always_the_same(content: InspectionContent, tmp_path: Path) -> None:
    first, second = tmp_path / "a.html", tmp_path / "b.html"
    write_inspection(first, content)
    write_inspection(second, content)
    assert first.read_bytes() == second.read_bytes()
    assert first.stat().st_size < 300_000


def test_narrow_tables_stand_side_by_side(
    inspection: Inspection, html: str, images: pd.DataFrame
) -> None:
    two = images[images["label"].isin(["covid", "normal"])]
    narrow = inspect_manifest(Manifest(two), "two", 7)
    assert len(inspection.labels) > 3
    assert '<div class="columns">' not in html
    page = render_inspection(InspectionContent(narrow, drawn=3))
    assert '<div class="columns">' in page
    assert "pulmo data inspect two --samples 3 --seed 7 -o inspection" in page
