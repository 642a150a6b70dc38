"""What every registered metric promises, and each against scikit-learn."""

from collections.abc import Callable
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics as reference

from pulmo.stats.classified import ClassifiedImages
from pulmo.stats.metric import METRICS

Floats = NDArray[np.float64]
Reference = Callable[[ClassifiedImages, Floats], float]
ClassReference = Callable[[NDArray[np.bool_], NDArray[np.bool_], Floats, Floats], float]


@pytest.fixture
def sample(make_sample: Callable[[int], ClassifiedImages]) -> ClassifiedImages:
    return make_sample(120)


def weights_of(sample: ClassifiedImages, generator: np.random.Generator, rows: int = 5) -> Floats:
    """Weights as a bootstrap draws them: whole numbers, many of them 0."""
    return generator.integers(0, 4, size=(rows, len(sample))).astype(np.float64)


@pytest.mark.parametrize("name", METRICS)
def test_shape_and_bounds(
    name: str, sample: ClassifiedImages, generator: np.random.Generator
) -> None:
    metric = METRICS[name]
    values = metric(sample)(weights_of(sample, generator))
    assert values.shape == ((5,) if metric.scope == "overall" else (5, 3))
    low, high = metric.bounds
    assert ((low <= values) & (values < high)).all()


@pytest.mark.parametrize("name", METRICS)
def test_a_weight_counts_an_image_that_often(
    name: str, sample: ClassifiedImages, generator: np.random.Generator
) -> None:
    weights = weights_of(sample, generator, rows=1)
    rows = np.repeat(np.arange(len(sample)), weights[0].astype(int))
    rows = generator.permutation(rows)
    repeated = replace(
        sample,
        truth=sample.truth[rows],
        decided=sample.decided[rows],
        probabilities=sample.probabilities[rows],
        groups=sample.groups[rows],
    )
    once = METRICS[name](repeated)(np.ones((1, len(repeated))))
    np.testing.assert_allclose(METRICS[name](sample)(weights), once, rtol=1e-9)
    if name != "debiased_calibration_error":  # chance is larger in fewer images
        np.testing.assert_allclose(METRICS[name](sample)(weights / 7), once, rtol=1e-9)


@pytest.mark.parametrize("name", METRICS)
def test_a_perfect_model_reaches_the_better_bound(name: str, sample: ClassifiedImages) -> None:
    metric = METRICS[name]
    perfect = replace(sample, decided=sample.truth, probabilities=np.eye(3)[sample.truth])
    values = metric(perfect)(np.ones((1, len(sample))))
    if name == "positive_likelihood_ratio":  # without a false call it has no bound
        assert np.isnan(values).all()
        return
    np.testing.assert_allclose(values, metric.bounds[metric.larger_is_better], atol=1e-12)


@pytest.mark.parametrize("name", METRICS)
def test_a_model_that_is_always_wrong_is_worse(name: str, sample: ClassifiedImages) -> None:
    metric = METRICS[name]
    wrong = (sample.truth + 1) % 3
    worst = replace(sample, decided=wrong, probabilities=np.eye(3)[wrong])
    ones = np.ones((1, len(sample)))
    change = metric(worst)(ones) - metric(sample)(ones)
    assert ((change < 0) == metric.larger_is_better).all()


@pytest.mark.parametrize("name", METRICS)
def test_nothing_that_weighs_has_no_figure(name: str, sample: ClassifiedImages) -> None:
    assert np.isnan(METRICS[name](sample)(np.zeros((2, len(sample))))).all()


@pytest.mark.parametrize("name", METRICS)
def test_it_says_what_it_is(name: str) -> None:
    metric = METRICS[name]
    assert metric.summary.endswith(".")
    assert ("{label}" in metric.undefined) == (metric.scope == "class")


def calibration_error(sample: ClassifiedImages, weights: Floats) -> float:
    """The same by another way: bins cut by pandas' rule, looped over."""
    top = sample.probabilities.max(axis=1)
    error = 0.0
    for low in range(10):
        inside = (top >= low / 10) & ((top < (low + 1) / 10) | (low == 9))
        if weights[inside].sum():
            right = (sample.decided == sample.truth)[inside]
            gap = np.average(right, weights=weights[inside]) - np.average(
                top[inside], weights=weights[inside]
            )
            error += abs(gap) * weights[inside].sum() / weights.sum()
    return error


def hand_and_till(sample: ClassifiedImages, weights: Floats) -> float:
    """The weighted form of `roc_auc_score(multi_class="ovo")`, which takes no weights."""
    areas = []
    for i, j in permutations(range(3), 2):
        rows = np.isin(sample.truth, (i, j))
        side = sample.truth[rows] == i
        scores = sample.probabilities[rows, i]
        areas.append(reference.roc_auc_score(side, scores, sample_weight=weights[rows]))
    return float(np.mean(areas))


def likelihood_ratio(positive: int) -> ClassReference:
    return lambda t, d, _, w: (
        (
            reference.recall_score(t, d == positive, sample_weight=w, pos_label=True)
            if positive
            else 1 - reference.recall_score(t, d, sample_weight=w)
        )
        / (
            1 - reference.recall_score(~t, ~d, sample_weight=w)
            if positive
            else reference.recall_score(~t, ~d, sample_weight=w)
        )
    )


