from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fixtures.refuses import refuses
from pulmo.core.sources import UNSTATED
from pulmo.predictions.decision_rule import DecisionRule
from pulmo.predictions.reading.options import Options
from pulmo.predictions.reading.recognise import recognise
from pulmo.predictions.reading.table_file import read_table
from pulmo.predictions.table import classes_of, complete

RULE = DecisionRule(("tb", "clear"), positive=("tb",), threshold=0.3)


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "path": ["a", "b", "c"],
            "label": ["tb", "clear", "NA"],
            "p_tb": [0.9, 0.4, 0.2],
            "p_clear": [0.1, 0.6, 0.8],
        }
    )


def test_what_is_left_out_is_filled_in(table: pd.DataFrame) -> None:
    rows = complete(table, RULE)
    assert rows["group"].tolist() == ["a", "b", "c"]
    assert set(rows["source"]) == {UNSTATED}
    assert rows["age"].isna().all()
    assert rows["decision"].tolist() == ["tb", "clear", "clear"]
    assert rows["positive"].tolist() == [True, True, False]
    assert rows["positive_probability"].tolist() == [0.9, 0.4, 0.2]
    assert [*table.columns] == ["path", "label", "p_tb", "p_clear"]


def test_without_a_threshold_the_decision_is_positive(table: pd.DataFrame) -> None:
    rows = complete(table, DecisionRule(("tb", "clear"), positive=("tb",)))
    assert rows["positive"].tolist() == [True, False, False]
    assert not complete(table, DecisionRule(("tb", "clear")))["positive"].any()


def test_a_threshold_of_one_finding_decides_on_the_class_too(table: pd.DataFrame) -> None:
    rows = complete(
        table.rename(columns={"p_clear": "p_no tb"}), DecisionRule.from_finding("tb", 0.3)
    )
    assert rows["decision"].tolist() == ["tb", "tb", "no tb"]
    assert rows["positive"].tolist() == [True, True, False]


def test_what_is_given_is_kept(table: pd.DataFrame) -> None:
    given = table.assign(
        patient=pd.array(["x", None, "x"], "string"),
        source=pd.array(["east", None, "east"], "string"),
        age=[3.0, np.nan, 90],
        decision="clear", positive=[False, True, True],
    )  # fmt: skip
    rows = complete(given, RULE)
    assert rows["group"].tolist() == ["x", "b", "x"]
    assert rows["source"].tolist() == ["east", UNSTATED, "east"]
    assert rows["decision"].tolist() == ["clear"] * 3
    assert rows["positive"].tolist() == [False, True, True]
    grouped = complete(given.assign(group=["g", "h", "h"]), RULE)
    assert grouped["group"].tolist() == ["g", "h", "h"]


def test_a_missing_probability_is_named(table: pd.DataFrame) -> None:
    table.loc[1, "p_tb"] = np.nan
    with refuses("predictions-value-invalid", "that is missing or not between 0 and 1"):
        complete(table, RULE)


@pytest.mark.parametrize(
    ("changed", "refused"),
    [
        ({"label": "finding"}, ("predictions-columns-missing", "label")),
        ({"path": "file", "p_tb": "tb"}, ("predictions-columns-missing", "path, p_tb")),
    ],
)
def test_missing_columns_are_named(
    table: pd.DataFrame, changed: dict[str, str], refused: tuple[str, ...]
) -> None:
    with refuses(*refused):
        complete(table.rename(columns=changed), RULE)


def test_words_instead_of_numbers_are_refused(table: pd.DataFrame) -> None:
    with refuses("column-not-numeric", "p_tb, p_clear"):
        complete(table.assign(p_tb="high"), RULE)


def test_classes_are_those_of_the_columns(table: pd.DataFrame) -> None:
    assert classes_of(table) == ("tb", "clear")
    with refuses("probabilities-missing", "has only p_tb"):
        classes_of(table.drop(columns="p_clear"))
    with refuses("probabilities-missing", "has none"):
        classes_of(table[["path", "label"]])
    twice = table.set_axis(["path", "label", "p_tb", "p_tb"], axis=1)
    with refuses("probabilities-repeated"):
        classes_of(twice)


def test_a_table_is_read_from_csv_and_parquet(table: pd.DataFrame, tmp_path: Path) -> None:
    table.assign(patient=pd.array(["007", None, "8"], "string")).to_csv(
        tmp_path / "p.csv", index=False
    )
    table.to_parquet(tmp_path / "p.parquet")
    read = recognise(read_table(tmp_path / "p.csv"), Options()).table
    assert read["label"].tolist() == ["tb", "clear", "NA"]
    assert read["patient"].tolist() == ["007", pd.NA, "8"]
    assert read["p_tb"].tolist() == table["p_tb"].tolist()
    read = recognise(read_table(tmp_path / "p.parquet"), Options()).table
    assert read["label"].tolist() == table["label"].tolist()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "table-header-missing"),
        (b"a,b\n1,2,3\n4,5,6", "csv-invalid"),
        (b"\xff\xfe\x00", "text-encoding-unknown"),
    ],
)
def test_what_is_no_csv_is_refused(content: bytes, code: str, tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_bytes(content)
    with refuses(code, "p.csv"):
        read_table(path)


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "twice.csv"
    path.write_text("path,label,p_tb,p_tb\na,tb,0.5,0.5\n")
    with refuses("column-repeated", "p_tb"):
        read_table(path)
