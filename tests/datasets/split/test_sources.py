from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from fixtures.refuses import refuses
from pulmo.datasets.manifest import Manifest
from pulmo.datasets.split import (
    Matching,
    Plan,
    check_split,
    draw,
    unlike_shares,
    unnamed_origins,
)
from pulmo.datasets.split.sources import tie_origins

MakeGroups = Callable[..., pd.DataFrame]


@pytest.fixture
def tied(make_groups: MakeGroups) -> pd.DataFrame:
    """A manifest in which every tenth group holds images of the sources a and b."""
    table = make_groups(300)
    copies = table[(table["source"] == "a") & (table["group"].str[1:].astype(int) % 10 == 0)]
    copies = copies.assign(source="b", path="/copy" + copies["path"])
    return pd.concat([table, copies], ignore_index=True)


class TestLeaveOut:
    """A source as the test."""

    def test_the_source_is_the_test_and_what_is_tied_to_it_takes_no_part(
        self, tied: pd.DataFrame
    ) -> None:
        table, reason, strata = draw(Manifest(tied), Plan(leave_out="b", val=0.2))
        check_split(table)
        assert strata is None
        is_b = tied["source"] == "b"
        assert (table.frame["split"] == "test").equals(is_b)
        bound = ~is_b & tied["group"].isin(tied["group"][is_b])
        assert bound.any()
        assert (table.frame["split"].isna()).equals(bound)
        assert set(reason[bound]) == {"in a group with images of b"}
        assert reason[~bound].isna().all()
        rest = table.frame["split"][~is_b & ~bound]
        assert (rest == "val").mean() == pytest.approx(0.2, abs=0.02)

    def test_what_another_source_has_from_it_takes_no_part(self, make_groups: MakeGroups) -> None:
        table = make_groups(300)
        copied = (table["source"] == "a") & (table.index % 3 == 0)
        table["origin"] = copied.map({True: "b", False: None})
        drawn, reason, _ = draw(Manifest(table), Plan(leave_out="b"))
        assert drawn.frame["split"].isna().equals(copied)
        assert set(reason[copied]) == {"its source has it from b"}
        assert reason[~copied].isna().all()

    def test_the_rest_may_be_dealt_to_folds(self, tied: pd.DataFrame) -> None:
        table = draw(Manifest(tied), Plan(leave_out="c", folds=3)).manifest
        check_split(table)
        assert set(table.frame["source"][table.frame["split"] == "test"]) == {"c"}
        assert table.frame["fold"].value_counts(normalize=True).to_numpy() == pytest.approx(
            1 / 3, abs=0.01
        )

    def test_a_source_that_is_not_there(self, tied: pd.DataFrame) -> None:
        tied["source"] = tied["source"].replace({"a": "kermany"})
        with refuses("source-unknown", "b, c, kermany", "Did you mean 'kermany'"):
            draw(Manifest(tied), Plan(leave_out="kermani"))
        with refuses("source-unknown", "b, c, kermany"):
            draw(Manifest(tied), Plan(leave_out="q"))

    def test_the_only_source(self, make_groups: MakeGroups) -> None:
        table = make_groups(9).assign(source="a")
        with refuses("training-without-source", "a"):
            draw(Manifest(table), Plan(leave_out="a"))


class TestFoldsBySource:
    """One fold a source."""

    def test_groups_that_span_sources_take_no_part(self, tied: pd.DataFrame) -> None:
        table, reason, _ = draw(Manifest(tied), Plan(by_source=True, test=0.2, fold=1))
        check_split(table)
        spans = tied.groupby("group")["source"].transform("nunique") > 1
        assert spans.any()
        assert (table.frame["split"].isna()).equals(spans)
        assert set(reason[spans]) == {"its group spans sources"}
        folded = table.frame[table.frame["fold"].notna()]
        assert set(zip(folded["source"], folded["fold"], strict=True)) == {
            ("a", 0), ("b", 1), ("c", 2),
        }  # fmt: skip
        assert set(folded["source"][folded["split"] == "val"]) == {"b"}
        assert (table.frame["split"] == "test").sum() == pytest.approx(0.2 * (~spans).sum(), abs=5)

    def test_one_source_alone(self, make_groups: MakeGroups) -> None:
        with refuses("sources-too-few", "a"):
            draw(Manifest(make_groups(9).assign(source="a")), Plan(by_source=True))
        images = make_groups(9).assign(group="one")
        with refuses("sources-too-few", "none"):
            draw(Manifest(images), Plan(by_source=True))


