import numpy as np
import pytest
from scipy import stats

from pulmo.stats import weights as module
from pulmo.stats.resampling import (
    Statistics,
    bootstrap,
    interval_estimate,
    tails,
)
from pulmo.stats.weights import Floats, Weights, draw_weights, jackknife_weights


def mean_of(values: Floats) -> Statistics:
    return lambda weights: {"mean": weights @ values / weights.sum(axis=1)}


def test_whole_groups_are_drawn() -> None:
    groups = np.array([0, 1, 0, 2, 2, 2])
    weights = draw_weights(groups, np.random.default_rng(1).spawn(50))
    assert weights.shape == (50, 6)
    np.testing.assert_array_equal(weights[:, [0, 3, 3]], weights[:, [2, 4, 5]])
    np.testing.assert_array_equal(weights[:, [0, 1, 3]].sum(axis=1), np.full(50, 3))
    assert len(np.unique(weights, axis=0)) > 5


def test_neither_chunks_nor_threads_change_what_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    values, groups = np.arange(9.0), np.arange(9) // 2
    whole = bootstrap(mean_of(values), groups, 7, np.random.default_rng(1))["mean"]
    monkeypatch.setattr(module, "CHUNK_BYTES", 3 * 8 * len(groups))
    sizes = []

    def watched(weights: Weights) -> dict[str, Floats]:
        sizes.append(len(weights))
        return dict(mean_of(values)(weights))

    parts = bootstrap(watched, groups, 7, np.random.default_rng(1))["mean"]
    assert sorted(sizes) == [1, 3, 3]
    np.testing.assert_array_equal(parts, whole)


def test_a_mean_has_the_interval_of_theory(generator: np.random.Generator) -> None:
    values = generator.normal(size=400)
    draws = bootstrap(mean_of(values), np.arange(400), 4000, generator)["mean"]
    estimate = interval_estimate(float(values.mean()), draws, 400, "")
    reach = 1.96 * values.std() / np.sqrt(400)
    assert estimate.low == pytest.approx(values.mean() - reach, abs=0.08 * reach)
    assert estimate.high == pytest.approx(values.mean() + reach, abs=0.08 * reach)


def test_copies_do_not_narrow_an_interval(generator: np.random.Generator) -> None:
    values = generator.normal(size=100)
    once = bootstrap(mean_of(values), np.arange(100), 2000, generator)["mean"]
    copied = mean_of(np.repeat(values, 4))
    often = bootstrap(copied, np.repeat(np.arange(100), 4), 2000, generator)["mean"]
    assert often.std() == pytest.approx(once.std(), rel=0.1)


class TestBCa:
    """The quantiles of BCa, against scipy's on the very same resamples."""

    def test_the_interval_is_scipys(self, generator: np.random.Generator) -> None:
        values = generator.exponential(size=60)
        reference = stats.bootstrap(
            (values,), np.mean, n_resamples=3000, method="BCa", rng=generator
        )
        draws = reference.bootstrap_distribution
        left_out = mean_of(values)(jackknife_weights(np.arange(60)))["mean"]
        ends = tails(float(values.mean()), draws, left_out)
        low, high = np.quantile(draws, ends)
        expected = reference.confidence_interval
        assert (low, high) == pytest.approx((expected.low, expected.high), rel=1e-3)
        assert ends[0] > 0.03
        assert ends[1] > 0.98

    def test_blocks_accelerate_as_single_groups_do(self, generator: np.random.Generator) -> None:
        values = generator.exponential(size=20_000)
        draws = values.mean() + generator.normal(size=3000) / 100
        blocks = jackknife_weights(np.arange(20_000))
        assert blocks.shape == (200, 20_000)
        assert (blocks.sum(axis=0) == 199).all()
        single = (values.sum() - values) / 19_999
        ends = (
            tails(float(values.mean()), draws, left_out)
            for left_out in (mean_of(values)(blocks)["mean"], single)
        )
        first, second = ends
        assert first == pytest.approx(second, abs=0.003)

    def test_a_group_is_left_out_whole(self) -> None:
        weights = jackknife_weights(np.array([0, 1, 0, 2]))
        assert weights.tolist() == [[0, 1, 0, 1], [1, 0, 1, 1], [1, 1, 1, 0]]

    @pytest.mark.parametrize(
        ("value", "draws", "left_out"),
        [
            (0.0, [1.0, 2.0], [0.0, 1.0]),
            (3.0, [1.0, 2.0], [0.0, 1.0]),
            (1.5, [1.0, 2.0], [np.nan, 1.0]),
            (1.5, [np.nan, np.nan], [0.0, 1.0]),
        ],
    )
    def test_unresolved_bias_gives_the_percentile_interval(
        self, value: float, draws: list[float], left_out: list[float]
    ) -> None:
        assert tails(value, np.array(draws), np.array(left_out)) == (0.025, 0.975)

    def test_without_influence_there_is_no_acceleration(self) -> None:
        draws = np.linspace(0, 1, 101)
        assert tails(0.5, draws, np.full(5, 0.5)) == pytest.approx((0.025, 0.975))


def test_a_value_that_is_undefined_says_why() -> None:
    estimate = interval_estimate(np.nan, np.full(10, np.nan), 8, "no image")
    assert estimate == (None, None, None, 8, "no image")


def test_too_many_undefined_resamples_give_no_interval() -> None:
    draws = np.linspace(0, 1, 100)
    draws[:5] = np.nan
    assert interval_estimate(0.5, draws, 8, "").low is not None
    draws[:6] = np.nan
    expected = "6% of the resamples have no value"
    assert interval_estimate(0.5, draws, 8, "") == (0.5, None, None, 8, expected)


def test_resamples_that_are_all_alike_give_no_interval() -> None:
    estimate = interval_estimate(1.0, np.ones(100), 8, "")
    assert estimate[:4] == (1.0, None, None, 8)
    assert "all resamples give the same value" in str(estimate)
