"""pulmo lungs: masks of files, and a training."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pulmo.core.folders import LungRunFolder
from pulmo.datasets.manifest import Manifest
from pulmo.lungs.mask_files import find_masks
from pulmo.train.lungs import settings
from pulmo.train.lungs.drawn import drawn_images

Call = Callable[..., tuple[int, str, str]]


class Small(settings.LungSettings):
    """Settings of a training that takes a second."""

    size: int = 64
    batch: int = 8
    drawn: int = 7
    elsewhere: int = 4


@pytest.fixture
def noise(tmp_path: Path) -> Path:
    path = tmp_path / "noise.png"
    Image.fromarray(drawn_images(1, 128, seed=5)[0]).save(path)
    return path


def test_a_mask_of_each_chest_is_written_and_the_rest_is_named(
    pulmo: Call, phantoms: Path, noise: Path, tmp_path: Path
) -> None:
    folder = phantoms.parent / "images"
    images = sorted(folder.iterdir())[4:7]
    status, out, err = pulmo("lungs", "mask", *images, noise, "-o", tmp_path / "masks")
    assert status == 0
    lines = out.splitlines()
    assert lines[3].startswith(f"no mask: {noise}: No lungs were found")
    assert "images without lungs: 1" in err
    found = find_masks(tmp_path / "masks")
    for image, line in zip(images, lines, strict=False):
        assert found.of(str(image)) == Path(line)
        with Image.open(line) as mask:
            assert mask.mode == "1"
            assert 0.1 < np.asarray(mask).mean() < 0.7
    assert not list((tmp_path / "masks").rglob("noise.png"))


def test_json_has_an_object_an_image(pulmo: Call, image: Path, noise: Path, tmp_path: Path) -> None:
    status, out, _ = pulmo("lungs", "mask", image, noise, "-o", tmp_path / "masks", "--json")
    first, second = json.loads(out)
    assert status == 0
    assert first["found"]
    assert Path(first["mask"]).exists()
    assert 0 < first["area"] < 1
    assert 0 < first["opacity"]["both"] < 1
    assert len(first["opacity"]["zones"]) == 6
    assert "sides" in first["note_kinds"]
    assert not second["found"]
    assert second["mask"] is None
    assert second["opacity"] is None
    assert second["code"].startswith("no-lungs")


def test_bad_files_and_names_that_are_taken_do_not_stop_the_rest(
    pulmo: Call, image: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "text.png"
    bad.write_text("hello")
    status, out, err = pulmo("lungs", "mask", bad, image, image, "-o", tmp_path / "masks")
    assert status == 4
    assert len(out.splitlines()) == 1
    assert "would overwrite" in err
    assert f"{bad} is not a PNG" in err


def test_an_own_network_is_trained_and_used(
    pulmo: Call,
    phantoms: Path,
    images: pd.DataFrame,
    image: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settings, "LungSettings", Small)
    few = images.groupby("split").head(6)
    Manifest(few).save(tmp_path / "split.parquet")
    masks, run = phantoms.parent / "lung-masks", tmp_path / "run"
    call = ("lungs", "train", "--masks", masks, "-o", run, "--threads", "1")
    status, out, err = pulmo(*call, "--data", tmp_path / "split.parquet", "--epochs", "1")
    assert status == 0, err
    network = LungRunFolder(run).network
    assert out.startswith(f"{network}: validation Dice ")
    assert "epoch 1: training loss" in err
    status, out, _ = pulmo(*call, "--resume")
    assert status == 0
    status, _, _ = pulmo("lungs", "mask", image, "-o", tmp_path / "m", "--network", network)
    assert status == 0
    status, _, err = pulmo(*call, "--epochs", "1")
    assert status == 2
