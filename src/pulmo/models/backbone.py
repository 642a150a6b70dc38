"""Backbones: networks that turn grey images into feature maps."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from pulmo.core.errors import UsageError, WeightsError
from pulmo.core.registry import Registry
from pulmo.models.unused import drop_unused, untaped

BACKBONES: Registry[Callable[[], "Backbone"]] = Registry("network", "pulmo.models.zoo")


class Grey(NamedTuple):
    """The mean and the deviation of grey values in [0, 1] that a network's weights expect."""

    mean: float
    std: float


class Backbone(nn.Module):
    """A network from [n, 1, height, width] to feature maps [n, channels, rows, columns].

    Attributes:
        channels: number of feature maps.
        grid: rows and columns of the maps of images of the size that it was made for.
        ignored: names of modules that published weights may hold and that this has not: its
            classifier, and what its features do not need.
        grey: what its pretrained weights expect; None if nobody says.
    """

    channels: int
    grid: tuple[int, int]
    ignored: tuple[str, ...]
    grey: Grey | None

    def __init__(
        self,
        layers: nn.Module,
        channels: int,
        ignored: tuple[str, ...] = (),
        grey: Grey | None = None,
    ) -> None:
        """Wraps `layers`, which must give `channels` feature maps; `make_backbone` tries it."""
        super().__init__()
        self.layers = layers
        self.channels = channels
        self.ignored = ignored
        self.grey = grey

    def forward(self, images: Tensor) -> Tensor:
        """Returns the feature maps of normalised images."""
        features: Tensor = self.layers(images)
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


def make_backbone(name: str, *, pretrained: bool = False, size: int = 224) -> Backbone:
    """Makes a backbone by name, and tries it on one image.

    What its feature maps do not depend on is taken out, so that it is neither kept nor counted.

    Args:
        name: a network of `pulmo.models.zoo` or a timm model name.
        pretrained: load timm's weights, from its hub or the local cache of it.
        size: side of the images in pixels.

    Raises:
        UsageError: there is no such network, it has no published weights, it does not take images
            of this size, or it has no feature maps.
        WeightsError: its weights are not available.
    """
    if pretrained:
        check_pretrained(name)
    try:
        backbone = _make(name, pretrained=pretrained)
    except (AssertionError, OSError, RuntimeError) as error:
        reason = str(error).rstrip(".")
        if pretrained:
            raise WeightsError(
                "weights-unavailable",
                f"The timm network {name!r} could not be created with its weights: {reason}.",
            ) from error
        raise UsageError(
            "backbone-unavailable", f"The timm network {name!r} could not be created: {reason}."
        ) from error
    maps = _try(backbone, name, size)
    backbone.grid = (maps.shape[2], maps.shape[3])
    backbone.ignored += drop_unused(backbone.layers, maps)
    return backbone


def check_pretrained(name: str) -> None:
    """Checks, before any work is done, that a network's published weights are available.

    Raises:
        UsageError: the network has none.
        WeightsError: they are not on this machine, and their host cannot be reached.
    """
    if name in BACKBONES:
        raise UsageError(
            "published-weights-unknown",
            f"{name!r} is not a timm network, so there are no published weights of it. Its "
            "weights must be a file or none.",
        )
    from pulmo.models.published import check_published  # noqa: PLC0415 - see `_make`

    check_published(name)


def _make(name: str, *, pretrained: bool) -> Backbone:
    """Makes a network, one of pulmo's or timm's."""
    if name in BACKBONES:
        return BACKBONES[name]()
    # timm takes seconds, for which a network of pulmo does not wait.
    from pulmo.models.timm_backbone import make_timm_backbone  # noqa: PLC0415 - see above

    return make_timm_backbone(name, pretrained=pretrained)


def _try(backbone: Backbone, name: str, size: int) -> Tensor:
    """Returns the maps of a black image, with the graph that leads to them."""
    mode = backbone.training
    try:
        with torch.enable_grad():
            maps: Any = untaped(backbone.eval(), torch.zeros(1, 1, size, size))
    except (AssertionError, RuntimeError, ValueError) as error:
        reason = str(error).rstrip(".") or "it does not say why"
        raise UsageError(
            "image-size-unsuitable", f"{name!r} does not accept images of {size} pixels: {reason}."
        ) from error
    backbone.train(mode)
    shape = list(maps.shape) if isinstance(maps, Tensor) else f"a {type(maps).__name__}"
    if not isinstance(maps, Tensor) or maps.ndim != 4 or maps.shape[1] != backbone.channels:
        raise UsageError(
            "backbone-without-feature-maps",
            f"{name!r} returns {shape} instead of feature maps [n, {backbone.channels}, rows, "
            "columns]. Choose a convolutional network.",
        )
    return maps
