"""pulmo features: what it prints, and its exit statuses."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from pulmo.core.folders import FeaturesFolder, RunFolder
from pulmo.datasets.manifest import Manifest

Call = Callable[..., tuple[int, str, str]]
QUICK = ("--depths", "1", "--channels", "2", "--steps", "1", "--device", "cpu")


@pytest.fixture
def own(run: RunFolder, tmp_path: Path) -> Path:
    left = shutil.ignore_patterns("test-access.jsonl", "checkpoints")
    return Path(shutil.copytree(run.root, tmp_path / "run", ignore=left))


def test_the_page_is_named_on_stdout_and_the_notes_on_stderr(
    pulmo: Call, own: Path, image: Path, tmp_path: Path
) -> None:
    status, out, err = pulmo("features", own, image, "-o", tmp_path / "f", *QUICK)
    assert (status, out) == (0, f"{tmp_path / 'f' / 'features.html'}\n")
    assert "random weights that the training started from" in err


def test_json_is_the_index(
    pulmo: Call, own: Path, manifest: Path, image: Path, tmp_path: Path
) -> None:
    words = ("features", own, image, "-o", tmp_path / "f", "--data", manifest, *QUICK)
    status, out, err = pulmo(*words, "--json")
    assert status == 0
    assert json.loads(out) == json.loads(FeaturesFolder(tmp_path / "f").index.read_text())
    assert "random weights" in err
    status, out, _ = pulmo(*words, "--split", "test")
    assert status == 0
    assert "covid: trained network, backbone.layers.0.0, channel" in out
    assert ": AUC " in out


def test_an_unknown_layer_names_those_near_it(
    pulmo: Call, own: Path, image: Path, tmp_path: Path
) -> None:
    words = ("features", own, image, "-o", tmp_path / "f", "--layer", "1.body.0")
    status, out, err = pulmo(*words)
    assert (status, out) == (2, "")
    assert "'1.body.0'" in err
    assert "backbone.layers.1.body.0" in err
    assert not (tmp_path / "f").exists()


def test_a_bundle_is_no_run(pulmo: Call, bundle: Path, image: Path, tmp_path: Path) -> None:
    status, _, err = pulmo("features", bundle, image, "-o", tmp_path / "f")
    assert status == 3
    assert "is a bundle" in err


def test_images_of_the_manifest_that_cannot_be_read_leave_a_status(
    pulmo: Call, own: Path, images: pd.DataFrame, image: Path, tmp_path: Path
) -> None:
    row = images.index[images["split"] == "test"][0]
    images.loc[row, "path"] = str(tmp_path / "gone.png")
    Manifest(images).save(tmp_path / "m.parquet")
    words = ("features", own, image, "-o", tmp_path / "f", "--data", tmp_path / "m.parquet")
    status, out, err = pulmo(*words, *QUICK)
    assert status == 4
    assert str(tmp_path / "f" / "features.html") in out
    assert "gone.png" in err
    assert FeaturesFolder(tmp_path / "f").index.exists()
