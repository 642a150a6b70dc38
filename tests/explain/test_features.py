"""Maps, filters, fitted inputs and drawings of hand-made networks whose answers are known."""

import io

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from fixtures.refuses import refuses
from pulmo.explain.features.drawing import (
    common_scale,
    factor_words,
    png,
    scale_bar,
    signed,
)
from pulmo.explain.features.examine import Extent, examine
from pulmo.explain.features.filters import filters_of
from pulmo.explain.features.maps import channel_responses, feature_maps, layers_of, strongest
from pulmo.explain.features.maximise import Ascent, maximising_inputs
from pulmo.explain.features.panels import KINDS, panels
from pulmo.explain.features.shown import TRAINED, UNTRAINED, Layer
from pulmo.models.backbone import Backbone
from pulmo.models.classifier import Classifier
from pulmo.models.head import Head

SIZE = 32
FIRST, SECOND, LAST = "backbone.layers.0", "backbone.layers.2", "backbone.layers.3"
Filter = list[list[float]]
HORIZONTAL: Filter = [[-1, -1, -1], [0, 0, 0], [1, 1, 1]]
EVEN: Filter = [[0.5] * 3] * 3


def network(*filters: Filter) -> Classifier:
    """A network whose first filters are given, with two convolutions behind them."""
    given = filters or (HORIZONTAL, EVEN)
    first = nn.Conv2d(1, len(given), 3, padding=1, bias=False)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        second = nn.Conv2d(len(given), 4, 3, padding=1)
        layers = nn.Sequential(first, nn.ReLU(inplace=True), second, nn.Conv2d(4, 3, 1))
        head = Head({"classify": nn.Linear(3, 2)}, flat=False)
    with torch.no_grad():
        first.weight.copy_(torch.tensor(given)[:, None])
    return Classifier(Backbone(layers, 3), head, ("covid", "normal"), (0.5, 0.25))


def convolution(classifier: Classifier, name: str) -> nn.Conv2d:
    found = classifier.get_submodule(name)
    assert isinstance(found, nn.Conv2d)
    return found