OVERALL: dict[str, Reference] = {
    "accuracy": lambda s, w: reference.accuracy_score(s.truth, s.decided, sample_weight=w),
    "balanced_accuracy": lambda s, w: reference.balanced_accuracy_score(
        s.truth, s.decided, sample_weight=w
    ),
    "macro_auc": lambda s, w: np.mean(
        [
            reference.roc_auc_score(s.truth == k, s.probabilities[:, k], sample_weight=w)
            for k in range(3)
        ]
    ),
    "log_loss": lambda s, w: reference.log_loss(s.truth, s.probabilities, sample_weight=w),
    "brier": lambda s, w: reference.brier_score_loss(
        s.truth, s.probabilities, sample_weight=w, labels=range(3), scale_by_half=False
    ),
    "calibration_error": calibration_error,
    "kappa": lambda s, w: reference.cohen_kappa_score(s.truth, s.decided, sample_weight=w),
    "mcc": lambda s, w: reference.matthews_corrcoef(s.truth, s.decided, sample_weight=w),
    "pairwise_auc": hand_and_till,
}
# Its references are in test_calibration_error.
ELSEWHERE = {"debiased_calibration_error"}

CLASS: dict[str, ClassReference] = {
    "precision": lambda t, d, _, w: reference.precision_score(t, d, sample_weight=w),
    "recall": lambda t, d, _, w: reference.recall_score(t, d, sample_weight=w),
    "specificity": lambda t, d, _, w: reference.recall_score(~t, ~d, sample_weight=w),
    "f1": lambda t, d, _, w: reference.f1_score(t, d, sample_weight=w),
    "negative_predictive_value": lambda t, d, _, w: reference.precision_score(
        ~t, ~d, sample_weight=w
    ),
    "positive_likelihood_ratio": likelihood_ratio(1),
    "negative_likelihood_ratio": likelihood_ratio(0),
    "auc": lambda t, _, p, w: reference.roc_auc_score(t, p, sample_weight=w),
    "average_precision": lambda t, _, p, w: reference.average_precision_score(
        t, p, sample_weight=w
    ),
}


@pytest.mark.parametrize("name", OVERALL)
def test_overall_figures_are_the_references(
    name: str, sample: ClassifiedImages, generator: np.random.Generator
) -> None:
    weights = generator.uniform(0.1, 3, size=(4, len(sample)))
    expected = [OVERALL[name](sample, row) for row in weights]
    np.testing.assert_allclose(METRICS[name](sample)(weights), expected, rtol=1e-9)


@pytest.mark.parametrize("name", CLASS)
def test_class_figures_are_the_references(
    name: str, sample: ClassifiedImages, generator: np.random.Generator
) -> None:
    weights = generator.uniform(0.1, 3, size=(4, len(sample)))
    expected = [
        [
            CLASS[name](sample.truth == k, sample.decided == k, sample.probabilities[:, k], row)
            for k in range(3)
        ]
        for row in weights
    ]
    np.testing.assert_allclose(METRICS[name](sample)(weights), expected, rtol=1e-9)


def test_every_metric_has_a_reference() -> None:
    assert {*OVERALL, *CLASS, *ELSEWHERE} == set(METRICS)


def test_a_constant_score_ranks_nothing(sample: ClassifiedImages) -> None:
    flat = replace(sample, probabilities=np.full((len(sample), 3), 1 / 3))
    ones = np.ones((1, len(sample)))
    np.testing.assert_allclose(METRICS["auc"](flat)(ones), 0.5)
    np.testing.assert_allclose(METRICS["average_precision"](flat)(ones), 1 / 3)


def test_a_class_without_images_has_no_recall_and_no_curve(
    make_sample: Callable[..., ClassifiedImages],
) -> None:
    sample = make_sample(60)
    two = sample.take(sample.truth != 2)
    ones = np.ones((1, len(two)))
    for name in ("recall", "auc", "average_precision"):
        np.testing.assert_array_equal(np.isnan(METRICS[name](two)(ones)), [[False, False, True]])
    macro = METRICS["macro_auc"](two)(ones)
    assert macro == pytest.approx(METRICS["auc"](two)(ones)[0, :2].mean())
    assert METRICS["balanced_accuracy"](two)(ones) == pytest.approx(
        METRICS["recall"](two)(ones)[0, :2].mean()
    )


def test_a_replicate_without_a_class_has_no_balanced_figure(sample: ClassifiedImages) -> None:
    weights = np.stack([np.ones(len(sample)), (sample.truth != 1).astype(np.float64)])
    for name in ("balanced_accuracy", "macro_auc"):
        np.testing.assert_array_equal(np.isnan(METRICS[name](sample)(weights)), [False, True])


def test_a_class_of_all_images_has_no_average_precision(sample: ClassifiedImages) -> None:
    one = sample.take(sample.truth == 0)
    assert np.isnan(METRICS["average_precision"](one)(np.ones((1, len(one))))).all()


def test_brier_of_two_classes_is_that_of_either(
    make_sample: Callable[..., ClassifiedImages],
) -> None:
    sample = make_sample(60, labels="ab")
    theirs = reference.brier_score_loss(sample.truth == 1, sample.probabilities[:, 1])
    assert METRICS["brier"](sample)(np.ones((1, 60))) == pytest.approx(theirs)
