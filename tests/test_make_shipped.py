"""benchmarks/shipped.py makes of a run the folder that comes with pulmo."""

import importlib.util
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

import pulmo
from pulmo.bundle.card import read_card
from pulmo.bundle.golden import Golden, differences
from pulmo.bundle.predictor import Predictor
from pulmo.bundle.seen import seen_by
from pulmo.core.folders import RunFolder, ShippedFolder
from pulmo.core.record import read_record
from pulmo.datasets.manifest import Manifest

SCRIPTS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    sys.path.insert(0, str(SCRIPTS))
    try:
        spec = importlib.util.spec_from_file_location("make_shipped", SCRIPTS / "shipped.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(SCRIPTS))
    return module


def test_a_run_becomes_the_folder_that_ships(
    script: ModuleType, run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(script, "commit", lambda: "0000000")
    out, results = tmp_path / "shipped", tmp_path / "shipped.md"
    words = [run.root, "--name", "mine", "--licence", "CC0-1.0", "--out", out]
    monkeypatch.setattr(sys, "argv", ["shipped.py", *map(str, words), "--results", str(results)])
    script.main()
    folder = ShippedFolder(out)
    assert {path.name for path in out.iterdir()} == {
        "model.onnx", "card.json", "MODEL_CARD.md", "LICENSE", "golden.json", "images",
        "training.sha256", "test.sha256",
    }  # fmt: skip
    predictor = Predictor.open(out)
    card = predictor.card
    assert (card.name, card.license, card.network.weight_format) == ("mine", "CC0-1.0", "int8")
    assert card.training == read_card(run.card).training
    assert predictor.seen == seen_by(run)
    golden = read_record(folder.golden, Golden, "golden outputs")
    assert golden.model_sha256 == predictor.sha256
    assert max(dict(differences(golden, predictor, folder.images)).values()) < 1e-4
    assert "nothing has been shown of this model" in folder.text.read_text()
    licence = folder.licence.read_text()
    assert "The weights in this folder: CC0-1.0" in licence
    assert "For research, not diagnosis." in licence
    assert "- phantom: not stated" in licence
    assert "| AUC of covid | " in results.read_text()


def test_the_model_card_says_first_what_an_audit_did_not_show(
    script: ModuleType, bundle: Path, images: pd.DataFrame, tmp_path: Path
) -> None:
    draft = ShippedFolder(Path(shutil.copytree(bundle, tmp_path / "shipped")))
    options = pulmo.AuditOptions(only=("degenerate",))
    audit = pulmo.audit(bundle, Manifest(images), split="test", options=options).audit
    script.write_texts(draft, read_card(draft.card), audit, "CC0-1.0")
    assert Predictor.open(draft.root).card.name == "demo"
    text = draft.text.read_text()
    assert f"## What an audit found\n\n{audit.summary}" in text
    assert text.index("### Not shown") < text.index("### Shown")
    assert all(f"- {sentence}\n" in text for sentence in (*audit.not_shown, *audit.shown))
