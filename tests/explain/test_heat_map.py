"""A heat map says what it is: in its caption, next to its colours and in its file of values."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fixtures.refuses import refuses
from pulmo.bundle.predictor import Predictor
from pulmo.core.folders import RunFolder
from pulmo.explain.annotations import NOTHING, Annotations
from pulmo.explain.heat_map import caption
from pulmo.explain.methods import METHODS
from pulmo.radiograph import read_radiograph
from pulmo.radiograph.geometry import Box
from pulmo.workflows.explain import explain
from pulmo.workflows.model import load


def test_the_graphs_map_is_the_default_and_on_the_scale_of_the_card(
    bundle: Path, image: Path
) -> None:
    model = load(bundle)
    result = model.predict(image)
    drawn = result.heatmap("viral")
    number = model.card.labels.order.index("viral")
    np.testing.assert_array_equal(drawn.array, result.outcome.activation[number])
    assert drawn.scale == model.card.activation.scale
    assert (drawn.unit, drawn.layer) == ("logit", None)
    assert "largest absolute value" not in drawn.caption


def test_another_methods_map_is_on_its_own_scale_which_it_says(bundle: Path, image: Path) -> None:
    drawn = load(bundle).predict(image).heatmap("covid", method={"name": "lime", "samples": 60})
    assert drawn.array.shape == (8, 8)
    assert drawn.scale == np.abs(drawn.array).max() > 0
    assert drawn.unit == "probability"
    assert "largest absolute value" in drawn.caption
    assert "8 x 8" in drawn.caption


def test_an_even_map_can_be_drawn(bundle: Path, image: Path) -> None:
    result = load(bundle).predict(image)
    drawn = result.heatmap(method={"name": "occlusion", "window": 1.0, "stride": 1.0})
    assert np.ptp(drawn.array) == 0
    assert drawn.png().startswith(b"\x89PNG")


@pytest.mark.parametrize("box", [None, Box(100, 500, 40, 440)])
def test_the_share_in_the_lungs_is_that_of_the_area_they_cover_where_all_is_evidence(
    bundle: Path, image: Path, box: Box | None
) -> None:
    drawn = load(bundle).predict(image).heatmap("covid")
    lungs = np.zeros((700, 500), bool)
    lungs[200:420, 60:300] = True
    even = replace(
        drawn,
        array=np.ones((4, 4), np.float32),
        pixels=np.zeros((700, 500), np.float32),
        annotations=Annotations(outline=lungs),
        aspect="squash",
        box=box,
    )
    seen = 700 * 500 if box is None else 400 * 400
    assert even.share_in_lungs == pytest.approx(220 * 240 / seen, rel=0.02)
    assert replace(even, annotations=NOTHING).share_in_lungs is None
    assert replace(even, array=-even.array).share_in_lungs is None


@pytest.mark.parametrize("name", list(METHODS))
def test_every_caption_says_the_method_its_unit_and_its_grain(name: str) -> None:
    method = METHODS[name]()
    words = caption(method, np.zeros((64, 64), np.float32), "backbone")
    assert method.title in words
    assert "backbone" in words
    assert " x " in words
    assert method.unit


def test_the_values_are_in_a_file_that_numpy_reads(
    run: RunFolder, bundle: Path, image: Path, tmp_path: Path
) -> None:
    drawn = explain(run.root, image, label="covid", method="layercam")
    drawn.save_values(tmp_path / "map.npz")
    with np.load(tmp_path / "map.npz", allow_pickle=False) as values:
        np.testing.assert_array_equal(values["map"], drawn.array)
        expected = Predictor.open(bundle).to_input(read_radiograph(image))
        np.testing.assert_array_equal(values["image"], expected)
        words = {key: str(values[key]) for key in ("label", "method", "layer", "unit")}
    assert words == {
        "label": "covid", "method": "layercam", "layer": "backbone", "unit": "logit"
    }  # fmt: skip


def test_a_run_that_a_bundle_came_from_says_the_same(
    run: RunFolder, bundle: Path, image: Path
) -> None:
    of_run, of_bundle = (explain(model, image, label="viral") for model in (run.root, bundle))
    np.testing.assert_allclose(of_run.array, of_bundle.array, atol=1e-3)
    assert of_run.caption == of_bundle.caption


def test_what_a_bundle_cannot_serve_is_refused_before_a_folder_is_made(
    bundle: Path, image: Path, tmp_path: Path
) -> None:
    with refuses("method-needs-run"):
        explain(bundle, [image], tmp_path / "maps", method="gradcam")
    assert not (tmp_path / "maps").exists()
    with refuses("method-needs-run"):
        explain(bundle, image, method="gradcam")
