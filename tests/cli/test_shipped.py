"""Verbs without a model: the one that comes with pulmo answers."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import pulmo as package
from fixtures.refuses import refuses
from pulmo.core.folders import RunFolder, ShippedFolder
from pulmo.core.shipped import records_of, shipped_bundle
from pulmo.datasets.manifest import Manifest

Call = Callable[..., tuple[int, str, str]]


def test_a_prediction_names_the_model_that_answers(
    pulmo: Call, shipped: ShippedFolder, image: Path
) -> None:
    status, out, err = pulmo("predict", image)
    named = json.loads(shipped.card.read_text())
    assert (status, out.count("\n")) == (0, 1)
    assert err.splitlines()[0] == (
        f"The model that comes with pulmo is used: {named['name']} of {named['created'][:10]}. "
        "For research, not diagnosis."
    )
    status, out, _ = pulmo("predict", image, "--json")
    (result,) = json.loads(out)
    assert result["model"]["name"] == named["name"]
    assert result["model"]["sha256"] == named["files"]["model.onnx"]
    assert "comes with pulmo" not in pulmo("predict", shipped.root, image)[2]


@pytest.mark.parametrize("verb", ["explain", "evaluate", "gallery", "audit", "screen", "card"])
def test_every_verb_of_a_model_takes_it(
    pulmo: Call, shipped: ShippedFolder, image: Path, manifest: Path, tmp_path: Path, verb: str
) -> None:
    labelled: list[str | Path] = ["--data", manifest, "--split", "test"]
    own: dict[str, list[str | Path]] = {
        "explain": [image],
        "screen": [image, "--workers", "1"],
        "card": [],
        "audit": [*labelled, "--only", "degenerate"],
    }
    words = own.get(verb, labelled)
    status, _, err = pulmo(verb, *words, "-o", tmp_path / "results")
    assert status == 0
    assert err.startswith("The model that comes with pulmo is used: demo of ")
    # Nothing is written into the package.
    assert not shipped.test_access.exists()


@pytest.mark.usefixtures("shipped")
def test_what_it_was_trained_on_takes_no_part(
    pulmo: Call, manifest: Path, images: pd.DataFrame, tmp_path: Path
) -> None:
    status, _, _ = pulmo("evaluate", "--data", manifest, "-o", tmp_path / "results")
    used = images["split"] != "test"
    assert status == 0
    predicted = pd.read_parquet(tmp_path / "results" / "predictions.parquet")
    assert set(predicted["path"]) == set(images["path"][~used])
    page = (tmp_path / "results" / "report.html").read_text()
    assert f"{used.sum()} images took no part, because the model was trained or chosen" in page


def test_an_access_to_a_test_is_recorded_in_the_users_folder(
    shipped: ShippedFolder, images: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    data = Manifest(images)
    for times in (1, 2):
        report = package.evaluate(package.load(), data, split="test")
        assert report.evaluation.data.test_accesses == times
    lines = (tmp_path / "data" / "pulmo" / "test-access.jsonl").read_text().splitlines()
    assert len(lines) == 2
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert records_of(shipped.root) == tmp_path / ".local" / "share" / "pulmo"
    assert records_of(tmp_path) == tmp_path


def test_python_loads_it(shipped: ShippedFolder, image: Path) -> None:
    model = package.load()
    assert model.path == shipped.root == shipped_bundle()
    assert model.predict(image).decision in model.card.labels.order


@pytest.mark.usefixtures("unshipped")
def test_a_copy_without_a_model_says_so() -> None:
    assert shipped_bundle() is None
    with refuses("model-not-given"):
        package.load()


def test_a_named_model_comes_first(
    pulmo: Call,
    shipped: ShippedFolder,
    run: RunFolder,
    image: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PULMO_MODEL", str(run.root))
    status, _, err = pulmo("predict", image)
    assert (status, "is a training run and not a bundle" in err) == (3, True)
    assert "comes with pulmo" not in err
    shipped.card.unlink()
    assert shipped_bundle() is None


@pytest.mark.usefixtures("shipped")
def test_a_word_that_is_nothing_is_named(pulmo: Call, image: Path) -> None:
    status, out, err = pulmo("predict", "gone.png")
    assert (status, out) == (3, "")
    assert "gone.png does not exist" in err
    # Of several files one may be missing.
    status, out, err = pulmo("predict", "gone.png", image)
    assert (status, out.count("\n")) == (4, 1)
