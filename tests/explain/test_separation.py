"""Which channels separate the classes, on drawn responses with known answers."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from pulmo import stats
from pulmo.explain.features.separation import (
    Responses,
    areas_table,
    best_areas,
    channel_areas,
    gain,
    separating,
)
from pulmo.explain.features.shown import TRAINED, UNTRAINED

CLASSES = ("normal", "pneumonia")


def responses(seed: int, n: int = 200, skill: float = 1.5) -> Responses:
    """Channel 3 of layer b of the trained network is lower for pneumonia; all others are noise."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, 2, n)
    groups = [f"g{k}" for k in range(n)]
    of = {
        name: {
            layer: generator.normal(size=(2, count, n)).astype(np.float32)
            for layer, count in (("a", 3), ("b", 5))
        }
        for name in (TRAINED, UNTRAINED)
    }
    of[TRAINED]["b"][1, 3] -= (skill * truth).astype(np.float32)
    return Responses(truth, groups, of)


def test_the_channel_that_tells_is_found_and_its_area_is_that_of_other_images() -> None:
    selection, reported = responses(0), responses(1)
    areas = channel_areas(CLASSES, ["pneumonia"], selection, reported)
    assert len(areas) == 2 * 2 * (3 + 5)
    trained, untrained = best_areas(areas)
    assert (trained.network, untrained.network) == (TRAINED, UNTRAINED)
    assert (trained.layer, trained.channel, trained.statistic) == ("b", 3, "maximum")
    assert not trained.higher
    told = reported.of[TRAINED]["b"][1, 3]
    assert trained.auc.value == pytest.approx(roc_auc_score(reported.truth, -told))
    assert trained.selected == pytest.approx(
        roc_auc_score(selection.truth, -selection.of[TRAINED]["b"][1, 3])
    )
    assert trained.p is not None
    assert trained.p < 1e-6
    assert separating(areas) == {TRAINED: 1, UNTRAINED: 0}


def test_a_selected_channel_of_noise_loses_what_selection_gave_it() -> None:
    differences = []
    for seed in range(20):
        areas = channel_areas(CLASSES, ["pneumonia"], responses(seed), responses(seed + 100))
        best = best_areas(areas)[1]
        assert best.auc.value is not None
        assert best.selected > 0.5
        differences.append(best.selected - best.auc.value)
    assert np.mean(differences) > 0.05


def test_p_values_are_holms_over_all_areas_of_a_network() -> None:
    same = responses(4)
    found = channel_areas(CLASSES, ["pneumonia"], same, same)
    areas = [area for area in found if area.network == TRAINED]
    raw = []
    for area in areas:
        assert area.auc.value == pytest.approx(area.selected)
        p = stats.auc_p(area.auc)
        assert p is not None
        raw.append(p)
    expected = stats.holm(raw)
    assert [area.p for area in areas] == pytest.approx(expected)
    assert max(expected) == 1


def test_copies_of_images_in_their_groups_narrow_no_interval() -> None:
    once = responses(5)
    rows = np.repeat(np.arange(len(once.truth)), 3)
    of = {
        name: {layer: values[..., rows] for layer, values in layers.items()}
        for name, layers in once.of.items()
    }
    thrice = Responses(once.truth[rows], [once.groups[row] for row in rows.tolist()], of)
    for one, often in zip(
        channel_areas(CLASSES, ["pneumonia"], once, once),
        channel_areas(CLASSES, ["pneumonia"], once, thrice),
        strict=True,
    ):
        assert often.auc[:3] == pytest.approx(one.auc[:3], rel=1e-6)


def test_the_gain_of_training_is_the_paired_difference() -> None:
    selection, reported = responses(6), responses(7)
    areas = channel_areas(CLASSES, ["pneumonia"], selection, reported)
    trained, untrained = best_areas(areas)
    found = gain(trained, untrained, reported, 1)
    assert trained.auc.value is not None
    assert untrained.auc.value is not None
    assert found.value == pytest.approx(trained.auc.value - untrained.auc.value)
    assert found.low is not None
    assert found.low > 0


def test_an_area_without_an_interval_has_no_p_value() -> None:
    part = responses(8)
    truth = np.zeros_like(part.truth)
    truth[0] = 1
    scarce = Responses(truth, part.groups, part.of)
    areas = channel_areas(CLASSES, ["pneumonia"], part, scarce)
    assert all(area.p is None and area.auc.reason for area in areas)
    assert separating(areas) == {TRAINED: 0, UNTRAINED: 0}
    table = areas_table(areas)
    assert table["p"].isna().all()
    assert set(table["reason"]) == {areas[0].auc.reason}


def test_each_class_of_several_is_separated_from_the_rest() -> None:
    part = responses(9, n=300)
    truth = np.arange(300) % 3
    several = Responses(truth, part.groups, part.of)
    areas = channel_areas(("a", "b", "c"), ("a", "b", "c"), several, several)
    assert {area.label for area in areas} == {"a", "b", "c"}
    assert [(one.label, one.network) for one in best_areas(areas)] == [
        (label, network) for network in (TRAINED, UNTRAINED) for label in "abc"
    ]
