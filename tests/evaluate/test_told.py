"""A table of predictions and what is said beside it."""

from pathlib import Path

import pandas as pd
import pytest

from pulmo.core.errors import UsageError
from pulmo.core.files import sha256
from pulmo.evaluate.reading.options import Options
from pulmo.evaluate.reading.recognise import recognise
from pulmo.evaluate.reading.table_file import read_table
from pulmo.evaluate.table import complete
from pulmo.evaluate.told import model_of, tell


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


def read(path: Path) -> pd.DataFrame:
    return recognise(read_table(path), Options()).table


def test_a_table_is_named_by_its_file(path: Path) -> None:
    told = tell(read(path), model_of(path), ["tb"], merge={"miliary": "tb"})
    assert (told.model.name, told.model.version) == ("theirs", "predictions")
    assert told.model.sha256 == sha256(path.read_bytes())
    assert told.terms.order == ("tb", "clear")
    assert told.terms.index("miliary") == 0
    assert complete(told.table, told.terms)["positive"].tolist() == [False, False]


def test_a_threshold_that_is_named_goes_before_the_table(path: Path) -> None:
    told = tell(read(path), model_of(path), ["tb"], 0.7)
    rows = complete(told.table, told.terms)
    assert rows["positive"].tolist() == [True, False]
    assert rows["positive_probability"].tolist() == [0.75, 0.5]


def test_what_does_not_fit_is_refused(path: Path) -> None:
    with pytest.raises(UsageError, match="--threshold needs --positive"):
        tell(read(path), model_of(path), threshold=0.5)
    with pytest.raises(UsageError, match="'flu' cannot count as 'cold'"):
        tell(read(path), model_of(path), merge={"flu": "cold"})
    with pytest.raises(UsageError, match="'clear' cannot count as 'tb'"):
        tell(read(path), model_of(path), merge={"clear": "tb"})
