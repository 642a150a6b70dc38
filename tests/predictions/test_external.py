"""A table of predictions and the rule that it is read by."""

from pathlib import Path

import pandas as pd
import pytest

from fixtures.refuses import refuses
from pulmo.core.files import sha256
from pulmo.evaluate.evaluation import ModelName
from pulmo.predictions.external import external_predictions
from pulmo.predictions.reading.options import Options
from pulmo.predictions.reading.recognise import Recognised, recognise
from pulmo.predictions.reading.table_file import read_table


@pytest.fixture
def path(tmp_path: Path) -> Path:
    table = pd.DataFrame(
        {
            "path": ["a", "b"],
            "label": ["tb", "clear"],
            "p_tb": [0.75, 0.5],
            "p_clear": [0.25, 0.5],
            "positive": [False, False],
            "positive_probability": [0.0, 0.0],
        }
    )
    table.to_csv(tmp_path / "theirs.csv", index=False)
    return tmp_path / "theirs.csv"


def read(path: Path, *positive: str) -> Recognised:
    return recognise(read_table(path), Options(positive=positive))


def test_a_table_is_named_by_its_file(path: Path) -> None:
    model = ModelName.from_table(path)
    assert (model.name, model.version) == ("theirs", "predictions")
    assert model.sha256 == sha256(path.read_bytes())


def test_labels_count_as_classes(path: Path) -> None:
    external = external_predictions(read(path, "tb"), merges={"miliary": "tb"})
    assert external.rule.classes == ("tb", "clear")
    assert external.rule.class_of("miliary") == "tb"
    assert external.checked().positive.tolist() == [False, False]


def test_a_threshold_that_is_named_goes_before_the_table(path: Path) -> None:
    found = external_predictions(read(path, "tb"), 0.7).checked()
    assert found.positive.tolist() == [True, False]
    assert found.frame["positive_probability"].tolist() == [0.75, 0.5]


def test_what_does_not_fit_is_refused(path: Path) -> None:
    with refuses("threshold-without-positive"):
        external_predictions(read(path), threshold=0.5)
    with refuses("class-not-mergeable", "'flu'", "'cold'"):
        external_predictions(read(path), merges={"flu": "cold"})
    with refuses("label-merge-invalid", "'clear'", "'tb'"):
        external_predictions(read(path), merges={"clear": "tb"})
