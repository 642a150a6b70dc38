"""Every value over findings against scikit-learn, and its interval."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from pulmo.evaluate.multilabel.table import labels_table
from pulmo.stats.multilabel.estimates import LABELS_METRICS, compute, estimate_label_metrics
from pulmo.stats.multilabel.labelled import LabelledImages
from pulmo.stats.proportions import wilson
from pulmo.stats.weights import draw_weights

MakeTable = Callable[..., pd.DataFrame]


def _sklearn(sample: LabelledImages) -> dict[str, float]:
    """Computes the values label by label, and over images and labels, with scikit-learn."""
    whole, cells = sample.whole, sample.known
    truth, called, scores = (
        part[whole].astype(float) for part in (sample.truth, sample.called, sample.probabilities)
    )
    sides = [
        tuple(part[:, place][known] for part in (sample.truth, sample.called, sample.probabilities))
        for place, known in enumerate(cells.T)
    ]
    pooled = sample.truth[cells], sample.called[cells], sample.probabilities[cells]
    micro = metrics.precision_recall_fscore_support(*pooled[:2], average="binary")
    each = np.array(
        [metrics.precision_recall_fscore_support(*side[:2], average="binary")[:3] for side in sides]
    )
    macro = each.mean(axis=0)
    return {
        "subset_accuracy": metrics.accuracy_score(truth, called),
        "hamming_loss": float(np.mean(pooled[0] != pooled[1])),
        "micro_precision": micro[0],
        "micro_recall": micro[1],
        "micro_f1": micro[2],
        "macro_precision": macro[0],
        "macro_recall": macro[1],
        "macro_f1": macro[2],
        "micro_auc": metrics.roc_auc_score(pooled[0], pooled[2]),
        "macro_auc": np.mean([metrics.roc_auc_score(side[0], side[2]) for side in sides]),
        "macro_average_precision": np.mean(
            [metrics.average_precision_score(side[0], side[2]) for side in sides]
        ),
        "label_ranking_average_precision": metrics.label_ranking_average_precision_score(
            truth, scores
        ),
    }


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_values_are_scikit_learns(make_table: MakeTable, missing: float) -> None:
    sample = labels_table(make_table(200, missing=missing)).to_images()
    found = estimate_label_metrics(sample, 100, np.random.default_rng(0))
    assert [*found] == [*LABELS_METRICS]
    for name, expected in _sklearn(sample).items():
        assert found[name].value == pytest.approx(expected, abs=1e-12), name
    assert found["subset_accuracy"].n == sample.whole.sum()
    assert found["hamming_loss"].n == 200


def test_without_missing_labels_they_are_scikit_learns_of_all_labels_at_once(
    make_table: MakeTable,
) -> None:
    sample = labels_table(make_table(150)).to_images()
    found = estimate_label_metrics(sample, 100, np.random.default_rng(0))
    truth, called, scores = (
        np.asarray(part, float) for part in (sample.truth, sample.called, sample.probabilities)
    )
    for average in ("micro", "macro"):
        expected = metrics.precision_recall_fscore_support(truth, called, average=average)
        for name, value in zip(("precision", "recall", "f1"), expected, strict=False):
            assert found[f"{average}_{name}"].value == pytest.approx(value)
        area = metrics.roc_auc_score(truth, scores, average=average)
        assert found[f"{average}_auc"].value == pytest.approx(area)
    area = metrics.average_precision_score(truth, scores, average="macro")
    assert found["macro_average_precision"].value == pytest.approx(area)
    assert found["hamming_loss"].value == pytest.approx(metrics.hamming_loss(truth, called))


def test_a_weight_counts_an_image_as_often_as_a_copy_would(make_table: MakeTable) -> None:
    table = labels_table(make_table(60, missing=0.2, per_patient=2))
    sample = table.to_images()
    weights = draw_weights(sample.groups, np.random.default_rng(1).spawn(5))
    found = compute(sample, weights)
    for place, row in enumerate(weights):
        images = np.repeat(np.arange(60), row)
        copied = LabelledImages(
            labels=sample.labels,
            known=sample.known[images],
            truth=sample.truth[images],
            called=sample.called[images],
            probabilities=sample.probabilities[images],
            groups=sample.groups[images],
        )
        alone = compute(copied, np.ones((1, len(images)), np.uint8))
        for name, values in found.items():
            assert values[place] == pytest.approx(alone[name][0]), name


def test_every_figure_has_an_interval_around_it(make_table: MakeTable) -> None:
    sample = labels_table(make_table(200, per_patient=2)).to_images()
    found = estimate_label_metrics(sample, 200, np.random.default_rng(0))
    for name, estimate in found.items():
        assert estimate.value is not None
        assert estimate.low is not None, name
        assert estimate.high is not None
        assert 0 <= estimate.low < estimate.value < estimate.high <= 1, name
    assert estimate_label_metrics(sample, 200, np.random.default_rng(0)) == found
    alone = labels_table(make_table(200)).to_images()
    share = estimate_label_metrics(alone, 100, np.random.default_rng(0))["subset_accuracy"]
    assert share[:3] == (share.value, *wilson(share.value or 0, 200))


def test_the_interval_is_about_as_wide_as_a_loop_of_scikit_learns(make_table: MakeTable) -> None:
    """A plain bootstrap in a loop; at 120 images BCa moves its ends by little."""
    sample = labels_table(make_table(120)).to_images()
    found = estimate_label_metrics(sample, 1000, np.random.default_rng(0))["macro_f1"]
    generator = np.random.default_rng(1)
    draws = []
    for _ in range(300):
        images = generator.integers(120, size=120)
        draws.append(metrics.f1_score(sample.truth[images], sample.called[images], average="macro"))
    low, high = np.quantile(draws, [0.025, 0.975])
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.02)


class TestUndefined:
    """What has no value says why."""

    def test_no_call_and_no_whole_image(self, make_table: MakeTable) -> None:
        table = make_table(40).assign(d_Edema=0)
        table.loc[:19, "y_Fracture"] = np.nan
        table.loc[20:, "y_Lung Opacity"] = np.nan
        found = estimate_label_metrics(
            labels_table(table).to_images(), 100, np.random.default_rng(0)
        )
        assert str(found["macro_precision"]) == "undefined (no image is predicted to have Edema)"
        assert found["macro_f1"].value is not None
        for name in ("subset_accuracy", "label_ranking_average_precision"):
            assert str(found[name]) == "undefined (no image is labelled for every finding)"

    def test_no_finding_with_two_sides(self, make_table: MakeTable) -> None:
        table = make_table(20).assign(**{f"y_{label}": 0 for label in ("Edema", "Fracture")})
        sample = labels_table(table.assign(**{"y_Lung Opacity": 1}), 1.0).to_images()
        found = estimate_label_metrics(sample, 100, np.random.default_rng(0))
        reason = "no finding has both images with it and images without it"
        for name in ("macro_precision", "macro_recall", "macro_f1", "macro_auc"):
            assert str(found[name]) == f"undefined ({reason})"
        assert found["micro_auc"].value is not None

    def test_a_finding_with_one_side_has_no_part_in_the_means(self, make_table: MakeTable) -> None:
        table = make_table(80)
        without = table.drop(columns=["y_Fracture", "p_Fracture"])
        some, fewer = (
            estimate_label_metrics(labels_table(one).to_images(), 100, np.random.default_rng(0))
            for one in (table.assign(y_Fracture=0), without)
        )
        for name in ("macro_precision", "macro_recall", "macro_auc", "macro_average_precision"):
            assert some[name].value == fewer[name].value
        assert some["hamming_loss"].value != fewer["hamming_loss"].value
