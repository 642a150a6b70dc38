from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fixtures.refuses import refuses
from pulmo.core.folders import RunFolder
from pulmo.core.recipe import load_recipe
from pulmo.datasets.manifest import Manifest
from pulmo.train.lr_find import Sweep, find_rate
from pulmo.train.run import Place

QUICK = ["image.size=32", "train.batch=8", "train.optimiser=sgd", "train.precision=fp32"]


def place(tmp_path: Path) -> Place:
    return Place(RunFolder(tmp_path / "none"), tmp_path / "cache", "cpu")


def test_the_rate_rises_evenly_and_the_sweep_ends_where_the_loss_diverges(
    images: pd.DataFrame, tmp_path: Path
) -> None:
    seen: list[tuple[int, int]] = []
    span = (1e-4, 1e3, 120)
    sweep = find_rate(
        load_recipe("demo", QUICK),
        Manifest(images),
        place(tmp_path),
        span,
        lambda *d: seen.append(d),
    )
    assert len(sweep.rates) < 120
    np.testing.assert_allclose(sweep.rates, np.geomspace(*span)[: len(sweep.rates)])
    assert sweep.smoothed[-1] > 2 * sweep.smoothed.min() or len(seen) > len(sweep.rates)
    assert seen[-1][1] == 120
    assert 1e-4 < sweep.steepest < sweep.rates[sweep.smoothed.argmin()] * 1.01
    assert not (tmp_path / "none").exists()


def test_the_smoothed_loss_is_the_corrected_average(images: pd.DataFrame, tmp_path: Path) -> None:
    sweep = find_rate(
        load_recipe("demo", QUICK), Manifest(images), place(tmp_path), (1e-6, 1e-5, 20)
    )
    weights = 0.98 ** np.arange(20)[::-1]
    expected = [(weights[-n:] * sweep.losses[:n]).sum() / weights[-n:].sum() for n in range(1, 21)]
    np.testing.assert_allclose(sweep.smoothed, expected, rtol=1e-9)


def test_the_same_recipe_gives_the_same_sweep(images: pd.DataFrame, tmp_path: Path) -> None:
    made = load_recipe("demo", [*QUICK, "train.trains=head", "train.class_weights=balanced"])
    first, again = (
        find_rate(made, Manifest(images), place(tmp_path), (1e-4, 1e-2, 20)).losses
        for _ in range(2)
    )
    assert np.array_equal(first, again)


def test_the_suggestions_of_a_known_curve() -> None:
    rates = np.geomspace(1e-5, 1, 200)
    steps = np.log10(rates)
    # Falls fastest at 1e-3, is lowest near 1e-1, rises after.
    losses = 1 / (1 + np.exp(4 * (steps + 3))) + np.maximum(0, steps + 1) ** 2
    sweep = Sweep(rates, losses, losses)
    assert sweep.steepest == pytest.approx(1e-3, rel=0.1)
    assert sweep.highest == pytest.approx(1e-2, rel=0.3)


def test_a_loss_that_diverges_at_once_is_a_sentence(images: pd.DataFrame, tmp_path: Path) -> None:
    with refuses("loss-diverged", "2"):
        find_rate(load_recipe("demo", QUICK), Manifest(images), place(tmp_path), (1e20, 1e30, 50))
