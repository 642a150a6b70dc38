from collections.abc import Callable
from typing import Any

import pytest
import torch
import torchvision
from torch import Tensor, nn

from pulmo.models.backbone import make_backbone
from pulmo.models.unused import drop_unused, untaped


class Branches(nn.Module):
    """A network that uses `left` and, of `right`, the first layer."""

    def __init__(self) -> None:
        super().__init__()
        self.left = nn.Conv2d(1, 2, 3)
        self.right = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
        self.rest = nn.Sequential(nn.ReLU(), nn.Linear(2, 2))
        self.activation = nn.ReLU()

    def forward(self, images: Tensor) -> Tensor:
        result: Tensor = self.activation(self.left(images) + self.right[0](images))
        return result


def test_what_a_result_does_not_depend_on_is_taken_out() -> None:
    network = Branches()
    before = network(torch.ones(1, 1, 8, 8))
    dropped = drop_unused(network, untaped(network, torch.zeros(1, 1, 8, 8)))
    assert dropped == ("right.1", "rest")
    assert set(network.state_dict()) == {
        f"{layer}.{kind}" for layer in ("left", "right.0") for kind in ("weight", "bias")
    }
    assert torch.equal(network(torch.ones(1, 1, 8, 8)), before)
    assert isinstance(network.activation, nn.ReLU)


def test_the_graph_keeps_no_activations() -> None:
    result = untaped(Branches(), torch.zeros(1, 1, 8, 8))
    with pytest.raises(RuntimeError, match="without its activations"):
        result.sum().backward()  # type: ignore[no-untyped-call] # torch leaves it untyped


@pytest.mark.parametrize(
    ("name", "dropped", "theirs"),
    [
        ("vgg16", "pre_logits", torchvision.models.vgg16),
        ("mobilenetv3_large_100", "conv_head", torchvision.models.mobilenet_v3_large),
        ("convnext_tiny", "head", torchvision.models.convnext_tiny),
    ],
)
def test_networks_of_timm_hold_the_weights_of_their_features_only(
    name: str, dropped: str, theirs: Callable[..., Any]
) -> None:
    """As many as torchvision's, but for the stem, which sees one channel for three."""
    backbone = make_backbone(name)
    features = theirs(weights=None).features
    stem = next(features.parameters())
    assert dropped in backbone.ignored
    assert count(backbone) == count(features) - stem.numel() * 2 // 3


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())
