from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from fixtures.refuses import refuses
from pulmo.datasets.manifest import Manifest
from pulmo.datasets.split import Matching, Plan, check_split, draw

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
