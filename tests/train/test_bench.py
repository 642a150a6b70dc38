"""The measured loops are those of a run, and the figures follow from the rounds."""

import numpy as np
import pytest
import torch

from pulmo.core.recipe import load_recipe
from pulmo.datasets.cache import Pictures
from pulmo.datasets.manifest import Manifest
from pulmo.models.classifier import Classifier
from pulmo.train import bench
from pulmo.train.bench import Amount, drawn_material, measure_training, part_of
from pulmo.train.engine import Engine
from pulmo.train.material import Material

SETTINGS = ["image.size=32", "train.batch=4"]
CPU = torch.device("cpu")


def test_films_are_drawn_for_each_class_and_fill_the_steps() -> None:
    recipe = load_recipe("demo", [*SETTINGS, "train.batch=40"])
    material = drawn_material(recipe, 2)
    classes = len(recipe.labels.order)
    assert np.bincount(material.truth).tolist() == [80 // classes] * classes
    films = material.pictures.take(material.train)
    assert films.shape == (80, 32, 32)
    assert len(np.unique(films, axis=0)) == 64
    assert films[0].std() > 10


def test_a_class_that_cannot_be_drawn_has_films_too() -> None:
    recipe = load_recipe("demo", [*SETTINGS, 'labels.order=["covid","other"]',
                                  'decision.positive=["covid"]'])  # fmt: skip
    assert np.bincount(drawn_material(recipe, 1).truth).tolist() == [2, 2]


def test_a_part_has_every_class() -> None:
    truth = np.array([0] * 50 + [1] * 3 + [2] * 10)
    rows = np.arange(len(truth))
    pictures = Pictures((np.zeros((63, 2, 2), np.uint8),), rows, rows)
    train = rows[1:]
    material = Material(Manifest.empty(), pictures, truth, train, rows[:1])
    part = part_of(material, 12, 3)
    assert np.bincount(truth[part.train]).tolist() == [5, 3, 4]
    assert set(part.train) <= set(train)
    assert len(set(part.train)) == 12
    assert len(part_of(material, 500, 3).train) == 62


@pytest.mark.parametrize("settings", [[], ["train.trains=head", "train.views=2"],
                                      ["train.compile=true"]])  # fmt: skip
def test_figures_follow_from_the_rounds(
    settings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.nn.Module, "compile", lambda _: None)
    monkeypatch.setattr(bench, "matrix_rate", lambda _: 1e9)
    recipe = load_recipe("demo", [*SETTINGS, *settings])
    rounds = []
    made = bench._round

    def kept(engines: dict[bench.Precision, Engine]) -> object:
        rounds.append(made(engines))
        return rounds[-1]

    monkeypatch.setattr(bench, "_round", kept)
    report = measure_training(recipe, drawn_material(recipe, 3), CPU, Amount(3, 2))
    counted = rounds[1:]
    assert len(counted) == 2
    for name in bench.PRECISIONS:
        speed = report.speeds[name]
        assert speed.pulmo == pytest.approx(np.median([r.pulmo[name] for r in counted]))
        assert speed.bare == pytest.approx(np.median([r.bare[name] for r in counted]))
        ratios = [r.pulmo[name] / r.bare[name] for r in counted]
        assert speed.of_bare == pytest.approx(np.median(ratios))
        assert speed.of_roof == pytest.approx(speed.pulmo / report.roof)
    gains = [r.pulmo["bf16"] / r.pulmo["fp32"] for r in counted]
    assert report.gain == pytest.approx(np.median(gains))
    assert report.roof == pytest.approx(1e9 / report.flops)
    assert report.auto in bench.PRECISIONS
    assert (report.size, report.batch, report.device) == (32, 4, "cpu")


def test_each_loop_sees_as_many_pictures_as_a_run_and_in_its_precision(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recipe = load_recipe("demo", [*SETTINGS, "train.trains=head"])
    seen: list[tuple[int, bool, bool]] = []
    plain = Classifier.forward

    def watched(self: Classifier, films: torch.Tensor) -> torch.Tensor:
        resting = not any(module.training for module in self.backbone.modules())
        seen.append((len(films), torch.is_autocast_enabled("cpu"), resting))
        return plain(self, films)

    monkeypatch.setattr(Classifier, "forward", watched)
    measure_training(recipe, drawn_material(recipe, 3), CPU, Amount(3, 1))
    fp32, bf16 = (4, False, True), (4, True, True)
    turn = [fp32] * 6 + [bf16] * 6
    assert seen == [(2, False, True), *turn, *turn]
