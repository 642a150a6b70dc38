import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from fixtures.refuses import refuses
from pulmo.cli.app import app
from pulmo.datasets.manifest import Manifest


@pytest.mark.rendered
def test_a_sweep_writes_its_curve_and_says_what_to_type(
    images: pd.DataFrame, tmp_path: Path
) -> None:
    Manifest(images).save(tmp_path / "m.parquet")
    words = ["lr-find", "demo", "--data", str(tmp_path / "m.parquet"), "-o", str(tmp_path / "lr"),
             "--set", "image.size=32", "--set", "train.batch=8", "--steps", "30"]  # fmt: skip
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code == 0
    found = json.loads((tmp_path / "lr" / "lr-find.json").read_text())
    assert f"--set train.lr={found['steepest']:.1e}" in result.stdout
    assert len(found["rates"]) == len(found["losses"]) <= 30
    assert (tmp_path / "lr" / "lr-find.svg").read_text().startswith("<?xml")


def test_a_span_that_does_not_rise_is_refused(images: pd.DataFrame, tmp_path: Path) -> None:
    Manifest(images).save(tmp_path / "m.parquet")
    words = [
        "lr-find",
        "demo",
        "--data",
        str(tmp_path / "m.parquet"),
        "-o",
        str(tmp_path),
        "--from",
        "1",
        "--to",
        "0.1",
    ]
    with refuses("learning-rates-invalid"):
        CliRunner().invoke(app, words, catch_exceptions=False)
