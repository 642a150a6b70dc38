"""SqueezeNet (Iandola et al. 2016), torchvision's, with a one-channel stem."""

from typing import Final

from torch import nn

from pulmo.models.backbone import BACKBONES, Backbone, Grey

CHANNELS = 512

IMAGENET: Final = Grey(0.449, 0.226)
"""What torchvision's weights expect, averaged over RGB."""


def _grey(name: str) -> Backbone:
    from torchvision.models import get_model  # noqa: PLC0415 - takes as long as torch itself

    features = get_model(name, weights=None).features
    stem = features[0]
    # The features of a grey image repeated three times, as timm's stems give them.
    summed = nn.Conv2d(1, stem.out_channels, stem.kernel_size, stem.stride)
    weights = {"weight": stem.weight.sum(dim=1, keepdim=True), "bias": stem.bias}
    summed.load_state_dict(weights)
    features[0] = summed
    return Backbone(features, CHANNELS, grey=IMAGENET)


@BACKBONES.register("squeezenet1_0")
def make_squeezenet1_0() -> Backbone:
    """Makes SqueezeNet 1.0 without its classifier."""
    return _grey("squeezenet1_0")


@BACKBONES.register("squeezenet1_1")
def make_squeezenet1_1() -> Backbone:
    """Makes SqueezeNet 1.1 without its classifier."""
    return _grey("squeezenet1_1")
