from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from pulmo.stats.classified import ClassifiedImages
from pulmo.stats.estimates import estimate_metrics
from pulmo.stats.metric import METRICS
from pulmo.stats.proportions import balanced_accuracy, wilson

MakeSample = Callable[..., ClassifiedImages]


def test_every_metric_is_there_with_its_interval(
    make_sample: MakeSample, generator: np.random.Generator
) -> None:
    sample = make_sample(300)
    overall, classes = estimate_metrics(sample, 200, generator)
    assert {*overall} == {name for name in METRICS if METRICS[name].scope == "overall"}
    assert [*classes] == ["a", "b", "c"]
    for label in classes:
        assert {*classes[label]} == {name for name in METRICS if METRICS[name].scope == "class"}
    for estimate in (*overall.values(), *(e for each in classes.values() for e in each.values())):
        assert estimate.value is not None
        assert estimate.low is not None
        assert estimate.high is not None
        assert estimate.low < estimate.value < estimate.high


def test_proportions_have_wilsons_interval_of_their_own_images(
    make_sample: MakeSample, generator: np.random.Generator
) -> None:
    sample = make_sample(90)
    overall, classes = estimate_metrics(sample, 100, generator)
    right = sample.decided == sample.truth
    assert overall["accuracy"][:4] == (right.mean(), *wilson(right.mean(), 90), 90)
    share = right[sample.truth == 1].mean()
    assert classes["b"]["recall"][:4] == (share, *wilson(share, 30), 30)
    assert classes["b"]["precision"].n == (sample.decided == 1).sum()
    assert classes["b"]["specificity"].n == 60


def test_the_balanced_accuracy_is_the_one_of_an_audit(
    make_sample: MakeSample, generator: np.random.Generator
) -> None:
    sample = make_sample(90)
    found = estimate_metrics(sample, 100, generator, ["balanced_accuracy"]).overall
    right = sample.decided == sample.truth
    assert found == {"balanced_accuracy": balanced_accuracy(right, sample.truth, sample.groups)}


def test_of_two_classes_every_area_is_one(make_sample: MakeSample) -> None:
    sample = make_sample(120)
    truth, shares = np.minimum(sample.truth, 1), sample.probabilities[:, 0]
    two = replace(
        sample,
        labels=("a", "b"),
        truth=truth,
        decided=(shares < 0.5).astype(int),
        probabilities=np.stack([shares, 1 - shares], axis=1),
    )
    overall, classes = estimate_metrics(two, 100, np.random.default_rng(3))
    for name in ("macro_auc", "pairwise_auc"):
        assert overall[name] == classes["a"]["auc"]
    assert classes["b"]["auc"][:3] == pytest.approx(classes["a"]["auc"][:3])


def test_the_same_seed_gives_the_same_figures(make_sample: MakeSample) -> None:
    sample = make_sample(60)
    first = estimate_metrics(sample, 100, np.random.default_rng(3))
    assert estimate_metrics(sample, 100, np.random.default_rng(3)) == first
    assert estimate_metrics(sample, 100, np.random.default_rng(4)) != first


def test_copies_change_neither_a_value_nor_much_of_its_interval(make_sample: MakeSample) -> None:
    sample = make_sample(150)
    rows = np.repeat(np.arange(150), 4)
    copied = replace(
        sample,
        truth=sample.truth[rows],
        decided=sample.decided[rows],
        probabilities=sample.probabilities[rows],
        groups=rows,
    )
    once = estimate_metrics(sample, 100, np.random.default_rng(3)).overall
    often = estimate_metrics(copied, 100, np.random.default_rng(3)).overall
    # Its correction counts images as independent, and says so.
    for name in set(once) - {"debiased_calibration_error"}:
        assert often[name][:3] == pytest.approx(once[name][:3], rel=0.01)


def test_an_absent_class_is_undefined_and_says_why(
    make_sample: MakeSample, generator: np.random.Generator
) -> None:
    sample = make_sample(90)
    overall, classes = estimate_metrics(sample.take(sample.truth != 2), 100, generator)
    assert str(classes["c"]["recall"]) == "undefined (no image is c)"
    assert str(classes["c"]["auc"]) == "undefined (it needs images with and without c)"
    assert classes["c"]["precision"].value == 0
    assert classes["c"]["f1"][:3] == (0, None, None)
    assert overall["macro_auc"].low is not None


def test_a_class_of_one_group_has_no_interval(
    make_sample: MakeSample, generator: np.random.Generator
) -> None:
    sample = make_sample(90)
    groups = np.where(sample.truth == 2, 0, 1 + np.arange(90))
    one = replace(sample, groups=np.unique(groups, return_inverse=True)[1])
    overall, classes = estimate_metrics(one, 100, generator)
    assert classes["c"]["auc"].value is not None
    assert classes["c"]["auc"].reason == "images with it come from 1 group only"
    assert classes["c"]["recall"].reason == "all observations are of one group"
    why = "all observations of one class are of one group"
    assert overall["balanced_accuracy"].reason == why
    assert classes["a"]["auc"].low is not None
