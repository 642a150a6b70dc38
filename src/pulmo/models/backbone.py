"""Backbones: networks that turn grey films into feature maps."""

from collections.abc import Callable
from typing import Any

import timm
from timm.models import group_parameters
from torch import Tensor, nn

from pulmo.core.errors import UsageError
from pulmo.core.registry import Registry

BACKBONES: Registry[Callable[[], "Backbone"]] = Registry("network", "pulmo.models.zoo")


class Backbone(nn.Module):
    """A network from [n, 1, height, width] to feature maps [n, channels, rows, columns].

    Attributes:
        channels: number of feature maps.
    """

    channels: int

    def __init__(self, layers: nn.Module, channels: int) -> None:
        """Wraps `layers`, which must give `channels` feature maps."""
        super().__init__()
        self.layers = layers
        self.channels = channels

    def forward(self, films: Tensor) -> Tensor:
        """Returns the feature maps of normalised films."""
        features: Tensor = self.layers(films)
        return features

    def groups(self) -> list[list[str]]:
        """Returns the names of the parameters of each layer group, stem first.

        A group is a child of `layers` that has parameters.
        """
        groups = [
            [f"layers.{child}.{name}" for name, _ in module.named_parameters()]
            for child, module in self.layers.named_children()
        ]
        return [group for group in groups if group]


class TimmBackbone(Backbone):
    """A timm network with a one-channel stem and without its own pooling and classifier.

    timm sums a pretrained stem's weights over RGB, so that a grey film gives the features of the
    same film repeated three times.
    """

    def __init__(self, name: str, *, pretrained: bool) -> None:
        """Makes timm's network `name`; `pretrained` loads its weights from timm's hub."""
        network: Any = timm.create_model(
            name, pretrained=pretrained, in_chans=1, num_classes=0, global_pool=""
        )
        super().__init__(network, network.num_features)
        self._forward_features: Callable[[Tensor], Tensor] = network.forward_features

    def forward(self, films: Tensor) -> Tensor:
        """Returns the feature maps of normalised films."""
        return self._forward_features(films)

    def groups(self) -> list[list[str]]:
        """Returns the names of the parameters of each layer group as timm divides the network."""
        network: Any = self.layers
        parts = group_parameters(network, network.group_matcher(coarse=True))
        return [[f"layers.{name}" for name in parts[key]] for key in sorted(parts)]


def make_backbone(name: str, *, pretrained: bool = False) -> Backbone:
    """Makes a backbone by name.

    Args:
        name: a network of `pulmo.models.zoo` or a timm model name.
        pretrained: load timm's weights, from its hub or the local cache of it.

    Raises:
        UsageError: there is no such network, its weights cannot be had, or it has no feature maps.
    """
    if name in BACKBONES:
        if pretrained:
            raise UsageError(f"{name!r} is not a timm network; weights must be a file or none.")
        return BACKBONES[name]()
    if not timm.is_model(name):
        near = timm.list_models(f"*{name[:6]}*")[:3]
        hint = f" Near it: {', '.join(near)}." if near else ""
        raise UsageError(
            f"There is no network {name!r}: not here ({', '.join(BACKBONES)}), not in timm.{hint}"
        )
    try:
        return TimmBackbone(name, pretrained=pretrained)
    except (OSError, RuntimeError) as error:
        raise UsageError(
            f"timm could not give {name!r}{' with its weights' if pretrained else ''}: {error}. "
            "Without a network connection, set model.weights to a safetensors file."
        ) from error
