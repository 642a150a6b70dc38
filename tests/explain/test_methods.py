"""The contract of every method, and each against an independent implementation."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from captum._utils.models.linear_model import SkLearnRidge
from captum.attr import Lime as CaptumLime
from captum.attr import Occlusion as CaptumOcclusion
from numpy.typing import NDArray
from torch import Tensor

from explain.conftest import BLOCK, BRIGHT, STRIPES, planted_images
from fixtures.refuses import refuses
from pulmo.bundle.predictor import Predictor
from pulmo.core.folders import RunFolder
from pulmo.core.sections import ModelSection
from pulmo.explain.layers import activations
from pulmo.explain.methods import METHODS, Method, read_method
from pulmo.explain.trained.network import TrainedNetwork, open_run
from pulmo.models.classifier import Classifier, make_classifier

NAMES = list(METHODS)
INSIDE = [name for name, kind in METHODS.items() if kind.quick().needs_run]
OUTSIDE = [name for name in NAMES if name not in INSIDE]
COVID, NORMAL = np.array([1]), np.array([0])


def few(name: str) -> Method:
    """The method with so few samples that the tests are fast, and so many that it finds."""
    fewer = {"rise": {"masks": 300}, "lime": {"samples": 300}, "smoothgrad": {"samples": 9}}
    return read_method({"name": name, **fewer.get(name, {})})


def top_of(values: NDArray[np.float32]) -> tuple[int, int]:
    """The row and the column of the largest value, as of an image 64 px wide."""
    large = cv2.resize(values, (64, 64), interpolation=cv2.INTER_NEAREST)
    row, column = np.unravel_index(large.argmax(), large.shape)
    return int(row), int(column)


@pytest.fixture
def drawn(generator: np.random.Generator) -> NDArray[np.uint8]:
    """Three smooth images 64 px wide."""
    grids = generator.uniform(0, 255, (3, 5, 5)).astype(np.float32)
    smooth = [cv2.resize(grid, (64, 64), interpolation=cv2.INTER_CUBIC) for grid in grids]
    return np.clip(np.rint(smooth), 0, 255).astype(np.uint8)


@pytest.fixture
def deep(planted: TrainedNetwork) -> TrainedNetwork:
    """A small residual network with a hidden layer and random weights, which is rather sure."""
    section = ModelSection.model_validate(
        {"backbone": "compact", "head": {"name": "mlp", "hidden": 16}}
    )
    made = make_classifier(section, ("normal", "covid"), seed=1, size=64).classifier.eval()
    with torch.no_grad():
        list(made.head.parameters())[-2].mul_(30)
    return TrainedNetwork(made, planted.card)


def test_the_methods() -> None:
    assert set(OUTSIDE) == {"hirescam", "lime", "occlusion", "rise"}
    assert set(INSIDE) == {
        "eigencam", "gradcam", "gradcam++", "integrated-gradients", "layercam", "scorecam",
        "smoothgrad",
    }  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("label", "block"), [(COVID, BRIGHT), (NORMAL, STRIPES)])
def test_what_decides_is_found(
    planted: TrainedNetwork, name: str, label: NDArray[np.intp], block: tuple[int, int]
) -> None:
    method = few(name)
    found = method.maps(planted, planted_images(), label).values[0]
    blocks = [block] if method.of_class else [BRIGHT, STRIPES]
    near = [
        np.abs(np.subtract(top_of(found), np.multiply(at, BLOCK) + BLOCK // 2)).max()
        for at in blocks
    ]
    assert min(near) <= BLOCK


@pytest.mark.parametrize("name", NAMES)
def test_a_map_is_of_its_class_and_of_its_image_alone(deep: TrainedNetwork, name: str) -> None:
    method, images = METHODS[name].quick(), planted_images(3)
    classes = np.array([1, 0, 1])
    found = method.maps(deep, images, classes).values
    assert found.dtype == np.float32
    assert found.ndim == 3
    assert len(found) == 3
    assert np.isfinite(found).all()
    for number in range(3):
        alone = method.maps(deep, images[[number]], classes[[number]]).values[0]
        np.testing.assert_allclose(alone, found[number], atol=1e-4 * np.abs(found[number]).max())
    other = method.maps(deep, images[:1], NORMAL).values[0]
    differ = np.abs(other - found[0]).max() > 1e-3 * np.abs(found[0]).max()
    assert differ == method.of_class
    again = method.maps(deep, images, classes).values
    np.testing.assert_array_equal(again, found)


@pytest.mark.parametrize("name", ["lime", "rise", "smoothgrad"])
def test_another_seed_draws_others(deep: TrainedNetwork, name: str) -> None:
    state = torch.random.get_rng_state()
    one, other = (
        METHODS[name]
        .quick()
        .model_copy(update={"seed": seed})
        .maps(deep, planted_images(), COVID)
        .values
        for seed in (0, 1)
    )
    assert (one != other).any()
    assert torch.equal(state, torch.random.get_rng_state())


@pytest.mark.parametrize("name", NAMES)
def test_progress_ends_with_all_of_it(deep: TrainedNetwork, name: str) -> None:
    reports: list[tuple[int, int]] = []
    METHODS[name].quick().maps(
        deep, planted_images(2), np.array([0, 1]), lambda *report: reports.append(report)
    )
    done = [report[0] for report in reports]
    assert done == sorted(done)
    assert reports[-1][0] == reports[-1][1]


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_bundle_and_its_run_have_one_map(
    bundle: Path, run: RunFolder, drawn: NDArray[np.uint8], name: str
) -> None:
    method, classes = METHODS[name].quick(), np.array([0, 1, 2])
    shipped = method.maps(Predictor.open(bundle, 1), drawn, classes)
    trained = method.maps(open_run(run.root), drawn, classes)
    np.testing.assert_allclose(shipped.values, trained.values, atol=1e-4)


@pytest.mark.parametrize("name", INSIDE)
def test_a_bundle_refuses_what_it_cannot_serve(
    bundle: Path, drawn: NDArray[np.uint8], name: str
) -> None:
    with refuses("method-needs-run", *OUTSIDE):
        METHODS[name].quick().maps(Predictor.open(bundle, 1), drawn[:1], COVID)


def test_a_bundle_refuses_a_layer(bundle: Path, drawn: NDArray[np.uint8]) -> None:
    with refuses("method-needs-run"):
        read_method({"name": "hirescam", "layer": "backbone"}).maps(
            Predictor.open(bundle, 1), drawn[:1], COVID
        )


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_the_network_is_left_as_it_was(
    deep: TrainedNetwork, monkeypatch: pytest.MonkeyPatch, name: str, *, fails: bool
) -> None:
    network = deep.classifier.train()
    network.backbone.eval()
    weights = list(network.parameters())
    weights[0].requires_grad = False

    def state() -> tuple[object, ...]:
        modules = list(network.modules())
        return (
            [module.training for module in modules],
            [len(module._forward_hooks) for module in modules],
            [weight.requires_grad for weight in weights],
            [weight.grad for weight in weights],
        )

    before = state()
    if fails:
        # Late, so that hooks are in place.
        def fail(_self: object, _read: Tensor) -> Tensor:
            raise RuntimeError("on purpose")

        monkeypatch.setattr(type(network.head), "logits", fail)
        with pytest.raises(RuntimeError, match="on purpose"):
            METHODS[name].quick().maps(deep, planted_images(), COVID)
    else:
        METHODS[name].quick().maps(deep, planted_images(), COVID)
    assert state() == before


@pytest.mark.parametrize("name", NAMES)
def test_a_damaged_network_is_refused(planted: TrainedNetwork, name: str) -> None:
    with torch.no_grad():
        next(planted.classifier.parameters())[0].fill_(torch.nan)
    with refuses(("activation-map-not-finite", "layer-not-finite", "output-not-finite")):
        METHODS[name].quick().maps(planted, planted_images(), COVID)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("gradcm", "method-unknown"),
        ({"name": "rise", "layer": "backbone"}, "method-unknown"),
        ({"name": "rise", "masks": 0}, "method-parameter-invalid"),
        ({"name": "rise", "masks": "many"}, "method-parameter-invalid"),
        ({"name": "occlusion", "window": 0.1, "stride": 0.2}, "method-parameter-invalid"),
    ],
)
def test_a_method_that_is_none_is_refused(given: object, code: str) -> None:
    with refuses(code):
        read_method(given)


# What follows compares methods with other implementations.


def by_hand(network: Classifier, image: NDArray[np.uint8], label: int) -> tuple[Tensor, Tensor]:
    """The last maps of an image and the logit's gradient by them, [channels, rows, columns]."""
    maps = network.features(torch.from_numpy(image)[None, None] / 255)
    maps.retain_grad()
    network.head(maps)[0, label].backward()
    assert maps.grad is not None
    return maps.detach()[0], maps.grad[0]


