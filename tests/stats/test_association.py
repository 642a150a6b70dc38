import numpy as np
import pandas as pd
import pytest
from scipy.stats.contingency import association

from pulmo.stats.association import cramers_v


def bergsma(levels: np.ndarray, classes: np.ndarray) -> float:
    """V corrected for bias, by SciPy's uncorrected one and the paper's equations."""
    counts = pd.crosstab(levels, classes).to_numpy()
    (rows, columns), n = counts.shape, counts.sum()
    phi2 = association(counts, method="cramer") ** 2 * min(rows - 1, columns - 1)
    rest = max(0, phi2 - (rows - 1) * (columns - 1) / (n - 1))
    sides = [rows - (rows - 1) ** 2 / (n - 1), columns - (columns - 1) ** 2 / (n - 1)]
    return float(np.sqrt(rest / min(sides[0] - 1, sides[1] - 1)))


def associated(n: int, share: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Levels and classes that agree in a share of the images and else by chance."""
    generator = np.random.default_rng(seed)
    classes = generator.integers(3, size=n)
    levels = np.where(generator.random(n) < share, classes, generator.integers(4, size=n))
    return levels, classes


@pytest.mark.parametrize("share", [0.0, 0.2, 0.7])
@pytest.mark.parametrize("n", [60, 1000])
def test_v_is_that_of_bergsma(n: int, share: float) -> None:
    levels, classes = associated(n, share)
    v = cramers_v(levels, classes, np.arange(n), np.random.default_rng(0))
    assert v.value is not None
    assert v.value == pytest.approx(bergsma(levels, classes))
    assert v.n == n
    assert v.low is not None
    assert v.high is not None
    assert 0 <= v.low <= v.value <= v.high <= 1


def test_a_level_that_is_the_class_has_a_v_of_one() -> None:
    classes = np.arange(90) % 3
    v = cramers_v(classes, classes, np.arange(90), np.random.default_rng(0))
    assert v[:3] == pytest.approx((1, 1, 1), abs=0.01)


def test_the_interval_holds_the_truth_and_begins_at_nothing_where_there_is_nothing() -> None:
    truth = bergsma(*associated(200_000, 0.3))
    misses = above_nothing = 0
    for seed in range(60):
        generator = np.random.default_rng(seed)
        v = cramers_v(*associated(300, 0.3, seed), np.arange(300), generator)
        assert v.low is not None
        assert v.high is not None
        misses += not v.low <= truth <= v.high
        nothing = cramers_v(*associated(300, 0, seed), np.arange(300), generator)
        above_nothing += bool(nothing.low)
    assert misses <= 7
    assert above_nothing <= 7


def test_images_of_a_group_that_are_alike_make_the_interval_no_narrower() -> None:
    levels, classes = associated(150, 0.4)
    single = cramers_v(levels, classes, np.arange(150), np.random.default_rng(0))
    levels, classes, groups = (np.repeat(v, 4) for v in (levels, classes, np.arange(150)))
    grouped = cramers_v(levels, classes, groups, np.random.default_rng(0))
    apart = cramers_v(levels, classes, np.arange(600), np.random.default_rng(0))
    widths = [v.high - v.low for v in (single, grouped, apart) if v.high and v.low]
    assert widths[1] == pytest.approx(widths[0], rel=0.15)
    assert widths[2] < 0.7 * widths[1]


def test_one_level_has_no_v() -> None:
    v = cramers_v(np.zeros(50, int), np.arange(50) % 2, np.arange(50), np.random.default_rng(0))
    assert v.value is None
    assert v.reason == "there is one value, or each is too rare to count"
