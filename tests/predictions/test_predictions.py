from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fixtures.refuses import refuses
from pulmo.bundle.card import Card
from pulmo.core.tables import read_parquet
from pulmo.predictions.predictions import Predictions

MakePredictions = Callable[[dict[str, int]], pd.DataFrame]


@pytest.fixture
def table(make_predictions: MakePredictions) -> pd.DataFrame:
    return make_predictions({"covid@a": 4, "viral@a": 3, "normal@b": 5})


def test_labels_are_merged_and_groups_numbered(table: pd.DataFrame, card: Card) -> None:
    table.loc[11, "group"] = "patient 0"
    found = Predictions(table, card.decision_rule())
    assert found.classes.tolist() == ["covid"] * 4 + ["pneumonia"] * 3 + ["normal"] * 5
    assert found.truth.tolist() == [0] * 4 + [1] * 3 + [2] * 5
    assert found.of_positive_class.tolist() == [True] * 7 + [False] * 5
    assert found.groups.tolist() == [*range(11), 0]
    assert [card.labels.order[index] for index in found.decided] == table["decision"].tolist()
    np.testing.assert_array_equal(found.probabilities[:, 2], table["p_normal"])
    np.testing.assert_array_equal(found.positive_probability, table["positive_probability"])
    assert found.unknown_labels == {}
    assert found.labelled() is found


def test_labels_that_the_model_does_not_know_are_left_out_and_counted(
    make_predictions: MakePredictions, card: Card
) -> None:
    table = make_predictions({"other@a": 2, "covid@a": 3, "bacterial@a": 1, "normal@b": 2})
    every = Predictions(table, card.decision_rule())
    assert len(every) == 8
    assert every.unknown_labels == {"bacterial": 1, "other": 2}
    found = every.labelled()
    assert found.frame["path"].tolist() == table["path"][[2, 3, 4, 6, 7]].tolist()
    assert found.frame.index.tolist() == [0, 1, 2, 3, 4]
    assert found.groups.tolist() == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(found.probabilities[:, 0], found.frame["p_covid"])


def test_the_image_of_a_group_with_the_lowest_digest_is_drawn(
    table: pd.DataFrame, card: Card
) -> None:
    rows = table.iloc[:5].assign(group=list("babca"), sha256=list("53124"))
    found = Predictions(rows, card.decision_rule())
    assert found.independent.tolist() == [False, True, True, True, False]
    assert found.groups.tolist() == [0, 1, 0, 2, 1]


def test_probabilities_of_a_manifest_become_predictions(table: pd.DataFrame, card: Card) -> None:
    probabilities = table[["p_covid", "p_pneumonia", "p_normal"]].to_numpy()
    facts = table[["path", "sha256", "label", "group", "source", "age"]].assign(fold=1)
    found = Predictions.from_probabilities(facts, probabilities, card.decision_rule())
    assert "fold" not in found.frame
    assert found.frame["decision"].tolist() == table["decision"].tolist()
    assert found.frame["positive"].tolist() == table["positive"].tolist()
    with refuses("predictions-value-invalid", "have a probability that is missing"):
        Predictions.from_probabilities(facts, probabilities * np.nan, card.decision_rule())


def test_they_are_saved_and_shown(table: pd.DataFrame, card: Card, tmp_path: Path) -> None:
    found = Predictions(table, card.decision_rule())
    found.save(tmp_path / "predictions.parquet")
    again = Predictions(read_parquet(tmp_path / "predictions.parquet"), found.rule)
    pd.testing.assert_frame_equal(again.frame, found.frame, check_dtype=False)
    assert repr(found) == "Predictions(12 images, classes covid, pneumonia, normal)"
    assert found._repr_html_().count("<tr") > 3


def test_the_table_of_the_caller_is_left_alone(table: pd.DataFrame, card: Card) -> None:
    before = table.copy()
    Predictions(table, card.decision_rule())
    pd.testing.assert_frame_equal(table, before)


@pytest.mark.parametrize("known", [[], [41.0, 7]])
def test_ages_may_be_missing(table: pd.DataFrame, card: Card, known: list[float]) -> None:
    missing = [pd.NA] * (12 - len(known))
    table["age"] = pd.Series([*known, *missing], dtype=object)
    assert Predictions(table, card.decision_rule()).frame["age"].dropna().tolist() == known


def test_columns_as_parquet_gives_them_are_read(table: pd.DataFrame, card: Card) -> None:
    typed = table.convert_dtypes(dtype_backend="pyarrow")
    np.testing.assert_array_equal(
        Predictions(typed, card.decision_rule()).probabilities,
        Predictions(table, card.decision_rule()).probabilities,
    )


@pytest.mark.parametrize(
    ("column", "value", "refused"),
    [
        (
            "path",
            "/images/0.png",
            ("predictions-value-invalid", "1", "12", "are there more than once"),
        ),
        ("label", "tuberculosis", ("predictions-value-invalid", "have a label that is none of")),
        ("label", None, ("predictions-value-invalid", "1", "12", "have no label", "/images/3.png")),
        ("group", None, ("predictions-value-invalid", "have no group")),
        ("source", None, ("predictions-value-invalid", "have no source")),
        ("positive", None, ("predictions-value-invalid", "have no positive")),
        (
            "positive",
            "False",
            ("predictions-value-invalid", "have a positive that is neither true nor false"),
        ),
        ("age", "old", ("age-invalid",)),
        (
            "decision",
            "viral",
            (
                "predictions-value-invalid",
                "have a decision that is none of ('covid', 'pneumonia', 'normal')",
            ),
        ),
        (
            "p_covid",
            np.nan,
            (
                "predictions-value-invalid",
                "have a probability that is missing or not between 0 and 1",
            ),
        ),
        (
            "p_covid",
            1.2,
            ("predictions-value-invalid", "missing or not between 0 and 1", "/images/3.png"),
        ),
        ("p_covid", -0.1, ("predictions-value-invalid", "missing or not between 0 and 1")),
        ("p_covid", "high", ("column-not-numeric", "p_covid, p_pneumonia, p_normal")),
    ],
)
def test_a_bad_value_is_refused(
    table: pd.DataFrame, card: Card, column: str, value: object, refused: tuple[str, ...]
) -> None:
    values: list[object] = list(table[column])
    values[3] = value
    table[column] = pd.Series(values, dtype=object)
    with refuses(*refused):
        Predictions(table, card.decision_rule())


def test_probabilities_must_sum_to_one(table: pd.DataFrame, card: Card) -> None:
    table.loc[5, ["p_covid", "p_pneumonia", "p_normal"]] = (0.5, 0.3, 0.2 + 1.9e-3)
    assert len(Predictions(table, card.decision_rule())) == 12
    table.loc[5, "p_normal"] = 0.2 + 2.1e-3
    with refuses("predictions-value-invalid", "do not sum to 1 within 0.002", "/images/5.png"):
        Predictions(table, card.decision_rule())


def test_missing_columns_are_all_named(table: pd.DataFrame, card: Card) -> None:
    with refuses("predictions-not-of-model", "source, age, p_normal"):
        Predictions(table.drop(columns=["p_normal", "age", "source"]), card.decision_rule())


def test_no_image_to_evaluate_is_refused(make_predictions: MakePredictions, card: Card) -> None:
    with refuses("labels-not-of-model", "2", "covid, pneumonia, normal, viral"):
        Predictions(make_predictions({"other@a": 2}), card.decision_rule()).labelled()
    with refuses("labels-not-of-model", "0"):
        Predictions(make_predictions({"covid@a": 1}).iloc[:0], card.decision_rule()).labelled()