@pytest.mark.parametrize(
    ("options", "refused"),
    [
        ({"leave_out": "a", "keep": "test"}, ("test-set-contradicts",)),
        ({"folds": 3, "by_source": True}, ("folds-contradict",)),
        ({"folds": 1}, ("folds-too-few", "1")),
        ({"leave_out": "a", "matching": Matching(("age",))}, ("matching-across-sources",)),
        ({"by_source": True, "matching": Matching(("age",))}, ("matching-across-sources",)),
    ],
)
def test_plans_that_contradict_themselves(
    options: dict[str, object], refused: tuple[str, ...]
) -> None:
    with refuses(*refused):
        Plan(**options)  # type: ignore[arg-type] # a dictionary's values have one type


def test_a_plan_is_reproduced_whatever_the_row_order(tied: pd.DataFrame) -> None:
    plan = Plan(by_source=True, seed=3)
    first = draw(Manifest(tied), plan).manifest
    again = draw(
        Manifest(tied.sample(frac=1, random_state=np.random.default_rng(1))), plan
    ).manifest
    pd.testing.assert_frame_equal(
        first.frame.sort_values("path", ignore_index=True),
        again.frame.sort_values("path", ignore_index=True),
    )


class TestByOrigin:
    """All images of a hospital on one side."""

    @pytest.fixture
    def hospitals(self, make_groups: MakeGroups) -> pd.DataFrame:
        """Groups of 40 hospitals a source; a tenth of the images state none."""
        table = make_groups(400)
        number = pd.factorize(table["group"])[0] % 40
        table["origin"] = pd.Series([f"hospital {n}" for n in number], dtype="string")
        return table.assign(origin=table["origin"].mask(table.index % 10 == 0, None))

    def test_no_hospital_of_a_source_is_on_two_sides(self, hospitals: pd.DataFrame) -> None:
        drawn = draw(Manifest(hospitals), Plan(by_origin=True)).manifest
        check_split(drawn)
        assert drawn.groups.equals(Manifest(hospitals).groups)
        sides = drawn.frame.groupby(["source", "origin"])["split"].nunique()
        assert set(sides) == {1}
        apart = draw(Manifest(hospitals), Plan()).manifest
        assert apart.frame.groupby(["source", "origin"])["split"].nunique().max() > 1
        share = drawn.frame["split"].value_counts(normalize=True)
        assert share["test"] == pytest.approx(0.15, abs=0.05)

    def test_no_hospital_of_a_source_is_in_two_folds(self, hospitals: pd.DataFrame) -> None:
        drawn = draw(Manifest(hospitals), Plan(by_origin=True, folds=3, test=0)).manifest
        assert set(drawn.frame.groupby(["source", "origin"])["fold"].nunique()) == {1}

    def test_a_group_ties_the_hospitals_that_it_spans(self, make_groups: MakeGroups) -> None:
        table = make_groups(4, largest=1).assign(
            source="a",
            origin=pd.Series(["x", "y", "y", None], dtype="string"),
            group=["g0", "g0", "g2", "g3"],
        )
        assert tie_origins(table).tolist() == ["g0", "g0", "g0", "g3"]
        elsewhere = table.assign(source=["a", "a", "b", "a"])
        assert tie_origins(elsewhere).tolist() == ["g0", "g0", "g2", "g3"]

    def test_unknown_hospitals_are_counted(self, hospitals: pd.DataFrame) -> None:
        drawn = draw(Manifest(hospitals), Plan(by_origin=True)).manifest
        n = int(hospitals["origin"].isna().sum())
        (sentence,) = unnamed_origins(drawn)
        assert sentence.startswith(f"{n} of the images")


class TestShares:
    """Fractions that cannot be kept."""

    def test_a_fraction_of_less_than_an_image_is_refused(self, make_groups: MakeGroups) -> None:
        with refuses("split-share-too-small", "test"):
            draw(Manifest(make_groups()), Plan(test=0.0001))

    def test_a_fraction_that_groups_exceed_is_told(self, make_groups: MakeGroups) -> None:
        drawn = draw(Manifest(make_groups(largest=80)), Plan(test=0.001)).manifest
        (sentence,) = unlike_shares(drawn, 0.15, 0.001)
        n = int((drawn.frame["split"] == "test").sum())
        assert sentence.startswith(f"test has {n} of the {len(drawn)} images")

    def test_a_fraction_that_is_kept_needs_no_word(self, make_groups: MakeGroups) -> None:
        assert unlike_shares(draw(Manifest(make_groups()), Plan()).manifest, 0.15, 0.15) == []
