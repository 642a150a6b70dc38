"""The interval of the calibration error: chance alone gives a perfect model an error above 0."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pulmo.stats import weights
from pulmo.stats.classified import ClassifiedImages
from pulmo.stats.estimate import Estimate
from pulmo.stats.estimates import _shared, estimate_metrics
from pulmo.stats.metric import METRICS, Bootstrap
from pulmo.stats.metrics.probabilistic import chance_excess
from pulmo.stats.resampling import bootstrap

Floats = NDArray[np.float64]


def sample_of(
    confidence: Floats, hits: NDArray[np.bool_], groups: NDArray[np.intp] | None = None
) -> ClassifiedImages:
    """A sample that decides on the first class each time, with these confidences."""
    n = len(confidence)
    return ClassifiedImages(
        labels=("a", "b"),
        truth=np.where(hits, 0, 1),
        decided=np.zeros(n, np.intp),
        probabilities=np.stack([confidence, 1 - confidence], axis=1),
        groups=np.arange(n) if groups is None else groups,
    )


def error_of(
    sample: ClassifiedImages, generator: np.random.Generator, replicates: int = 200
) -> Estimate:
    return estimate_metrics(sample, replicates, generator).overall["calibration_error"]


@pytest.mark.parametrize(
    ("shift", "per_group"), [(0.0, 1), (0.05, 1), (0.2, 1), (-0.05, 1), (0.0, 3), (0.2, 3)]
)
def test_the_interval_covers_the_true_error(
    shift: float, per_group: int, generator: np.random.Generator
) -> None:
    covered = 0
    groups = np.arange(120) // per_group
    for _ in range(100):
        confidence = generator.uniform(0.7, 0.94, size=120)
        # Groups are hit or missed together.
        hits = generator.random(120)[groups] < confidence - shift
        low, high = error_of(sample_of(confidence, hits, groups), generator, 100)[1:3]
        assert low is not None
        assert high is not None
        covered += low <= abs(shift) <= high
    # Of 100 intervals that hold it 95 times, fewer than 90 do in 1 of 100 tests.
    assert covered >= 90


def test_certain_misses_are_distinguished_from_chance(generator: np.random.Generator) -> None:
    confidence = generator.uniform(0.8, 1, size=500)
    value, low, high, n, _ = error_of(sample_of(confidence, generator.random(500) < 0.5), generator)
    assert value is not None
    assert low is not None
    assert high is not None
    assert 0.3 < low < value < high < 0.5
    assert n == 500


def test_the_chance_of_a_calibrated_model_is_drawn_from_its_confidences(
    generator: np.random.Generator,
) -> None:
    confidence = generator.uniform(0.9, 0.999, size=80)
    # Nothing is missed, so only the calibrated model's own misses give an error.
    sample = sample_of(confidence, np.ones(80, np.bool_))
    errors = []
    for _ in range(4000):
        hits = generator.random(80) < confidence
        errors.append(abs(hits.mean() - confidence.mean()))
    excess = chance_excess(sample, 4000, generator)
    assert excess == pytest.approx(np.percentile(errors, 97.5), rel=0.1)


def test_an_overconfident_model_has_the_chance_of_its_own_misses(
    generator: np.random.Generator,
) -> None:
    sizes = generator.integers(1, 5, size=100)
    groups = np.repeat(np.arange(100), sizes)
    hits = (generator.random(100) < 0.6)[groups]
    confidence = np.full(len(groups), 0.99)
    sample = sample_of(confidence, hits, groups)
    # The same by resampling: a bin's gap, less the gap of the sample.
    (gaps,) = bootstrap(
        lambda weights: {"gap": weights @ (confidence - hits) / weights.sum(axis=1)},
        groups,
        4000,
        generator,
    ).values()
    expected = np.percentile(np.abs(gaps - (confidence - hits).mean()), 97.5)
    assert chance_excess(sample, 4000, generator) == pytest.approx(expected, rel=0.1)


def test_copies_add_no_certainty(generator: np.random.Generator) -> None:
    confidence = generator.uniform(0.6, 0.99, size=100)
    hits = generator.random(100) < confidence
    once = sample_of(confidence, hits)
    rows = np.repeat(np.arange(100), 5)
    often = sample_of(confidence[rows], hits[rows], rows)
    seeds = np.random.default_rng(5), np.random.default_rng(5)
    assert chance_excess(often, 500, seeds[0]) == pytest.approx(chance_excess(once, 500, seeds[1]))


def test_the_size_of_the_chunks_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, generator: np.random.Generator
) -> None:
    confidence = generator.uniform(0.6, 0.99, size=100)
    sample = sample_of(confidence, generator.random(100) < 0.7)
    whole = chance_excess(sample, 50, np.random.default_rng(5))
    monkeypatch.setattr(weights, "CHUNK_BYTES", 8 * 100 * 7)
    assert chance_excess(sample, 50, np.random.default_rng(5)) == pytest.approx(whole)


def test_one_group_has_no_interval(generator: np.random.Generator) -> None:
    confidence = np.full(20, 0.9)
    sample = sample_of(confidence, np.arange(20) < 12, np.zeros(20, np.intp))
    estimate = error_of(sample, generator)
    assert estimate.value == pytest.approx(0.3)
    assert estimate[1:3] == (None, None)
    assert "all resamples give the same value" in str(estimate)


def test_only_the_calibration_error_is_lifted_by_chance() -> None:
    lifted = [
        name
        for name, metric in METRICS.items()
        if isinstance(metric.interval, Bootstrap) and metric.interval.excess
    ]
    assert lifted == ["calibration_error"]


@pytest.mark.parametrize("shift", [0.0, 0.1])
def test_the_debiased_error_is_near_the_true_one(
    shift: float, generator: np.random.Generator
) -> None:
    plain: list[float] = []
    debiased: list[float] = []
    for _ in range(300):
        confidence = generator.uniform(0.7, 0.94, size=400)
        sample = sample_of(confidence, generator.random(400) < confidence - shift)
        for name, found in (("calibration_error", plain), ("debiased_calibration_error", debiased)):
            found.append(METRICS[name](sample)(np.ones((1, 400)))[0])
    off, less = abs(np.mean(plain) - shift), abs(np.mean(debiased) - shift)
    assert less <= off
    assert less < 0.015


def test_the_debiased_error_is_the_limit_of_kumars_resampling(
    generator: np.random.Generator,
) -> None:
    """Kumar, Liang and Ma 2019, section 5: labels of each bin are drawn from a normal."""
    confidence = generator.uniform(0.5, 0.999, size=300)
    hits = generator.random(300) < confidence - 0.03
    sample = sample_of(confidence, hits)
    place = np.minimum((confidence * 10).astype(int), 9)
    bins = [place == number for number in np.unique(place)]
    weight = np.array([inside.mean() for inside in bins])
    share = np.array([hits[inside].mean() for inside in bins])
    sure = np.array([confidence[inside].mean() for inside in bins])
    plugin = (weight * np.abs(share - sure)).sum()
    errors = np.sqrt(share * (1 - share) / np.array([inside.sum() for inside in bins]))
    drawn = generator.normal(share, errors, size=(200_000, len(bins)))
    expected = 2 * plugin - (np.abs(drawn - sure) @ weight).mean()
    value = METRICS["debiased_calibration_error"](sample)(np.ones((1, 300)))[0]
    assert value == pytest.approx(expected, abs=3e-4)


def test_both_errors_have_one_interval(generator: np.random.Generator) -> None:
    confidence = generator.uniform(0.6, 0.99, size=200)
    sample = sample_of(confidence, generator.random(200) < confidence)
    overall = estimate_metrics(sample, 200, generator).overall
    plain, debiased = overall["calibration_error"], overall["debiased_calibration_error"]
    assert debiased.value is not None
    assert plain.value is not None
    assert debiased.value < plain.value
    assert debiased[1:] == plain[1:]


@pytest.mark.parametrize(("value", "expected"), [(0.1, (0.1, 0.3)), (0.4, (0.2, 0.4))])
def test_a_shared_interval_holds_its_value(value: float, expected: tuple[float, float]) -> None:
    assert _shared(value, Estimate(0.25, 0.2, 0.3, 9))[1:3] == expected


def test_what_has_no_interval_shares_none() -> None:
    assert _shared(0.1, Estimate(0.25, None, None, 9, "why")) == (0.1, None, None, 9, "why")
    assert _shared(np.nan, Estimate(None, None, None, 9, "why")) == (None, None, None, 9, "why")
