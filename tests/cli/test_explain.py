import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pulmo.bundle.card import read_card
from pulmo.core.folders import RunFolder
from pulmo.radiograph import KINDS
from pulmo.workflows.model import load

Call = Callable[..., tuple[int, str, str]]


def test_a_map_of_each_image_is_written_and_named(
    pulmo: Call, bundle: Path, image: Path, tmp_path: Path
) -> None:
    maps = tmp_path / "deep" / "maps"
    status, out, err = pulmo("explain", bundle, image, "-o", maps, "--label", "viral")
    assert (status, out) == (0, f"{maps / image.stem}.viral.png\n")
    assert f"note: {image}: " in err
    assert KINDS["drawings"][:30] in err.lower()
    with Image.open(maps / f"{image.stem}.viral.png") as opened:
        assert opened.format == "PNG"


@pytest.mark.parametrize(("good", "expected"), [(1, 4), (0, 3)])
def test_bad_images_are_named_and_the_rest_is_done(
    pulmo: Call, bundle: Path, image: Path, tmp_path: Path, good: int, expected: int
) -> None:
    bad = tmp_path / "text.png"
    bad.write_text("hello")
    status, out, err = pulmo("explain", bundle, bad, *[image] * good, "-o", tmp_path / "maps")
    assert status == expected
    assert len(out.splitlines()) == good
    assert err.startswith(f"{bad} is not a PNG")
    assert str(image) not in err.splitlines()[0]
    assert "could not be used" in err.splitlines()[-1]


def test_an_unknown_class_lists_the_known_ones(
    pulmo: Call, bundle: Path, image: Path, tmp_path: Path
) -> None:
    status, out, err = pulmo("explain", bundle, image, "-o", tmp_path / "maps", "--label", "flu")
    assert (status, out) == (2, "")
    assert "no class 'flu'; its classes are covid, bacterial, viral, normal" in err
    assert not (tmp_path / "maps").exists()


def test_a_run_serves_the_methods_that_look_inside(
    pulmo: Call, run: RunFolder, image: Path, tmp_path: Path
) -> None:
    call = ("explain", run.root, image, "-o", tmp_path, "--label", "viral")
    status, out, _ = pulmo(*call, "--method", "gradcam++", "--layer", "backbone")
    assert (status, out) == (0, f"{tmp_path / image.stem}.viral.gradcam++.png\n")
    with np.load(tmp_path / f"{image.stem}.viral.gradcam++.npz", allow_pickle=False) as values:
        assert values["map"].ndim == 2
        assert str(values["layer"]) == "backbone"
    status, _, err = pulmo(*call, "--method", "gradcam", "--layer", "backbon")
    assert status == 2
    assert "Near it: backbone" in err


def test_a_parameter_of_the_method_is_set(
    pulmo: Call, bundle: Path, image: Path, tmp_path: Path
) -> None:
    call = ("explain", bundle, image, "-o", tmp_path, "--label", "covid", "--method", "lime")
    status, _, _ = pulmo(*call, "--set", "cells=4", "--set", "samples=20")
    assert status == 0
    with np.load(tmp_path / f"{image.stem}.covid.lime.npz", allow_pickle=False) as values:
        assert values["map"].shape == (4, 4)
        assert "cells 4" in str(values["method"])
    status, _, err = pulmo(*call, "--set", "masks=4")
    assert status == 2
    assert "no parameter 'masks'" in err


def test_json_says_what_became_of_each_file_and_what_its_map_shows(
    pulmo: Call, bundle: Path, image: Path, tmp_path: Path
) -> None:
    text, colour = tmp_path / "text.png", tmp_path / "colour.png"
    text.write_text("hello")
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (90, 90, 3), np.uint8)).save(colour)
    call = ("explain", bundle, text, image, colour, "-o", tmp_path / "maps", "--label", "viral")
    status, out, err = pulmo(*call, "--json")
    results = json.loads(out)
    assert status == 4
    assert err.endswith("2 of 3 files could not be used.\n")
    assert [result["status"] for result in results] == ["failed", "done", "refused"]
    assert [result["code"] for result in results] == ["image-format-unknown", None, "image-colour"]
    assert [result["explanation"] for result in results[::2]] == [None, None]
    _, predicted, _ = pulmo("predict", bundle, image, "--json")
    of_map = {"heatmap", "detections", "explanation"}
    (expected,) = json.loads(predicted)
    assert {key: value for key, value in results[1].items() if key not in of_map} == {
        key: value for key, value in expected.items() if key not in of_map
    }
    drawn = load(bundle).predict(image).heatmap("viral")
    assert results[1]["detections"] == [each._asdict() for each in drawn.detections]
    assert results[1]["heatmap"] == f"{tmp_path / 'maps' / image.stem}.viral.png"
    assert results[1]["explanation"] == {
        "label": "viral",
        "method": "hirescam",
        "parameters": {},
        "layer": None,
        "unit": "logit",
        "scale": drawn.scale,
        "values": f"{tmp_path / 'maps' / image.stem}.viral.npz",
        "share_in_lungs": drawn.share_in_lungs,
    }
    with np.load(results[1]["explanation"]["values"], allow_pickle=False) as values:
        np.testing.assert_array_equal(values["map"], drawn.array)


def test_json_of_a_run_names_its_weights_and_its_layer(
    pulmo: Call, run: RunFolder, bundle: Path, image: Path, tmp_path: Path
) -> None:
    call = ("explain", run.root, image, image, "-o", tmp_path, "--method", "layercam", "--jsonl")
    status, out, _ = pulmo(*call, "--layer", "backbone")
    first, second = map(json.loads, out.splitlines())
    assert status == 0
    assert first == second
    card = read_card(bundle / "card.json")
    assert first["model"]["sha256"] is None
    assert first["model"]["weights_sha256"] == card.network.sha256
    assert first["detections"] is None
    assert first["explanation"]["parameters"] == {"layer": "backbone"}
    assert first["explanation"]["layer"] == "backbone"
    assert first["explanation"]["label"] == first["decision"]


@pytest.mark.parametrize(("method", "named"), [("gradcam", "rise"), ("gradcm", "gradcam")])
def test_a_method_that_cannot_be_used_names_those_that_can(
    pulmo: Call, bundle: Path, image: Path, tmp_path: Path, method: str, named: str
) -> None:
    maps = tmp_path / "maps"
    status, out, err = pulmo("explain", bundle, image, "-o", maps, "--method", method)
    assert (status, out) == (2, "")
    assert named in err
    assert not maps.exists()
