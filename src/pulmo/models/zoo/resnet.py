"""ResNet (He et al. 2016), torchvision's, with a one-channel stem and without its last stage."""

from typing import Final

from torch import nn

from pulmo.models.backbone import BACKBONES, Backbone, Grey

CHANNELS: Final = 256

IMAGENET: Final = Grey(0.449, 0.226)
"""What torchvision's weights expect, averaged over RGB."""

STAGES: Final = ("bn1", "relu", "maxpool", "layer1", "layer2", "layer3")


@BACKBONES.register("resnet18-layer3")
def make_resnet18_layer3() -> Backbone:
    """Makes the stem and three of four stages of ResNet18: 2.8 of 11.2 million weights.

    Its feature maps have twice the rows and columns of the whole network's, one for each 16 x 16
    pixels. Weights of the whole network fit; what they hold of the last stage is passed over.
    """
    from torchvision.models import resnet18  # noqa: PLC0415 - takes as long as torch itself

    network = resnet18(weights=None)
    layers = nn.Sequential()
    layers.add_module("conv1", nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3, bias=False))
    for stage in STAGES:
        layers.add_module(stage, network.get_submodule(stage))
    return Backbone(layers, CHANNELS, ignored=("layer4", "fc"), grey=IMAGENET)
