import warnings
from collections.abc import Callable
from typing import Literal

import numpy as np
import pytest
from mapie.risk_control import BinaryClassificationController, BinaryRisk, false_positive_rate
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import beta, binom, norm

from fixtures.refuses import refuses
from pulmo.core.sections import DecisionSection
from pulmo.decide.aim import Aim
from pulmo.decide.thresholds import (
    CONFIDENCE,
    NOT_ASKED,
    allowed_errors,
    fit_decision,
    fit_threshold,
)
from pulmo.predictions.predictions import Predictions

Validate = Callable[..., Predictions]
Metric = Literal["sensitivity", "specificity"]

METRICS: list[Metric] = ["sensitivity", "specificity"]
# MAPIE's own recall is 1 - hits / n, whose bit noise its p-value rounds up to one miss more.
MISSES = BinaryRisk(
    risk_occurrence=lambda _, called: called == 0,
    risk_condition=lambda truth, _: truth == 1,
    higher_is_better=False,
)


def world(
    generator: np.random.Generator, n: int = 150
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Scores of n positives and n others, normal on the logit scale and two deviations apart."""
    positive = np.arange(2 * n) < n
    return expit(generator.normal(np.where(positive, 1.0, -1.0))), positive


def true_rate(threshold: float, metric: Metric) -> float:
    """What a threshold reaches in that world."""
    at = logit(threshold)
    return float(norm.sf(at, 1) if metric == "sensitivity" else norm.cdf(at, -1))


@pytest.mark.parametrize("metric", METRICS)
def test_a_guarantee_is_broken_in_no_more_draws_than_it_says(
    validate: Validate, metric: Metric
) -> None:
    generator, draws = np.random.default_rng(3), 200
    broken = {True: 0, False: 0}
    for _ in range(draws):
        seen = validate(*world(generator))
        for guaranteed in broken:
            point = fit_threshold(seen, Aim(metric, 0.9), guaranteed=guaranteed)
            broken[guaranteed] += true_rate(point.threshold, metric) < 0.9
    limit = binom.ppf(0.999, draws, 1 - CONFIDENCE)
    # It is not so careful that it would give much away either.
    assert 0.01 * draws < broken[True] <= limit
    assert broken[False] > 0.3 * draws


def test_a_guarantee_holds_where_patients_have_many_images(validate: Validate) -> None:
    """Each patient's image is there five times: that tells no more than once."""
    generator, n, draws, broken = np.random.default_rng(5), 100, 150, 0
    for _ in range(draws):
        once = world(generator, n)
        scores, positive = np.repeat(once[0], 5), np.repeat(once[1], 5)
        digests = [f"{i:064x}" for i in generator.permutation(len(scores))]
        seen = validate(scores, positive, np.arange(len(scores)) // 5, digests)
        point = fit_threshold(seen, Aim("sensitivity", 0.9))
        assert (point.independent, point.sensitivity.n) == (n, 5 * n)
        broken += true_rate(point.threshold, "sensitivity") < 0.9
    assert broken <= binom.ppf(0.999, draws, 1 - CONFIDENCE)


def mapie_threshold(
    scores: NDArray[np.float64], positive: NDArray[np.bool_], metric: Metric, aim: float
) -> float | None:
    """The last threshold that MAPIE vouches for, of those at which a decision changes."""
    own = np.sort(scores[positive if metric == "sensitivity" else ~positive])
    safe = own if metric == "sensitivity" else np.append(own[1:], 1.0)[::-1]
    controller = BinaryClassificationController(
        lambda column: np.column_stack([1 - column, column]),
        MISSES if metric == "sensitivity" else false_positive_rate,
        round(1 - aim, 9),
        CONFIDENCE,
        best_predict_param_choice="predicted_positive_fraction",
        list_predict_params=safe,
        fwer_method="fixed_sequence",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where no threshold is valid
        controller.calibrate(scores, positive.astype(int))
    valid = controller.valid_predict_params
    return float(valid[-1] if metric == "specificity" else valid.max()) if len(valid) else None


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("n", [20, 58, 59, 93, 150, 381])
def test_a_guaranteed_threshold_decides_as_that_of_mapie(
    validate: Validate, metric: Metric, n: int
) -> None:
    scores, positive = world(np.random.default_rng(n), n)
    point = fit_threshold(validate(scores, positive), Aim(metric, 0.95))
    theirs = mapie_threshold(scores, positive, metric, 0.95)
    if n < 59:
        assert theirs is None
        assert point.confidence is None
        return
    assert theirs is not None
    own = positive if metric == "sensitivity" else ~positive
    assert point.confidence == CONFIDENCE
    assert ((scores >= point.threshold) == (scores >= theirs))[own].all()


@pytest.mark.parametrize("aim", [0.8, 0.9, 0.95, 0.99])
def test_errors_are_allowed_as_tolerance_limits_allow_them(aim: float) -> None:
    """The rate beyond the (k+1)-th order statistic of n is Beta(n - k, k + 1) (Wilks 1941)."""
    for n in range(0, 1000, 7):
        k = allowed_errors(n, aim)
        assert k == -1 or beta.cdf(aim, n - k, k + 1) <= 1 - CONFIDENCE
        assert beta.cdf(aim, n - k - 1, k + 2) > 1 - CONFIDENCE if k + 1 < n else True


def test_too_few_images_vouch_for_nothing(validate: Validate) -> None:
    seen = validate(*world(np.random.default_rng(0), 58))
    point = fit_threshold(seen, Aim("sensitivity", 0.95))
    assert point == fit_threshold(seen, Aim("sensitivity", 0.95), guaranteed=False).model_copy(
        update={"reason": point.reason}
    )
    assert point.confidence is None
    assert point.reason == (
        "58 independent validation images are too few to guarantee a sensitivity of 0.95 with "
        "95% confidence; 59 or more could"
    )


def test_probabilities_of_one_cannot_be_parted(validate: Validate) -> None:
    scores = np.append(np.linspace(0, 0.5, 90), np.ones(30))
    point = fit_threshold(validate(scores, np.arange(120) >= 110), Aim("specificity", 0.9))
    assert point.confidence is None
    assert point.threshold == 1.0
    assert point.reason == "too many validation images have a probability of 1"
    assert point.specificity.value == pytest.approx(90 / 110)


@pytest.mark.parametrize("metric", METRICS)
def test_the_observed_threshold_is_the_tightest_that_reaches_the_aim(
    validate: Validate, metric: Metric
) -> None:
    generator = np.random.default_rng(1)
    for _ in range(50):
        scores = generator.random(101).round(2)
        positive = generator.random(101) < 0.4
        wanted = float(generator.uniform(0.5, 0.99))
        point = fit_threshold(validate(scores, positive), Aim(metric, wanted), guaranteed=False)
        assert point.reason == NOT_ASKED
        value = getattr(point, metric).value
        assert value >= wanted - 1e-9 or point.threshold == 1.0
        if metric == "sensitivity":
            further = scores[scores >= point.threshold].min()
            assert (scores[positive] > further).mean() < wanted or further == scores.max()
        else:
            further = scores[scores < point.threshold].max()
            assert (scores[~positive] < further).mean() < wanted


def test_a_sensitivity_that_is_just_reached_counts(validate: Validate) -> None:
    scores = np.arange(20) / 20
    point = fit_threshold(
        validate(scores, np.ones(20, bool)), Aim("sensitivity", 0.95), guaranteed=False
    )
    assert point.threshold == (scores[0] + scores[1]) / 2
    assert point.specificity.reason == "there are no observations"


def test_the_threshold_lies_between_two_scores(validate: Validate) -> None:
    scores, positive = np.array([0.2, 0.4, 0.6, 0.8]), np.array([False, True, False, True])
    for first, metric, expected in (
        (0, "sensitivity", 0.3),
        (1, "sensitivity", 0.2),
        (0, "specificity", 0.7),
    ):
        seen = validate(scores[first:], positive[first:])
        aim = Aim("sensitivity" if metric == "sensitivity" else "specificity", 0.9)
        assert fit_threshold(seen, aim, guaranteed=False).threshold == pytest.approx(expected)


def test_one_side_alone_has_no_threshold(validate: Validate) -> None:
    seen = validate(np.array([0.2, 0.4]), np.ones(2, bool))
    with refuses("validation-one-sided", "specificity"):
        fit_threshold(seen, Aim("specificity", 0.9))


def test_aims_are_read() -> None:
    assert Aim.parse("sensitivity=0.95") == ("sensitivity", 0.95)
    assert Aim.parse("specificity=.9") == ("specificity", 0.9)


@pytest.mark.parametrize("text", ["", "0.95", "recall=0.9", "sensitivity=95", "specificity=high"])
def test_what_is_no_aim_is_refused(text: str) -> None:
    with refuses("aim-invalid"):
        Aim.parse(text)


def test_a_decision_says_what_it_does_and_whether_it_is_guaranteed(validate: Validate) -> None:
    scores = (np.arange(200) + 0.5) / 200
    images = validate(scores, scores > 0.3)
    usual = DecisionSection(positive=("covid",), sensitivity=0.9)
    decision = fit_decision(images, usual)
    assert decision.positive == ("covid",)
    assert (decision.aim, decision.confidence, decision.reason) == (0.9, None, NOT_ASKED)
    assert (decision.sensitivity.value, decision.sensitivity.n) == (0.9, 140)
    assert (decision.specificity.value, decision.specificity.n) == (1.0, 60)
    careful = fit_decision(images, usual.model_copy(update={"guaranteed": True}))
    assert (careful.confidence, careful.reason) == (CONFIDENCE, None)
    assert careful.threshold < decision.threshold
    assert careful.sensitivity.value is not None
    assert careful.sensitivity.value > 0.9
