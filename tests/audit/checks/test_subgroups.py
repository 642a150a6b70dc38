from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from pulmo.audit.checks.subgroups import TRAITS, subgroups
from pulmo.audit.context import AuditContext
from pulmo.stats.estimate import Estimate

Rows = Callable[..., pd.DataFrame]
Tell = Callable[..., AuditContext]

N = 400


@pytest.fixture
def rows(make_rows: Rows) -> pd.DataFrame:
    """As many women as men with either label."""
    return make_rows(["normal", "covid"] * (N // 2)).assign(sex=["F", "F", "M", "M"] * (N // 4))


def said(wrong: NDArray[np.bool_]) -> NDArray[np.float64]:
    """What a model says that is wrong about some images."""
    covid = (np.arange(N) % 2 == 1) ^ wrong
    return np.where(covid[:, None], [0.1, 0.9], [0.9, 0.1])


def every(n: int, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Takes every n-th of the chosen."""
    found = np.zeros(len(chosen), np.bool_)
    found[np.flatnonzero(chosen)[::n]] = True
    return found


def test_silent_where_all_are_treated_alike(rows: pd.DataFrame, tell: Tell) -> None:
    women = (rows["sex"] == "F").to_numpy()
    wrong = every(10, women) | every(10, ~women)
    result = subgroups(tell(rows, said(wrong)))
    assert result.verdict == "passes"
    tested, not_tested = result.messages
    assert (tested.kind, not_tested.kind) == ("tested", "not-tested")
    assert "4 gaps were tested, by sex." in tested.text
    assert "age, view, source, shorter side" in not_tested.text
    assert result.metrics == {}


def test_fires_where_one_sex_is_much_worse(rows: pd.DataFrame, tell: Tell) -> None:
    women = (rows["sex"] == "F").to_numpy()
    wrong = every(3, women) | every(20, ~women)
    result = subgroups(tell(rows, said(wrong)))
    assert result.verdict == "fails"
    table = {(row[1], row[3]): row for row in result.tables[0].rows}
    here, rest, worse = table["F", "balanced accuracy"][4:]
    truth = np.arange(N) % 2
    expected = [
        np.mean([1 - wrong[side & (truth == label)].mean() for label in (0, 1)])
        for side in (women, ~women)
    ]
    assert isinstance(here, tuple)
    assert isinstance(rest, tuple)
    assert isinstance(worse, tuple)
    assert (here[0], rest[0]) == pytest.approx(tuple(expected))
    assert worse[0] == pytest.approx(expected[1] - expected[0])
    assert worse in result.metrics.values()
    worst = [message.text for message in result.messages if message.kind == "worse"]
    assert any("balanced accuracy is lower for sex F" in text for text in worst)
    assert not any("sex M" in text for text in worst)


def test_warns_where_one_sex_is_a_little_worse(rows: pd.DataFrame, tell: Tell) -> None:
    women = (rows["sex"] == "F").to_numpy()
    result = subgroups(tell(rows, said(every(7, women))))
    assert result.verdict == "warns"


def test_many_subgroups_need_a_larger_gap(rows: pd.DataFrame, tell: Tell) -> None:
    views = [f"view {number // 2 % 10}" for number in range(N)]
    first = np.array(views) == "view 0"
    table = said(every(6, first) | every(20, ~first))
    alone = rows.assign(sex=None, view=np.where(first, "view 0", "another"))
    assert subgroups(tell(alone, table)).verdict == "warns"
    assert subgroups(tell(rows.assign(sex=None, view=views), table)).verdict == "passes"


def test_bands_of_age_and_size(rows: pd.DataFrame, tell: Tell) -> None:
    rows = rows.iloc[:6].assign(
        age=pd.array([0, 17.9, 18, 64, 65, None], "Float64"),
        width=[100, 511, 512, 4000, 2048, 100],
        height=[3000, 600, 600, 1024, 3000, 100],
    )
    context = tell(rows, said(np.zeros(N, np.bool_))[:6])
    ages = TRAITS["age"](context).astype("string").fillna("unknown").tolist()
    assert ages == [
        "below 18 years", "below 18 years", "18 to 39 years", "40 to 64 years",
        "65 years or more", "unknown",
    ]  # fmt: skip
    assert TRAITS["shorter side"](context).astype("string").tolist() == [
        "below 512 px", "below 512 px", "512 to 1023 px", "1024 to 2047 px", "2048 px or more",
        "below 512 px",
    ]  # fmt: skip


def test_few_are_undefined_with_a_reason(rows: pd.DataFrame, tell: Tell) -> None:
    rows = rows.assign(sex=["F"] * 18 + ["M"] * (N - 18), view=["PA", "PA", "AP", "AP"] * (N // 4))
    result = subgroups(tell(rows, said(np.zeros(N, np.bool_))))
    reasons = {}
    for _, name, _, value, *_, worse in result.tables[0].rows:
        assert isinstance(worse, Estimate)
        reasons[name, value] = worse.reason
    assert reasons["F", "sensitivity"] == "fewer than 10 positive images in the subgroup"
    assert reasons["M", "sensitivity"] == "fewer than 10 positive images in the rest"
    assert "fewer than two classes" in str(reasons["F", "balanced accuracy"])
    assert reasons["PA", "sensitivity"] is None


def test_every_trait_is_looked_at(rows: pd.DataFrame, tell: Tell) -> None:
    half = np.arange(N) < N // 2
    rows = rows.assign(
        age=np.where(half, 30.0, 70.0),
        view=np.where(half, "PA", "AP"),
        source=np.where(half, "a", "b"),
        width=np.where(half, 256, 1024),
        height=np.where(half, 256, 1024),
    )
    result = subgroups(tell(rows, said(np.zeros(N, np.bool_))))
    assert result.kinds == ("tested",)
    assert result.conclusion == "20 gaps were tested, by sex, age, view, source, shorter side."


def test_unknown_without_subgroups(make_rows: Rows, tell: Tell) -> None:
    result = subgroups(tell(make_rows(["normal", "covid"]), said(np.zeros(N, np.bool_))[:2]))
    assert result.verdict == "could_not_run"
    assert result.kinds == ("few-images",)


def test_the_unknown_form_no_subgroup(rows: pd.DataFrame, tell: Tell) -> None:
    rows.loc[: N // 2, "sex"] = None
    wrong = rows["sex"].isna().to_numpy()
    result = subgroups(tell(rows, said(wrong)))
    assert result.verdict == "passes"
    assert {row[1] for row in result.tables[0].rows} == {"F", "M"}