def hirescam(maps: Tensor, gradients: Tensor) -> Tensor:
    product: Tensor = maps[0].numel() * (gradients * maps).sum(0)
    return product


def gradcam(maps: Tensor, gradients: Tensor) -> Tensor:
    parts = [g.sum() / g.numel() * a for g, a in zip(gradients, maps, strict=True)]
    return maps[0].numel() * torch.stack(parts).sum(0).clamp(min=0)


def gradcam_plus_plus(maps: Tensor, gradients: Tensor) -> Tensor:
    total = torch.zeros_like(maps[0])
    for a, g in zip(maps, gradients, strict=True):
        weight = 0.0
        for i in range(a.shape[0]):
            for j in range(a.shape[1]):
                below = 2 * g[i, j] ** 2 + (a * g[i, j] ** 3).sum()
                if below:
                    weight += float(g[i, j] ** 2 / below * max(float(g[i, j]), 0.0))
        total += weight * a
    return total.clamp(min=0)


def layercam(maps: Tensor, gradients: Tensor) -> Tensor:
    parts = [g.clamp(min=0) * a for g, a in zip(gradients, maps, strict=True)]
    product: Tensor = maps[0].numel() * torch.stack(parts).sum(0).clamp(min=0)
    return product


def eigencam(maps: Tensor, _gradients: Tensor) -> Tensor:
    table = maps.flatten(1).T.double()
    _, vectors = torch.linalg.eigh(table.T @ table)
    projected = table @ vectors[:, -1]
    turned: Tensor = projected * torch.sign(projected.sum())
    return turned.reshape(maps.shape[1:]).float()


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("hirescam", hirescam),
        ("gradcam", gradcam),
        ("gradcam++", gradcam_plus_plus),
        ("layercam", layercam),
        ("eigencam", eigencam),
    ],
)
def test_class_activation_maps_are_the_papers(
    deep: TrainedNetwork,
    drawn: NDArray[np.uint8],
    name: str,
    formula: Callable[[Tensor, Tensor], Tensor],
) -> None:
    found = read_method(name).maps(deep, drawn[:2], np.array([1, 0])).values
    for image, label, values in zip(drawn, (1, 0), found, strict=False):
        expected = formula(*by_hand(deep.classifier, image, label))
        scale = float(expected.abs().max())
        assert scale > 0
        np.testing.assert_allclose(values, expected, atol=1e-4 * scale)


