"""The page of feature maps: one file, a slider without a script, and what the numbers say."""

import re
from pathlib import Path

import numpy as np
import pytest

from fixtures.page import Page
from pulmo.core.message import Message
from pulmo.explain.features.drawing import common_scale
from pulmo.explain.features.record import Features, Separation, ShownLayer
from pulmo.explain.features.separation import ChannelArea
from pulmo.explain.features.shown import (
    TRAINED,
    UNTRAINED,
    Area,
    Layer,
    LayerFeatures,
    Maximised,
    Response,
)
from pulmo.report.features_page import FeaturesContent, render_features, write_features_page
from pulmo.stats.estimate import Estimate

NETWORKS = (TRAINED, UNTRAINED)


def layer(name: str) -> tuple[LayerFeatures, ShownLayer]:
    maps = {
        each: np.random.default_rng(1).normal(size=(2, 8, 8)).astype(np.float32)
        for each in NETWORKS
    }
    scale = common_scale(maps)
    response = Response(channel=1, highest=2.5, mean=0.25, area=Area(0, 0.25, 0.5, 1))
    fitted = Maximised(np.zeros((16, 16), np.uint8), 0.5, 7.25)
    found = LayerFeatures(
        layer=Layer(name, "Conv2d", 2, 8, 8, convolution=True),
        shown=(1, 0),
        maps=maps,
        limit=scale.limit,
        factors=scale.factors,
        responses=dict.fromkeys(NETWORKS, (response,)),
        filters=None,
        fitted=dict.fromkeys(NETWORKS, (fitted,)),
    )
    shown = ShownLayer(
        name=name,
        kind="Conv2d",
        channels=2,
        rows=8,
        columns=8,
        shown=(1, 0),
        limit=scale.limit,
        factors=scale.factors,
        responses=found.responses,
        maximised={},
        files={},
    )
    return found, shown


def area(network: str, value: float, name: str = "first") -> ChannelArea:
    auc = Estimate(value, value - 0.05, value + 0.05, 40)
    return ChannelArea(
        network=network, layer=name, channel=1, statistic="mean", label="<b>x", higher=False,
        selected=0.9, auc=auc, p=0.0004,
    )  # fmt: skip


def content(gain: Estimate | None = None) -> FeaturesContent:
    layers = [layer("first"), layer("<i>second")]
    areas = [area(TRAINED, 0.85), area(UNTRAINED, 0.75), area(TRAINED, 0.6, "<i>second")]
    separation = Separation(
        selected_on="split val",
        reported_on="split test",
        manifest_sha256="0" * 64,
        n=40,
        groups=30,
        labels={"<b>x": 20, "normal": 20},
        tested=8,
        separating={TRAINED: 3, UNTRAINED: 2},
        best=tuple(areas[:2]),
        gains={} if gain is None else {"<b>x": gain},
        skipped={"other": 4},
        excluded=(),
        failed=(),
        test_accesses=2,
    )
    features = Features(
        model="<b>mine",
        version="2026",
        weights_sha256="1" * 64,
        image="/home/Jane Doe/cut.png",
        image_sha256="2" * 64,
        size=16,
        seed=3,
        steps=5,
        layers=tuple(shown for _, shown in layers),
        separation=None if gain is None else separation,
        notes=(Message("untrained-start", "It starts <b>at random."),),
    )
    image = np.arange(256, dtype=np.uint8).reshape(16, 16)
    return FeaturesContent(features, image, [found for found, _ in layers], areas if gain else [])


BETTER = Estimate(0.1, 0.02, 0.18, 40)


@pytest.fixture(scope="module")
def html() -> str:
    return render_features(content(BETTER))


def test_it_is_one_file_that_needs_nothing_else(html: str) -> None:
    page = Page(html)
    assert "default-src 'none'; img-src data:" in html
    assert not page.all("script")
    assert all(image["src"].startswith("data:image/png;base64,") for image in page.all("img"))
    assert all(image["alt"] for image in page.all("img"))
    assert not re.search(r"(src|href)=\"(https?:)?//", html)
    assert html == render_features(content(BETTER))


def test_names_are_escaped_and_no_folder_is_shown(html: str) -> None:
    for tag in ("<b>mine", "<i>second", "<b>x", "<b>at"):
        assert tag not in html
    assert "Jane" not in html
    assert "cut.png" in Page(html).text


def test_the_slider_is_a_group_of_radio_buttons_and_a_list_without_has(html: str) -> None:
    page = Page(html)
    buttons = page.all("input")
    assert {button["type"] for button in buttons} == {"radio"}
    assert {button["name"] for button in buttons} == {"depth"}
    assert ["checked" in button for button in buttons] == [True, False, False]
    ids = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    style = html[html.index("@supports") : html.index("</style>")]
    assert set(re.findall(r"#([\w-]+)", style)) == {"depth-1", "depth-2", "layer-1", "layer-2"}
    assert set(re.findall(r"#([\w-]+)", style)) <= ids
    # Nothing else hides a layer, so all are there without it, and on paper.
    assert html.count("display: none") - html[: html.index("@supports")].count("display: none") == 1
    anchors = {link["href"][1:] for link in page.all("a") if link["href"].startswith("#")}
    assert anchors <= ids
    assert len(ids) == sum("id" in attributes for _, attributes in page.tags)


def test_numbers_are_next_to_the_drawings(html: str) -> None:
    text = Page(html).text
    assert "first, channel 1, mean; lower in the class, p < 0.001 (Holm)" in text
    assert "0.850 (95 % CI 0.800 to 0.900) in the trained" in text
    assert "Training made a better channel for <b>x" in text
    assert "3 of the trained network and 2 of the untrained network" in text
    assert (
        "selected on the split val and is reported on the split test: 40 images in 30 groups"
        in text
    )
    assert "used 2 times with this model" in text
    assert "4 other" in text
    assert "It starts <b>at random." in text
    assert "2.5 0.25 0 25 50 100" in text


@pytest.mark.parametrize(
    ("gain", "words"),
    [
        (Estimate(0.1, -0.02, 0.22, 40), "Training is not shown to have made a better channel"),
        (Estimate(0.1, None, None, 40, "why"), "It is not known whether training made"),
    ],
)
def test_what_training_added_is_said_with_its_interval(gain: Estimate, words: str) -> None:
    assert words in Page(render_features(content(gain))).text


def test_without_labels_nothing_is_said_of_classes(tmp_path: Path) -> None:
    write_features_page(tmp_path / "p.html", content())
    page = Page((tmp_path / "p.html").read_text())
    assert "This is not known: no labelled images were given." in page.text
    assert "AUC of the best" not in page.text
