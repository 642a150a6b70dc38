from collections.abc import Callable

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.special import expit

from pulmo.decide.thresholds import CONFIDENCE
from pulmo.decide.triage import fit_bands
from pulmo.predictions.operating_point import BANDS, Bands
from pulmo.predictions.predictions import Predictions

Validate = Callable[..., Predictions]


def bands_of(
    validate: Validate, gap: float, n: int = 300, threshold: float = 0.5
) -> tuple[Bands, Predictions]:
    positive = np.arange(2 * n) < n
    generator = np.random.default_rng(0)
    seen = validate(expit(generator.normal(np.where(positive, gap, -gap))), positive)
    bands = fit_bands(seen, 0.95, 0.9, threshold)
    assert bands is not None
    return bands, seen


def test_each_band_holds_what_its_thresholds_say(validate: Validate) -> None:
    bands, seen = bands_of(validate, 1.0)
    low, high = bands.rule_out.threshold, bands.rule_in.threshold
    assert low < high
    assert (bands.rule_out.confidence, bands.rule_in.confidence) == (CONFIDENCE, CONFIDENCE)
    assert [BANDS[i] for i in bands.place(np.array([0.0, low, high, 1.0]))] == [
        "negative", "uncertain", "positive", "positive",
    ]  # fmt: skip
    assert tuple(bands.shares) == BANDS
    between = (seen.positive_probability >= low) & (seen.positive_probability < high)
    middle = bands.shares["uncertain"]
    assert middle.images.value == between.mean()
    assert middle.positives.value == between[seen.of_positive_class].mean()
    assert middle.negatives.value == between[~seen.of_positive_class].mean()
    assert bands.rule_out.sensitivity.value == pytest.approx(
        1 - (bands.shares["negative"].positives.value or 0)
    )
    assert bands.rule_in.specificity.value == pytest.approx(
        1 - (bands.shares["positive"].negatives.value or 0)
    )
    assert sum(shares.images.value or 0 for shares in bands.shares.values()) == pytest.approx(1)


def test_a_good_model_leaves_nothing_uncertain(validate: Validate) -> None:
    bands, seen = bands_of(validate, 3.0)
    assert bands.rule_in.threshold == bands.rule_out.threshold
    assert bands.shares["uncertain"].images.value == 0
    spared = (seen.positive_probability < bands.rule_in.threshold)[~seen.of_positive_class]
    assert bands.rule_in.specificity.value == spared.mean()
    assert spared.mean() >= 0.9


def test_one_side_alone_has_no_bands(validate: Validate) -> None:
    for side in (np.ones(3, bool), np.zeros(3, bool)):
        assert fit_bands(validate(np.array([0.1, 0.5, 0.9]), side), 0.95, 0.95, 0.5) is None


def test_thresholds_in_the_wrong_order_are_refused(validate: Validate) -> None:
    bands, _ = bands_of(validate, 1.0)
    fields = bands.model_dump()
    fields["rule_in"]["threshold"] = 0.0
    with pytest.raises(ValidationError, match="below that of rule_out"):
        Bands.model_validate(fields)


@pytest.mark.parametrize("threshold", [0.02, 0.5, 0.98])
def test_no_result_is_positive_and_ruled_out(validate: Validate, threshold: float) -> None:
    free, _ = bands_of(validate, 1.0)
    bands, seen = bands_of(validate, 1.0, threshold=threshold)
    low, high = bands.rule_out.threshold, bands.rule_in.threshold
    assert low <= threshold <= high
    assert (low, high) == (
        min(free.rule_out.threshold, threshold),
        max(free.rule_in.threshold, threshold),
    )
    assert (
        bands.rule_out.sensitivity.value
        == (seen.positive_probability[seen.of_positive_class] >= low).mean()
    )
    assert (
        bands.rule_in.specificity.value
        == (seen.positive_probability[~seen.of_positive_class] < high).mean()
    )
