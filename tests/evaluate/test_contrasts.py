from collections.abc import Callable

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from pulmo.evaluate.contrasts import (
    Sides,
    contrast,
    contrasts,
    each_against_the_rest,
    pairings,
    positive_share,
)
from pulmo.stats.classified import ClassifiedImages

MakeSample = Callable[..., ClassifiedImages]


def test_pairings_set_every_pair_and_all_others_against_normal() -> None:
    assert list(pairings(["covid", "normal", "viral"])) == [
        Sides(("covid",), ("normal",)),
        Sides(("covid",), ("viral",)),
        Sides(("viral",), ("normal",)),
        Sides(("covid", "viral"), ("normal",)),
    ]
    assert list(pairings(["normal", "covid"])) == [Sides(("covid",), ("normal",))]
    assert list(pairings(["covid", "viral"])) == [Sides(("covid",), ("viral",))]
    assert list(pairings(["covid"])) == []


def test_each_class_is_set_against_the_rest_of_three_or_more() -> None:
    assert list(each_against_the_rest(["covid", "normal", "viral"])) == [
        Sides(("covid",), ("normal", "viral")),
        Sides(("viral",), ("covid", "normal")),
    ]
    assert list(each_against_the_rest(["covid", "normal"])) == []


def test_a_class_against_the_rest_goes_by_its_share_of_all(make_sample: MakeSample) -> None:
    sample = make_sample(90, labels=("covid", "viral", "normal"))
    found = contrasts(sample, np.full(90, "city"))
    (covid,) = (each for each in found if each.negative == ("viral", "normal"))
    expected = roc_auc_score(sample.truth == 0, sample.probabilities[:, 0])
    assert covid.auc.value == pytest.approx(expected, abs=0.002)  # rounding unties a few
    assert covid.n_positive + covid.n_negative == 90


def small(probabilities: list[list[float]], truth: list[int]) -> ClassifiedImages:
    values = np.array(probabilities)
    return ClassifiedImages(
        labels=("covid", "viral", "normal"),
        truth=np.array(truth),
        decided=values.argmax(axis=1),
        probabilities=values,
        groups=np.arange(len(truth)),
    )


def test_the_share_leaves_other_classes_out() -> None:
    sample = small([[0.2, 0.6, 0.2], [0.3, 0.6, 0.1], [0.0, 1.0, 0.0]], [0, 0, 2])
    shares = positive_share(sample, Sides(("covid",), ("normal",)))
    np.testing.assert_allclose(shares, [0.5, 0.75, 0.5])
    shares = positive_share(sample, Sides(("covid", "viral"), ("normal",)))
    np.testing.assert_allclose(shares, [0.8, 0.9, 1.0])


def test_a_contrast_counts_each_side() -> None:
    sample = small(
        [[0.5, 0.1, 0.4], [0.1, 0.7, 0.2], [0.1, 0.2, 0.7], [0.4, 0.2, 0.4], [0, 0.1, 0.9]],
        [0, 0, 2, 2, 2],
    )
    sides = Sides(("covid",), ("normal",))
    result = contrast("hospital", sides, sample)
    assert (result.source, result.positive, result.negative) == ("hospital", *sides)
    assert (result.n_positive, result.n_negative) == (2, 3)
    # The shares are 5/9 and 1/3 against 1/8, 1/2 and 0; one half counts as positive.
    assert result.sensitivity[0] == pytest.approx(1 / 2)
    assert result.specificity[0] == pytest.approx(2 / 3)
    assert result.accuracy[0] == pytest.approx(3 / 5)
    assert result.auc[0] == pytest.approx(5 / 6)
    assert [result.sensitivity.n, result.specificity.n, result.accuracy.n] == [2, 3, 5]
    assert result.sensitivity.low == pytest.approx(0.0945, abs=1e-4)


def test_contrasts_stay_within_a_source(make_sample: MakeSample) -> None:
    sample = make_sample(120, labels=("covid", "viral", "normal"))
    sources = np.where(sample.truth == 1, "clinic", np.where(np.arange(120) < 80, "city", "clinic"))
    found = contrasts(sample, sources)
    assert [(each.source, *each.positive, "/", *each.negative) for each in found] == [
        ("city", "covid", "/", "normal"),
        ("clinic", "covid", "/", "viral"),
        ("clinic", "covid", "/", "normal"),
        ("clinic", "viral", "/", "normal"),
        ("clinic", "covid", "viral", "/", "normal"),
        ("clinic", "covid", "/", "viral", "normal"),
        ("clinic", "viral", "/", "covid", "normal"),
    ]
    city = sample.take((sources == "city") & (sample.truth != 1))
    share = city.probabilities[:, 0] / city.probabilities[:, [0, 2]].sum(axis=1)
    assert found[0].auc.value == pytest.approx(roc_auc_score(city.truth == 0, share))
    assert found[0].auc.low is not None
    assert found[0].auc.low < roc_auc_score(city.truth == 0, share)
    assert found[0].n_positive + found[0].n_negative == len(city)


def test_one_image_on_a_side_has_an_auc_without_an_interval() -> None:
    sample = small([[0.5, 0.1, 0.4], [0.1, 0.2, 0.7], [0.4, 0.2, 0.4]], [0, 2, 2])
    (result,) = contrasts(sample, np.full(3, "city"))
    assert result.auc == (1.0, None, None, 3, "images with it come from 1 group only")


def test_a_source_of_one_class_has_no_contrast(make_sample: MakeSample) -> None:
    sample = make_sample(30)
    sources = np.array(["one", "two", "three"])[sample.truth]
    assert contrasts(sample, sources) == ()