def edge(row: int = SIZE // 2) -> NDArray[np.uint8]:
    """An image that is black above a row and white below it."""
    image = np.zeros((SIZE, SIZE), np.uint8)
    image[row:] = 255
    return image


def layer(classifier: Classifier, name: str) -> Layer:
    return next(one for one in layers_of(classifier, SIZE) if one.name == name)


def test_maps_are_what_the_layer_gives_and_the_network_is_left_as_it_was() -> None:
    classifier = network().train()
    found = feature_maps(classifier, edge(), [layer(classifier, FIRST)], TRAINED)[FIRST]
    assert classifier.training
    assert all(parameter.requires_grad for parameter in classifier.parameters())
    # White is 2 and black -2 after normalisation: three weights of an edge give 4 each.
    assert found.shape == (2, SIZE, SIZE)
    np.testing.assert_allclose(found[0, SIZE // 2, 1:-1], 12)
    np.testing.assert_allclose(found[0, 3:-3][: SIZE // 2 - 5, 1:-1], 0)


def test_the_strongest_channel_is_the_one_that_stands_out_and_its_place_is_framed() -> None:
    maps = np.zeros((3, 8, 8), np.float32)
    maps[0] = 100  # high everywhere: nothing stands out
    maps[1, 2:4, 4:8] = 6
    maps[1, 7, 0] = 5.9
    maps[2, 0, 0] = 2
    first, second = strongest(maps, 2)
    assert (first.channel, second.channel) == (1, 2)
    assert first.highest == 6
    assert first.mean == pytest.approx(maps[1].mean())
    assert first.area == (0.5, 0.25, 1.0, 0.5)
    assert second.area == (0.0, 0.0, 0.125, 0.125)


def test_responses_of_a_batch_are_those_of_each_image() -> None:
    classifier = network()
    layers = [layer(classifier, FIRST), layer(classifier, SECOND)]
    images = np.stack([edge(4), edge(20), edge(31)])
    together = channel_responses(classifier, images, layers, TRAINED)
    for number, image in enumerate(images):
        maps = feature_maps(classifier, image, layers, TRAINED)
        for name, values in together.items():
            mean, highest = values[:, :, number]
            np.testing.assert_allclose(mean, maps[name].mean(axis=(1, 2)), rtol=1e-4, atol=1e-5)
            np.testing.assert_allclose(highest, maps[name].max(axis=(1, 2)), rtol=1e-4)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_not_finite_are_refused_with_layer_and_network(value: float) -> None:
    classifier = network()
    with torch.no_grad():
        convolution(classifier, SECOND).weight[0, 0, 0, 0] = value
    layers = [layer(classifier, FIRST), layer(classifier, SECOND)]
    with refuses("layer-not-finite", SECOND, UNTRAINED):
        feature_maps(classifier, edge(), layers, UNTRAINED)
    with refuses("layer-not-finite", SECOND, UNTRAINED):
        channel_responses(classifier, edge()[None], layers, UNTRAINED)
    with refuses("layer-not-finite", SECOND):
        maximising_inputs(classifier, SECOND, [0], SIZE, Ascent(1))
    assert not any(module._forward_hooks for module in classifier.modules())
    assert classifier.training


def test_a_fitted_input_excites_its_channel_more_than_any_image_at_random() -> None:
    classifier = network()
    fitted = maximising_inputs(classifier, FIRST, [0, 1], SIZE, Ascent(60, 3))
    assert all(one.after > 1.2 * one.before for one in fitted)
    generator = np.random.default_rng(0)
    noise = generator.normal(127.5, 64, (50, SIZE, SIZE)).clip(0, 255).astype(np.uint8)
    with torch.no_grad():
        maps = convolution(classifier, FIRST)(torch.from_numpy(noise[:, None]) / 63.75 - 2)
    random = torch.nn.functional.leaky_relu(maps, 0.1).mean(dim=(2, 3)).amax(dim=0)
    assert [one.after > float(top) for one, top in zip(fitted, random, strict=True)] == [True] * 2
    # The filter sees horizontal edges, so rows differ and columns do not.
    stripes = fitted[0].image.astype(float)
    assert np.abs(np.diff(stripes, axis=0)).mean() > 1.5 * np.abs(np.diff(stripes, axis=1)).mean()


def test_a_fitted_input_follows_from_its_seed_and_has_the_contrast_of_an_image() -> None:
    classifier = network()
    one, two, other = (
        maximising_inputs(classifier, SECOND, [2], SIZE, Ascent(8, seed))[0] for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(one.image, two.image)
    assert (one.image != other.image).any()
    assert one.image.mean() == pytest.approx(127.5, abs=6)
    assert 30 < one.image.std() < 70
    state = torch.get_rng_state()
    maximising_inputs(classifier, SECOND, [2], SIZE, Ascent(1))
    assert torch.equal(state, torch.get_rng_state())


def test_the_inputs_of_filters_are_the_strongest_of_the_first_network() -> None:
    trained, untrained = network(), network(EVEN, HORIZONTAL)
    weight = convolution(trained, SECOND).weight
    with torch.no_grad():
        weight[1, 1] *= 100
    networks = {TRAINED: trained, UNTRAINED: untrained}
    found = filters_of(networks, SECOND, [1, 3], 1)
    assert found is not None
    assert not found.alone
    assert found.inputs[0].tolist() == [1]
    np.testing.assert_array_equal(found.values[TRAINED][0, 0], weight[1, 1].detach())
    stem = filters_of(networks, FIRST, [0, 1], 8)
    assert stem is not None
    assert stem.alone
    np.testing.assert_array_equal(stem.values[UNTRAINED][1, 0], HORIZONTAL)
    assert filters_of(networks, LAST, [0], 8) is None
    assert filters_of(networks, "backbone.layers.1", [0], 8) is None


def test_one_scale_holds_for_both_networks_and_each_factor_is_a_power_of_two() -> None:
    even = np.ones((1, 4, 4), np.float32)
    images = {
        TRAINED: np.concatenate([even, -17 * even, 0 * even]),
        UNTRAINED: np.concatenate([even, 0.2 * even, even]),
    }
    scale = common_scale(images)
    assert scale.limit == 1
    assert scale.factors == {TRAINED: (1, 1 / 16, 1), UNTRAINED: (1, 4, 1)}
    assert [factor_words(one) for one in (1, 4, 1 / 16)] == ["", " x4", " /16"]
    assert common_scale({TRAINED: 0 * even}).limit == 1


def test_colours_are_white_at_0_and_the_same_beyond_the_ends() -> None:
    drawn = signed(np.array([[-9, -1, 0, 1, 9]], np.float32), 1.0)[0].astype(int)
    assert drawn[2].min() > 235
    np.testing.assert_array_equal(drawn[0], drawn[1])
    np.testing.assert_array_equal(drawn[3], drawn[4])
    blue, red = 2, 0
    assert drawn[0][blue] > drawn[0][red]
    assert drawn[4][red] > drawn[4][blue]
    np.testing.assert_array_equal(scale_bar(9)[0, [0, -1]], drawn[[0, 4]])


def test_a_layer_has_drawings_of_both_networks() -> None:
    networks = {TRAINED: network(), UNTRAINED: network(EVEN, HORIZONTAL)}
    layers = [layer(networks[TRAINED], name) for name in (FIRST, LAST)]
    done: list[tuple[int, int]] = []
    extent = Extent(channels=2, closer=1, ascent=Ascent(2))
    first, last = examine(networks, edge(), layers, extent, lambda *now: done.append(now))
    assert done == [(1, 2), (2, 2)]
    assert first.shown == (0, 1)
    assert first.responses[UNTRAINED][0].channel == 1
    drawn = {kind: panels(first, edge(), kind) for kind in KINDS}
    assert all(list(each) == [TRAINED, UNTRAINED] for each in drawn.values())
    for panel in drawn["maps"].values():
        with Image.open(io.BytesIO(png(panel.grid, 256))) as image:
            assert image.size == panel.grid.shape[1::-1]
    assert drawn["maps"][TRAINED].limit == drawn["maps"][UNTRAINED].limit == first.limit
    # The map of the edge, one to one in the drawing: its row is there and orange.
    row = drawn["maps"][TRAINED].grid[14 + 4 * (SIZE // 2) + 1, 8 : 4 * SIZE - 8].astype(int)
    assert (row[:, 0] > row[:, 2] + 50).all()
    assert panels(last, edge(), "filters") == {}
    plain = examine(networks, edge(), layers[:1], Extent(2, 1, None))[0]
    assert panels(plain, edge(), "inputs") == {}
