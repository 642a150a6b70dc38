from collections.abc import Callable

import numpy as np
import pytest
from sklearn.metrics import auc, roc_auc_score

from pulmo.evaluate.curves import POINTS, reliability, roc, roc_curves
from pulmo.stats.classified import ClassifiedImages
from pulmo.stats.metric import METRICS

MakeSample = Callable[..., ClassifiedImages]


def test_reliability_bins_hold_every_image_once(make_sample: MakeSample) -> None:
    sample = make_sample(200)
    bins = reliability(sample)
    assert [(each.low, each.high) for each in bins] == [(k / 10, (k + 1) / 10) for k in range(10)]
    assert sum(each.n for each in bins) == 200
    assert bins[0].n == 0
    assert bins[0].confidence is None
    assert bins[0].accuracy is None
    for each in bins[4:]:
        assert each.confidence is not None
        assert each.low <= each.confidence <= each.high


def test_reliability_bins_give_the_calibration_error(make_sample: MakeSample) -> None:
    sample = make_sample(200)
    gaps = [
        each.n * abs(each.confidence - each.accuracy)
        for each in reliability(sample)
        if each.confidence is not None and each.accuracy is not None
    ]
    error = METRICS["calibration_error"](sample)(np.ones((1, 200)))
    assert sum(gaps) / 200 == pytest.approx(error[0])


def test_certainty_lies_in_the_last_bin() -> None:
    zero = np.zeros(1, np.intp)
    sample = ClassifiedImages(("a", "b"), zero, zero, np.array([[1.0, 0.0]]), zero)
    assert reliability(sample)[9].model_dump() == {
        "low": 0.9,
        "high": 1.0,
        "n": 1,
        "confidence": 1.0,
        "accuracy": 1.0,
    }


def test_a_thinned_curve_keeps_its_ends_and_its_area(generator: np.random.Generator) -> None:
    positive = np.arange(20_000) < 6_000
    scores = generator.normal(size=20_000) + 2 * positive
    curve = roc(scores, positive)
    false_rate, true_rate = curve.false_positive_rate, curve.true_positive_rate
    assert POINTS / 2 < len(false_rate) <= POINTS
    assert (false_rate[0], true_rate[0]) == (0, 0)
    assert (false_rate[-1], true_rate[-1]) == (1, 1)
    assert auc(false_rate, true_rate) == pytest.approx(roc_auc_score(positive, scores), abs=1e-4)


def test_a_short_curve_is_kept_whole() -> None:
    curve = roc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True]))
    assert curve.false_positive_rate == (0.0, 0.0, 0.5, 0.5, 1.0)
    assert curve.true_positive_rate == (0.0, 0.5, 0.5, 1.0, 1.0)


def test_a_class_with_images_on_one_side_only_has_no_curve(make_sample: MakeSample) -> None:
    sample = make_sample(30)
    assert [*roc_curves(sample)] == ["a", "b", "c"]
    assert [*roc_curves(sample.take(sample.truth != 1))] == ["a", "c"]
    assert roc_curves(sample.take(sample.truth == 1)) == {}
