import numpy as np
import pytest

from pulmo import stats


def marks(
    images: int, lesions: list[tuple[int, float]], false: list[tuple[int, float]]
) -> stats.Marks:
    return stats.Marks(
        images,
        np.array([image for image, _ in lesions], np.intp),
        np.array([score for _, score in lesions], float),
        np.array([image for image, _ in false], np.intp),
        np.array([score for _, score in false], float),
    )


def by_hand(one: stats.Marks, rate: float) -> float:
    """Tries each threshold."""
    best = 0.0
    for least in {*one.lesion_scores, *one.false_scores} - {-np.inf}:
        if (one.false_scores >= least).sum() / one.images <= rate:
            best = max(best, float((one.lesion_scores >= least).mean()))
    return best


def test_sensitivities_are_those_of_every_threshold_tried() -> None:
    generator = np.random.default_rng(0)
    scores = generator.normal(size=40).round(1)
    scores[:5] = -np.inf
    one = marks(
        20,
        list(zip(generator.integers(20, size=40).tolist(), scores.tolist(), strict=True)),
        list(
            zip(
                generator.integers(20, size=60).tolist(),
                generator.normal(size=60).round(1).tolist(),
                strict=True,
            )
        ),
    )
    rates = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0)
    found = stats.froc(one, rates=rates)
    assert {rate: each.value for rate, each in found.items()} == pytest.approx(
        {rate: by_hand(one, rate) for rate in rates}
    )
    for each in found.values():
        assert each.value is not None
        assert each.low is not None
        assert each.high is not None
        assert each.low <= each.value <= each.high
        assert each.n == 40


def test_equal_scores_are_kept_or_left_together() -> None:
    one = marks(2, [(0, 1.0), (1, 0.5)], [(0, 0.5), (1, 0.5)])
    assert stats.froc(one, rates=(0.5,))[0.5].value == 0.5
    assert stats.froc(one, rates=(1.0,))[1.0].value == 1.0


def test_without_false_marks_every_hit_counts() -> None:
    found = stats.froc(marks(3, [(0, 0.1), (1, -np.inf)], []), rates=(0.25,))[0.25]
    assert found.value == 0.5


def test_without_lesions_it_is_undefined() -> None:
    assert stats.froc(marks(3, [], [(0, 1.0)]), rates=(1.0,))[1.0].value is None