def test_the_closed_form_is_the_gradients_map(
    deep: TrainedNetwork, drawn: NDArray[np.uint8]
) -> None:
    closed, computed = (
        read_method({"name": "hirescam", **layer}).maps(deep, drawn, np.array([0, 1, 1])).values
        for layer in ({}, {"layer": "backbone"})
    )
    np.testing.assert_allclose(closed, computed, atol=1e-4 * np.abs(closed).max())


def test_gradcam_is_the_positive_part_of_hirescam_where_the_head_pools(
    deep: TrainedNetwork, drawn: NDArray[np.uint8]
) -> None:
    classes = np.array([0, 1, 1])
    signed = read_method("hirescam").maps(deep, drawn, classes).values
    positive = read_method("gradcam").maps(deep, drawn, classes).values
    np.testing.assert_allclose(positive, signed.clip(0), atol=1e-4 * np.abs(signed).max())


def test_scorecam_is_the_papers(deep: TrainedNetwork, drawn: NDArray[np.uint8]) -> None:
    maps = activations(deep, "backbone", drawn[:1], COVID).maps[0]
    maps, scores = maps[maps.std(axis=(1, 2)) > 0], []
    for channel in maps:
        mask = torch.nn.functional.interpolate(
            torch.from_numpy(channel)[None, None], (64, 64), mode="bilinear"
        )[0, 0].numpy()
        mask = (mask - mask.min()) / (mask.max() - mask.min())
        seen = torch.from_numpy(np.rint(drawn[0] * mask) / 255).float()
        with torch.no_grad():
            scores.append(deep.classifier(seen[None, None])[0, 1])
    weights = torch.stack(scores).softmax(0).numpy()
    expected = sum(w * a for w, a in zip(weights, maps, strict=True)).clip(0)
    found = read_method("scorecam").maps(deep, drawn[:1], COVID).values[0]
    np.testing.assert_allclose(found, expected, atol=1e-3 * expected.max())


