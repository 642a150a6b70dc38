from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pulmo.core.folders import RunFolder
from pulmo.radiograph import KINDS

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


@pytest.mark.parametrize(("method", "named"), [("gradcam", "rise"), ("gradcm", "gradcam")])
def test_a_method_that_cannot_be_used_names_those_that_can(
    pulmo: Call, bundle: Path, image: Path, tmp_path: Path, method: str, named: str
) -> None:
    maps = tmp_path / "maps"
    status, out, err = pulmo("explain", bundle, image, "-o", maps, "--method", method)
    assert (status, out) == (2, "")
    assert named in err
    assert not maps.exists()
