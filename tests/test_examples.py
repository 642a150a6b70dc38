"""The programs in `examples` run."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

import pulmo
from fixtures.orthanc import PROGRAM

EXAMPLES = Path(__file__).parents[1] / "examples"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_example_is_tested() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == {
        "evaluate_predictions",
        "pacs_demo",
        "train_and_evaluate",
    }


def test_predictions_are_evaluated_within_each_hospital(capsys: pytest.CaptureFixture[str]) -> None:
    example = load("evaluate_predictions")
    report = pulmo.evaluate_predictions(example.make_predictions(), positive=["covid"])
    inside = report.within_sources().set_index("source")["value"]
    assert inside["A"] > 0.8
    assert inside["B"] < 0.65
    example.main()
    assert capsys.readouterr().out


def test_an_archive_gets_the_results_of_drawn_images(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    example = load("pacs_demo")
    if PROGRAM is None:
        pytest.skip("Orthanc is not installed")
    monkeypatch.setattr(example, "IMAGES", 1)
    example.main(["--once"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["Drawn^covid", "DX,", "OT,", "PR,", "SR"]


@pytest.mark.usefixtures("hasty_learners")
def test_a_model_is_trained_evaluated_audited_and_explained(tmp_path: Path) -> None:
    load("train_and_evaluate").main(tmp_path / "example", count=80, epochs=1)
    made = {path.name for path in (tmp_path / "example").iterdir()}
    assert {"run", "bundle", "evaluation", "audit", "map.png", "split.parquet"} <= made
    assert (tmp_path / "example" / "evaluation" / "report.html").is_file()
    assert (tmp_path / "example" / "audit" / "audit.html").is_file()
