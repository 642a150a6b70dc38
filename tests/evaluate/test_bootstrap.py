import numpy as np
import pytest

from pulmo.core.estimate import Estimate
from pulmo.evaluate import bootstrap as module
from pulmo.evaluate.bootstrap import (
    bootstrap,
    percentile_estimate,
    resamples,
    without_interval_if_scarce,
)
from pulmo.evaluate.ranking import Ranking
from pulmo.evaluate.weighted import mean_of


def test_whole_groups_are_drawn() -> None:
    groups = np.array([0, 1, 0, 2, 2, 2])
    weights = np.concatenate(list(resamples(groups, 50, np.random.default_rng(1))))
    assert weights.shape == (50, 6)
    np.testing.assert_array_equal(weights[:, [0, 3, 3]], weights[:, [2, 4, 5]])
    np.testing.assert_array_equal(weights[:, [0, 1, 3]].sum(axis=1), np.full(50, 3))
    assert len(np.unique(weights, axis=0)) > 5


def test_the_size_of_a_chunk_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    groups = np.arange(9) // 2
    whole = list(resamples(groups, 7, np.random.default_rng(1)))
    monkeypatch.setattr(module, "CHUNK_BYTES", 3 * 8 * len(groups))
    parts = list(resamples(groups, 7, np.random.default_rng(1)))
    assert [len(part) for part in parts] == [3, 3, 1]
    np.testing.assert_array_equal(np.concatenate(parts), np.concatenate(whole))


def test_a_mean_has_the_interval_of_theory(generator: np.random.Generator) -> None:
    values = generator.normal(size=400)
    draws = bootstrap({"mean": mean_of(values)}, np.arange(400), 4000, generator)["mean"]
    estimate = percentile_estimate(float(values.mean()), draws, 400, "")
    reach = 1.96 * values.std() / np.sqrt(400)
    assert estimate.low == pytest.approx(values.mean() - reach, abs=0.08 * reach)
    assert estimate.high == pytest.approx(values.mean() + reach, abs=0.08 * reach)


def test_an_auc_has_the_interval_of_delong(generator: np.random.Generator) -> None:
    """The variance of DeLong, DeLong and Clarke-Pearson 1988, equation 6, for one curve."""
    found, others = generator.normal(1, 1, size=200), generator.normal(size=300)
    wins = (found[:, None] > others).astype(float)
    error = np.sqrt(wins.mean(axis=1).var(ddof=1) / 200 + wins.mean(axis=0).var(ddof=1) / 300)
    scores, positive = np.concatenate([found, others]), np.arange(500) < 200
    ranking = Ranking.of(scores, positive)
    draws = bootstrap({"auc": ranking.auc}, np.arange(500), 3000, generator)["auc"]
    low, high = np.percentile(draws, (2.5, 97.5))
    assert high - low == pytest.approx(2 * 1.96 * error, rel=0.08)


def test_copies_do_not_narrow_an_interval(generator: np.random.Generator) -> None:
    values = generator.normal(size=100)
    once = bootstrap({"m": mean_of(values)}, np.arange(100), 2000, generator)["m"]
    copied = mean_of(np.repeat(values, 4))
    often = bootstrap({"m": copied}, np.repeat(np.arange(100), 4), 2000, generator)["m"]
    assert often.std() == pytest.approx(once.std(), rel=0.1)


def test_a_value_that_is_undefined_says_why() -> None:
    estimate = percentile_estimate(np.nan, np.full(10, np.nan), 8, "no picture")
    assert estimate == (None, None, None, 8, "no picture")


def test_too_many_undefined_resamples_give_no_interval() -> None:
    draws = np.linspace(0, 1, 100)
    draws[:5] = np.nan
    assert percentile_estimate(0.5, draws, 8, "").low is not None
    draws[:6] = np.nan
    expected = "6% of the resamples have no value"
    assert percentile_estimate(0.5, draws, 8, "") == (0.5, None, None, 8, expected)


def test_resamples_that_are_all_alike_give_no_interval() -> None:
    estimate = percentile_estimate(1.0, np.ones(100), 8, "")
    assert estimate[:4] == (1.0, None, None, 8)
    assert "all resamples give the same value" in str(estimate)


@pytest.mark.parametrize(
    ("positive", "reason"),
    [
        ([1, 1, 0, 0, 0], "pictures with it come from 1 group only"),
        ([1, 1, 1, 1, 0], "pictures without it come from 1 group only"),
        ([1, 1, 1, 1, 1], "pictures without it come from 0 groups only"),
        ([1, 0, 1, 0, 0], None),
    ],
)
def test_one_group_on_a_side_gives_no_interval(positive: list[int], reason: str | None) -> None:
    estimate = Estimate(0.5, 0.2, 0.7, 5)
    groups = np.array([0, 0, 1, 2, 3])
    checked = without_interval_if_scarce(estimate, np.array(positive, np.bool_), groups)
    expected = Estimate(0.5, None, None, 5, reason) if reason else estimate
    assert checked == expected


def test_what_has_no_value_keeps_its_own_reason() -> None:
    estimate = Estimate.undefined("no picture", 2)
    positive = np.array([True, True])
    assert without_interval_if_scarce(estimate, positive, np.array([0, 1])) == estimate
