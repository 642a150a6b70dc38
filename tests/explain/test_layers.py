"""Which layer a method reads: of pulmo's networks, of timm's, and where there is none."""

import numpy as np
import pytest
import timm
import torch
from torch import Tensor, nn

from explain.conftest import planted_images
from fixtures.refuses import refuses
from pulmo.core.sections import ModelSection
from pulmo.explain.layers import activations, as_maps, check_name, last_layer, patch_grid
from pulmo.explain.trained.network import TrainedNetwork
from pulmo.models.backbone import BACKBONES
from pulmo.models.classifier import make_classifier

COVID = np.array([1])


@pytest.mark.parametrize("name", [*BACKBONES, "resnet18", "mobilenetv2_100"])
def test_the_maps_that_the_head_reads_are_the_last(name: str) -> None:
    section = ModelSection(backbone=name)
    network = make_classifier(section, ("a", "b"), seed=0, size=64, initial=False).classifier
    assert last_layer(network, 64) == "backbone"


def test_where_they_have_one_position_an_earlier_layer_is_the_last() -> None:
    section = ModelSection(backbone="resnet18")
    network = make_classifier(section, ("a", "b"), seed=0, size=32, initial=False).classifier
    assert network.backbone.grid == (1, 1)
    assert last_layer(network, 32).startswith("backbone.layers.layer3")


def transformer(pool: str = "token") -> nn.Module:
    """A vision transformer; with another pool than its token it has none."""
    made: nn.Module = timm.create_model(
        "vit_tiny_patch16_224",
        img_size=64,
        in_chans=1,
        num_classes=2,
        depth=2,
        global_pool=pool,
        class_token=pool == "token",
    )
    return made.eval()


def test_the_tokens_of_a_transformer_become_maps_where_timm_says_the_grid() -> None:
    network = transformer()
    assert patch_grid(network) == (4, 4, 1)
    # The logits read the class token, so the last block's other tokens count for its attention.
    assert last_layer(network, 64) == "blocks.1.norm1"
    assert last_layer(transformer("avg"), 64) == "blocks"
    tokens = torch.arange(2 * 17 * 3.0).reshape(2, 17, 3)
    maps = as_maps(tokens, (4, 4, 1))
    assert maps is not None
    assert maps.shape == (2, 3, 4, 4)
    assert maps[1, 2, 3, 0] == tokens[1, 1 + 12, 2]


def test_channels_may_be_last() -> None:
    maps = as_maps(torch.zeros(2, 7, 7, 5), None)
    assert maps is not None
    assert maps.shape == (2, 5, 7, 7)
    assert as_maps(torch.zeros(2, 9, 4), None) is None
    assert as_maps(torch.zeros(2, 9, 1, 1), None) is None


def test_a_network_without_maps_is_refused() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(64 * 64, 8), nn.ReLU(), nn.Linear(8, 2))
    with refuses("network-without-maps"):
        last_layer(network, 64)


def test_an_unknown_layer_has_neighbours(planted: TrainedNetwork) -> None:
    with refuses("layer-unknown", "backbone.layers.0"):
        check_name(planted.classifier, "layers.0")
    with refuses("layer-unknown", "backbone"):
        check_name(planted.classifier, "backbon")
    with refuses("layer-unknown"):
        check_name(planted.classifier, "")


def test_a_layer_without_maps_is_refused(planted: TrainedNetwork) -> None:
    with refuses("layer-without-maps", "backbone"):
        activations(planted, "head.classify", planted_images(), COVID)
    planted.classifier.add_module("spare", nn.Conv2d(1, 1, 1))
    with refuses("layer-without-maps", "spare"):
        activations(planted, "spare", planted_images(), COVID)


class Inverting(nn.Module):
    """Works on its input in place, as many activations do."""

    def forward(self, maps: Tensor) -> Tensor:
        return maps.neg_().relu_()


def test_what_works_in_place_changes_no_layer_before_it(planted: TrainedNetwork) -> None:
    before = activations(planted, "backbone.layers.0", planted_images(), COVID)
    layers = planted.classifier.backbone.layers
    assert isinstance(layers, nn.Sequential)
    layers[1] = Inverting()
    after = activations(planted, "backbone.layers.0", planted_images(), COVID)
    np.testing.assert_array_equal(before.maps, after.maps)
    assert before.maps.min() < 0


def test_a_layer_that_the_logit_does_not_depend_on_has_no_gradient(planted: TrainedNetwork) -> None:
    class Beside(nn.Module):
        def __init__(self, inner: nn.Module) -> None:
            super().__init__()
            self.inner, self.unused = inner, nn.Conv2d(1, 3, 5)

        def forward(self, images: Tensor) -> Tensor:
            self.unused(images)
            found: Tensor = self.inner(images)
            return found

    backbone = planted.classifier.backbone
    backbone.layers = Beside(backbone.layers)
    found = activations(planted, "backbone.layers.unused", planted_images(), COVID)
    assert found.maps.any()
    assert not found.gradients.any()
    assert last_layer(planted.classifier, 64) == "backbone"


def test_values_that_are_not_finite_are_refused(planted: TrainedNetwork) -> None:
    with torch.no_grad():
        next(planted.classifier.parameters()).fill_(torch.inf)
    with refuses("layer-not-finite", "backbone"):
        activations(planted, "backbone", planted_images(), COVID)