def test_integrated_gradients_sum_to_the_difference(
    deep: TrainedNetwork, drawn: NDArray[np.uint8]
) -> None:
    method = read_method({"name": "integrated-gradients", "baseline": 0.2, "steps": 60})
    found = method.maps(deep, drawn, np.array([0, 1, 1])).values
    even = np.full_like(drawn[:1], 51)
    differences = deep.run(drawn).logits - deep.run(even).logits
    np.testing.assert_allclose(
        found.sum(axis=(1, 2)), differences[np.arange(3), [0, 1, 1]], rtol=0.02, atol=1e-3
    )
    assert read_method("integrated-gradients").maps(deep, even * 0, COVID).values.max() == 0


def test_smoothgrad_with_hardly_any_noise_is_the_gradient(
    deep: TrainedNetwork, drawn: NDArray[np.uint8]
) -> None:
    image = (torch.from_numpy(drawn[:1])[:, None] / 255).requires_grad_()
    deep.classifier(image)[0, 1].backward()
    assert image.grad is not None
    expected = image.grad[0, 0].abs().numpy()
    method = read_method({"name": "smoothgrad", "noise": 1e-7, "samples": 2})
    found = method.maps(deep, drawn[:1], COVID).values[0]
    np.testing.assert_allclose(found, expected, atol=1e-3 * expected.max())


def covid(network: TrainedNetwork) -> Callable[[Tensor], Tensor]:
    """The probability of covid for images [n, 1, h, w] in [0, 1]."""

    def ask(images: Tensor) -> Tensor:
        with torch.no_grad():
            logits: Tensor = network.classifier(images)
            return (logits / network.card.temperature).softmax(1)[:, 1]

    return ask


def test_occlusion_is_captums(deep: TrainedNetwork, drawn: NDArray[np.uint8]) -> None:
    method = read_method({"name": "occlusion", "window": 0.2, "stride": 0.1, "fill": 0.0})
    image = torch.from_numpy(drawn[:1])[:, None] / 255
    expected = CaptumOcclusion(covid(deep)).attribute(
        image, sliding_window_shapes=(1, 13, 13), strides=(1, 6, 6), baselines=0.0
    )
    found = method.maps(deep, drawn[:1], COVID).values[0]
    np.testing.assert_allclose(found, expected[0, 0], atol=1e-6)


def test_rise_is_the_papers(deep: TrainedNetwork, drawn: NDArray[np.uint8]) -> None:
    method: Any = read_method({"name": "rise", "masks": 40, "cells": 4, "share": 0.4, "fill": 0.0})
    masks = method._draw(64, np.arange(40))
    assert 0 <= masks.min() < 0.05
    assert 0.95 < masks.max() <= 1
    assert masks.mean() == pytest.approx(0.4, abs=0.05)
    scores = [
        float(covid(deep)(torch.from_numpy(np.rint(drawn[0] * mask) / 255).float()[None, None])[0])
        for mask in masks
    ]
    expected = np.zeros((64, 64))
    for score, mask in zip(scores, masks, strict=True):
        expected += (score - np.mean(scores)) * mask / (0.4 * 40)
    found = method.maps(deep, drawn[:1], COVID).values[0]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_lime_is_captums(deep: TrainedNetwork, drawn: NDArray[np.uint8]) -> None:
    method: Any = read_method({"name": "lime", "cells": 4, "samples": 80, "fill": 0.0})
    shown = method._samples()
    cells = torch.arange(16).reshape(4, 4).repeat_interleave(16, 0).repeat_interleave(16, 1)

    def near(_one: Tensor, _other: Tensor, sample: Tensor, **_: object) -> Tensor:
        both = torch.ones_like(sample)
        distance = 1 - torch.nn.functional.cosine_similarity(sample, both, dim=1)
        return torch.exp(-(distance**2) / 0.25**2)

    def draw(_image: Tensor, **_: object) -> Iterator[Tensor]:
        for row in shown:
            yield torch.from_numpy(row)[None].float()

    lime = CaptumLime(
        covid(deep), interpretable_model=SkLearnRidge(alpha=1.0), similarity_func=near,
        perturb_func=draw,
    )  # fmt: skip
    expected = lime.attribute(
        torch.from_numpy(drawn[:1])[:, None] / 255,
        feature_mask=cells[None, None],
        n_samples=80,
        perturbations_per_eval=1,
        return_input_shape=False,
    )
    found = method.maps(deep, drawn[:1], COVID).values[0]
    np.testing.assert_allclose(found.ravel(), expected[0], atol=1e-5)
