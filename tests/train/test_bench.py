"""The measured loops are those of a run, and the values follow from the rounds."""

import numpy as np
import pytest
import torch

from pulmo.core.recipe import load_recipe
from pulmo.datasets.cache import Images
from pulmo.datasets.manifest import Manifest
from pulmo.models.classifier import Classifier
from pulmo.train import bench
from pulmo.train.bench import Amount, measure_training, part_of, phantom_data
from pulmo.train.engine import Engine
from pulmo.train.training_data import TrainingData

SETTINGS = ["image.size=32", "train.batch=4"]
CPU = torch.device("cpu")


def test_images_are_drawn_for_each_class_and_fill_the_steps() -> None:
    recipe = load_recipe("demo", [*SETTINGS, "train.batch=40"])
    material = phantom_data(recipe, 2)
    classes = len(recipe.labels.order)
    assert np.bincount(material.truth).tolist() == [80 // classes] * classes
    images = material.images.take(material.train)
    assert images.shape == (80, 32, 32)
    assert len(np.unique(images, axis=0)) == 64
    assert images[0].std() > 10


def test_a_class_that_cannot_be_drawn_has_images_too() -> None:
    recipe = load_recipe("demo", [*SETTINGS, 'labels.order=["covid","other"]',
                                  'decision.positive=["covid"]'])  # fmt: skip
    assert np.bincount(phantom_data(recipe, 1).truth).tolist() == [2, 2]


def test_a_part_has_every_class() -> None:
    truth = np.array([0] * 50 + [1] * 3 + [2] * 10)
    rows = np.arange(len(truth))
    images = Images((np.zeros((63, 2, 2), np.uint8),), rows, rows)
    train = rows[1:]
    material = TrainingData(Manifest.empty(), images, truth, train, rows[:1])
    part = part_of(material, 12)
    assert np.bincount(truth[part.train]).tolist() == [5, 3, 4]
    assert set(part.train) <= set(train)
    assert len(set(part.train)) == 12
    assert len(part_of(material, 500).train) == 62


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

    def kept(engines: dict[bench.Precision, Engine], *, bound: bool) -> object:
        rounds.append(made(engines, bound=bound))
        return rounds[-1]

    monkeypatch.setattr(bench, "_round", kept)
    report = measure_training(
        recipe, phantom_data(recipe, 3), CPU, Amount(3, 2, both_precisions=True, bound=True)
    )
    counted = rounds[1:]
    assert len(counted) == 2
    for name in bench.PRECISIONS:
        speed = report.speeds[name]
        assert speed.pulmo == pytest.approx(np.median([r.pulmo[name] for r in counted]))
        assert speed.bare == pytest.approx(np.median([r.bare[name] for r in counted]))
        ratios = [r.pulmo[name] / r.bare[name] for r in counted]
        assert speed.of_bare == pytest.approx(np.median(ratios))
        assert report.bound is not None
        assert speed.of_bound == pytest.approx(speed.pulmo / report.bound.speed)
    gains = [r.pulmo["bf16"] / r.pulmo["fp32"] for r in counted]
    assert report.gain == pytest.approx(np.median(gains))
    assert report.bound is not None
    assert report.bound.speed == pytest.approx(1e9 / report.bound.flops)
    assert report.auto in bench.PRECISIONS
    assert (report.size, report.batch, report.device) == (32, 4, "cpu")


def test_each_loop_sees_as_many_images_as_a_run_and_in_its_precision(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recipe = load_recipe("demo", [*SETTINGS, "train.trains=head"])
    seen: list[tuple[int, bool, bool]] = []
    plain = Classifier.forward

    def watched(self: Classifier, images: torch.Tensor) -> torch.Tensor:
        resting = not any(module.training for module in self.backbone.modules())
        seen.append((len(images), torch.is_autocast_enabled("cpu"), resting))
        return plain(self, images)

    monkeypatch.setattr(Classifier, "forward", watched)
    amount = Amount(3, 1, both_precisions=True, bound=True)
    measure_training(recipe, phantom_data(recipe, 3), CPU, amount)
    fp32, bf16 = (4, False, True), (4, True, True)
    turn = [fp32] * 6 + [bf16] * 6
    assert seen == [(2, False, True), *turn, *turn]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_only_the_recipes_own_precision_is_measured_unless_more_is_asked_for(
    precision: bench.Precision, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: torch.device) -> float:
        raise AssertionError("The bound was not asked for.")

    monkeypatch.setattr(bench, "matrix_rate", refuse)
    recipe = load_recipe("demo", [*SETTINGS, f"train.precision={precision}"])
    report = measure_training(recipe, phantom_data(recipe, 2), CPU, Amount(2, 1))
    assert list(report.speeds) == [precision]
    assert report.speeds[precision].of_bound is None
    assert (report.gain, report.bound) == (None, None)
