from collections.abc import Callable

import pandas as pd

from pulmo.datasets.inspect import counts as module
from pulmo.datasets.inspect.counts import classes_of, crossings_of, missing_of, notes_of, totals_of
from pulmo.datasets.inspect.inspection import NOT_STATED

Make = Callable[..., pd.DataFrame]


def test_classes_have_the_order_of_the_vocabulary(table: pd.DataFrame) -> None:
    assert classes_of(table) == ["covid", "viral", "normal"]


def test_totals(table: pd.DataFrame, fill: Callable[..., pd.DataFrame]) -> None:
    table.loc[:9, "patient"] = pd.NA
    totals = totals_of(table)
    named = table[10:]
    assert totals.images == 400
    assert totals.groups == table["group"].nunique()
    assert totals.largest_group == table.groupby("group").size().max()
    assert totals.patients == len(named.drop_duplicates(["source", "patient"]))
    assert totals.with_patient == 390
    assert totals.most_of_a_patient == named.groupby(["source", "patient"]).size().max()
    nobody = totals_of(fill(table, patient=pd.NA))
    assert (nobody.patients, nobody.with_patient, nobody.most_of_a_patient) == (0, 0, 0)


def test_each_column_is_counted_against_the_class(table: pd.DataFrame) -> None:
    table.loc[:99, "view"] = pd.NA
    crossings = crossings_of(table)
    for name in ("source", "view", "bits"):
        expected = pd.crosstab(table[name].astype("string").fillna(NOT_STATED), table["label"])
        found = pd.DataFrame(crossings[name].rows).T
        assert found.loc[expected.index, expected.columns].equals(expected), name
    assert list(crossings["bits"].rows) == ["8", "16"]
    assert list(crossings["view"].rows)[-1] == NOT_STATED
    assert set(crossings["split"].rows) == {NOT_STATED}
    sizes = [sum(row.values()) for row in crossings["origin"].rows.values()]
    assert sizes == sorted(sizes, reverse=True)


def test_ages_fall_into_bands_in_their_order(table: pd.DataFrame) -> None:
    table["age"] = table["age"].astype(float)
    table.loc[:5, "age"] = [0, 5.9, 6, 65, 130, float("nan")]
    rows = crossings_of(table[:6])["age_band"].rows
    counts = {name: sum(row.values()) for name, row in rows.items()}
    assert counts == {"0-5": 2, "6-17": 1, "65 and over": 2, NOT_STATED: 1}


def test_rare_values_are_counted_together(table: pd.DataFrame) -> None:
    names = [f"h{number:03d}" for number in range(module.LISTED + 2)]
    table["origin"] = pd.Series(names + ["h000"] * (400 - len(names)), dtype="string")
    crossing = crossings_of(table)["origin"]
    assert len(crossing.rows) == module.LISTED
    assert next(iter(crossing.rows)) == "h000"
    assert crossing.others == 2
    assert sum(crossing.of_others.values()) == 2


def test_nulls_are_counted_by_class(table: pd.DataFrame) -> None:
    table.loc[table["label"] == "viral", "age"] = pd.NA
    missing = missing_of(table)
    viral = int((table["label"] == "viral").sum())
    assert missing["age"] == {"covid": 0, "viral": viral, "normal": 0}
    assert sum(missing["boxes"].values()) == 400
    assert "path" not in missing


def test_notes_are_counted_by_class_and_source(make: Make) -> None:
    table = make()
    cells = ["colour", "colour;own-range", "unknown", None]
    table["notes"] = pd.Series([cells[number % 4] for number in range(len(table))], dtype="string")
    found = notes_of(table)
    assert list(found) == ["colour", "own-range", "unknown"]
    for kind, counts in found.items():
        rows = table[table["notes"].fillna("").str.split(";").map(lambda kinds, k=kind: k in kinds)]
        assert counts.n == len(rows)
        assert counts.classes == {
            label: int((rows["label"] == label).sum()) for label in classes_of(table)
        }
        assert counts.sources == rows["source"].value_counts().to_dict()
        assert counts.says
    # That an image has no note is no gap; that nobody knows is one.
    assert sum(missing_of(table)["notes"].values()) == found["unknown"].n
