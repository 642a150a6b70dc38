from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from pulmo.bundle.card import Card
from pulmo.core.errors import InputError
from pulmo.evaluate.intake import judge
from pulmo.evaluate.terms import Terms

MakePredictions = Callable[[dict[str, int]], pd.DataFrame]


@pytest.fixture
def table(make_predictions: MakePredictions) -> pd.DataFrame:
    return make_predictions({"covid@a": 4, "viral@a": 3, "normal@b": 5})


def test_labels_are_merged_and_groups_numbered(table: pd.DataFrame, card: Card) -> None:
    table.loc[11, "group"] = "patient 0"
    rows, sample, skipped = judge(table, Terms.of(card))
    assert rows["class"].tolist() == ["covid"] * 4 + ["pneumonia"] * 3 + ["normal"] * 5
    assert sample.truth.tolist() == [0] * 4 + [1] * 3 + [2] * 5
    assert sample.groups.tolist() == [*range(11), 0]
    assert sample.labels == card.labels.order
    assert [card.labels.order[index] for index in sample.decided] == table["decision"].tolist()
    np.testing.assert_array_equal(sample.probabilities[:, 2], table["p_normal"])
    assert skipped == {}


def test_labels_that_the_model_does_not_know_are_left_out_and_counted(
    make_predictions: MakePredictions, card: Card
) -> None:
    table = make_predictions({"other@a": 2, "covid@a": 3, "bacterial@a": 1, "normal@b": 2})
    rows, sample, skipped = judge(table, Terms.of(card))
    assert skipped == {"bacterial": 1, "other": 2}
    assert rows["path"].tolist() == table["path"][[2, 3, 4, 6, 7]].tolist()
    assert rows.index.tolist() == [0, 1, 2, 3, 4]
    assert sample.groups.tolist() == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(sample.probabilities[:, 0], rows["p_covid"])


def test_the_table_of_the_caller_is_left_alone(table: pd.DataFrame, card: Card) -> None:
    before = table.copy()
    judge(table, Terms.of(card))
    pd.testing.assert_frame_equal(table, before)


@pytest.mark.parametrize("known", [[], [41.0, 7]])
def test_ages_may_be_missing(table: pd.DataFrame, card: Card, known: list[float]) -> None:
    missing = [pd.NA] * (12 - len(known))
    table["age"] = pd.Series([*known, *missing], dtype=object)
    assert judge(table, Terms.of(card)).rows["age"].dropna().tolist() == known


def test_columns_as_parquet_gives_them_are_read(table: pd.DataFrame, card: Card) -> None:
    typed = table.convert_dtypes(dtype_backend="pyarrow")
    np.testing.assert_array_equal(
        judge(typed, Terms.of(card)).sample.probabilities,
        judge(table, Terms.of(card)).sample.probabilities,
    )


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("path", "/pictures/0.png", "1 of the 12 predictions are there more than once"),
        ("label", "tuberculosis", "have a label that is none of"),
        ("label", None, "1 of the 12 predictions have no label; the first is of /pictures/3.png"),
        ("group", None, "have no group"),
        ("source", None, "have no source"),
        ("positive", None, "have no positive"),
        ("positive", "False", "have a positive that is neither true nor false"),
        ("age", "old", "The column age must hold years or nothing"),
        (
            "decision",
            "viral",
            r"have a decision that is none of \('covid', 'pneumonia', 'normal'\)",
        ),
        ("p_covid", np.nan, "have a probability that is missing or not between 0 and 1"),
        ("p_covid", 1.2, "missing or not between 0 and 1; the first is of /pictures/3.png"),
        ("p_covid", -0.1, "missing or not between 0 and 1"),
        ("p_covid", "high", "The columns p_covid, p_pneumonia, p_normal must hold numbers"),
    ],
)
def test_a_bad_value_is_refused(
    table: pd.DataFrame, card: Card, column: str, value: object, message: str
) -> None:
    values: list[object] = list(table[column])
    values[3] = value
    table[column] = pd.Series(values, dtype=object)
    with pytest.raises(InputError, match=message):
        judge(table, Terms.of(card))


def test_probabilities_must_sum_to_one(table: pd.DataFrame, card: Card) -> None:
    table.loc[5, ["p_covid", "p_pneumonia", "p_normal"]] = (0.5, 0.3, 0.2 + 1.9e-3)
    assert len(judge(table, Terms.of(card)).sample) == 12
    table.loc[5, "p_normal"] = 0.2 + 2.1e-3
    with pytest.raises(InputError, match=r"do not sum to 1 within 0\.002 .*; .* /pictures/5\.png"):
        judge(table, Terms.of(card))


def test_missing_columns_are_all_named(table: pd.DataFrame, card: Card) -> None:
    with pytest.raises(InputError, match="lack the columns source, age, p_normal; expected"):
        judge(table.drop(columns=["p_normal", "age", "source"]), Terms.of(card))


def test_nothing_to_judge_is_refused(make_predictions: MakePredictions, card: Card) -> None:
    with pytest.raises(InputError, match=r"None of the 2 pictures .*covid, pneumonia, normal, vir"):
        judge(make_predictions({"other@a": 2}), Terms.of(card))
    with pytest.raises(InputError, match="None of the 0 pictures"):
        judge(make_predictions({"covid@a": 1}).iloc[:0], Terms.of(card))
