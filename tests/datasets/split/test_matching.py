from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from fixtures.refuses import refuses
from pulmo.datasets.manifest import Manifest
from pulmo.datasets.split import Matching, Plan, check_split, draw
from pulmo.datasets.split.matching import match

MakeGroups = Callable[..., pd.DataFrame]


@pytest.fixture
def aged(make_groups: MakeGroups) -> pd.DataFrame:
    """A manifest whose normal patients are young and seen in PA, and others old and seen in AP."""
    table = make_groups(400)
    generator = np.random.default_rng(5)
    normal = table["label"] == "normal"
    age = np.where(normal, 35, 60) + generator.normal(0, 15, len(table)).round(1)
    table["age"] = pd.array(age.clip(0, 99), "Float64")
    chance = generator.random(len(table))
    table["view"] = np.where(chance < np.where(normal, 0.8, 0.3), "PA", "AP")
    table["sex"] = np.where(generator.random(len(table)) < 0.5, "F", "M")
    table.loc[table.index % 9 == 0, "age"] = None
    table.loc[table.index % 13 == 0, "view"] = None
    return table


def test_every_stratum_has_equally_many_of_each_label(aged: pd.DataFrame) -> None:
    matching = Matching(("view", "age"), 20, ("covid", "normal", "viral"))
    reason, strata = match(aged, matching, np.random.default_rng(0))
    kept = aged[reason.isna()]
    band = kept["age"] // 20
    counts = pd.crosstab([kept["view"], band], kept["label"])
    assert counts.to_numpy().sum() > 100
    assert counts.min(axis=1).equals(counts.max(axis=1))
    known = aged[aged[["view", "age"]].notna().all(axis=1)]
    full = pd.crosstab([known["view"], known["age"] // 20], known["label"])
    expected = full[["covid", "normal", "viral"]].min(axis=1)
    assert counts["covid"].to_dict() == expected[expected > 0].to_dict()
    assert strata.columns.tolist() == ["view", "age", "kept", "covid", "normal", "viral"]
    first = strata.iloc[0]
    assert (first["view"], first["age"]) == ("AP", "0-19")
    assert strata["kept"].tolist() == expected.tolist()
    assert strata["normal"].tolist() == full["normal"].tolist()


def test_whoever_is_left_out_has_a_reason(aged: pd.DataFrame) -> None:
    matching = Matching(("sex", "view"), labels=("covid", "viral"))
    aged.loc[(aged["label"] == "viral") & (aged["view"] == "AP") & (aged["sex"] == "F"), "sex"] = (
        "M"
    )
    reason, _ = match(aged, matching, np.random.default_rng(0))
    out = aged[reason.notna()].assign(reason=reason)
    others = out[out["reason"] == "its label is not among those that are matched"]
    assert len(others) == (~aged["label"].isin(["covid", "viral"])).sum()
    unknown = out[out["reason"] == "its sex or view is not known"]
    assert unknown["view"].isna().all()
    alone = out[out["reason"] == "its stratum has none of another label"]
    assert set(zip(alone["sex"], alone["view"], strict=True)) == {("F", "AP")}
    surplus = out[out["reason"] == "its stratum has more of its label than of another"]
    assert len(others) + len(unknown) + len(alone) + len(surplus) == len(out)


def test_the_choice_depends_on_the_seed_and_not_on_the_row_order(aged: pd.DataFrame) -> None:
    plan = Plan(matching=Matching(("view",), labels=("covid", "normal")))

    def chosen(rows: pd.DataFrame, plan: Plan) -> dict[str, str]:
        table = draw(Manifest(rows), plan).manifest
        return dict(zip(table.frame["path"], table.frame["split"].fillna(""), strict=True))

    assert chosen(aged, plan) == chosen(aged.sample(frac=1, random_state=0), plan)
    other = Plan(seed=1, matching=plan.matching)
    assert chosen(aged, plan) != chosen(aged, other)


def test_images_are_drawn_group_by_group(make_groups: MakeGroups) -> None:
    """In one stratum at most one group of a label is cut."""
    table = make_groups(300).assign(view="PA")
    matching = Matching(("view",), labels=("covid", "viral"))
    reason, _ = match(table, matching, np.random.default_rng(0))
    taken = reason.isna().groupby(table["group"]).agg(["sum", "size"])
    cut = taken[(taken["sum"] > 0) & (taken["sum"] < taken["size"])]
    assert len(cut) <= 1
    assert 0 < reason.isna().sum() < len(table)


def test_the_split_is_drawn_of_the_matched_images(aged: pd.DataFrame) -> None:
    matching = Matching(("view", "sex"), labels=("covid", "normal"))
    table, reason, strata = draw(Manifest(aged), Plan(matching=matching, folds=3))
    check_split(table)
    assert strata is not None
    assert table.frame["split"].isna().equals(reason.notna())
    assert table.frame["split"].notna().sum() == 2 * strata["kept"].sum()
    assert sorted(table.frame["fold"].dropna().unique()) == [0, 1, 2]


@pytest.mark.parametrize("column", ["source", "modality"])
def test_every_text_column_can_be_matched(aged: pd.DataFrame, column: str) -> None:
    aged["modality"] = "X-ray"
    aged["source"] = aged["source"].replace({"b": "a"})
    reason, strata = match(
        aged, Matching((column,), labels=("covid", "normal")), np.random.default_rng(0)
    )
    assert len(strata) == 1
    assert reason.isna().sum() == 2 * aged["label"].value_counts()["normal"]


class TestRefusals:
    """Matching that cannot be done."""

    def test_no_stratum_with_every_label(self, aged: pd.DataFrame) -> None:
        aged["label"] = aged["label"].replace({"other": "viral"})
        aged.loc[aged["label"] == "viral", "age"] = None
        normal = int((aged["label"] == "normal").sum())
        known = int((aged["age"].notna() & (aged["label"] == "normal")).sum())
        with refuses("matching-empty", known, normal):
            match(aged, Matching(("age",)), np.random.default_rng(0))

    def test_nobody_with_a_known_value(self, aged: pd.DataFrame) -> None:
        with refuses("matching-empty"):
            match(aged.assign(age=None), Matching(("age",)), np.random.default_rng(0))

    def test_labels_that_are_not_there(self, aged: pd.DataFrame) -> None:
        with refuses("label-without-images", "bacterial", "covid, normal"):
            match(aged, Matching(("age",), 10, ("covid", "bacterial")), np.random.default_rng(0))
        with refuses("labels-too-few", "covid"):
            match(aged.assign(label="covid"), Matching(("age",)), np.random.default_rng(0))

    @pytest.mark.parametrize(
        ("columns", "band", "labels", "refused"),
        [
            (
                ("vew",),
                10,
                (),
                ("matching-column-unknown", "'vew'", "view, age, sex, modality, source"),
            ),
            ((), 10, (), ("matching-columns-invalid",)),
            (("view", "view"), 10, (), ("matching-columns-invalid",)),
            (("age",), 0, (), ("age-band-invalid", "0")),
            (("age",), 10, ("covid",), ("labels-too-few",)),
            (("age",), 10, ("covid", "covid"), ("labels-too-few",)),
            (("age",), 10, ("covid", "norml"), ("label-unknown", "Did you mean 'normal'")),
        ],
    )
    def test_what_makes_no_matching(
        self, columns: tuple[str, ...], band: int, labels: tuple[str, ...], refused: tuple[str, ...]
    ) -> None:
        with refuses(*refused):
            Matching(columns, band, labels)
