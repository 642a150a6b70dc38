"""MiniVGGNet: four convolutions after VGG (Simonyan and Zisserman 2015)."""

from torch import nn

from pulmo.models.backbone import BACKBONES, Backbone


def _block(inputs: int, outputs: int) -> nn.Sequential:
    """Makes two 3x3 convolutions, each with ReLU and normalisation, that halve the image."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1),
        nn.ReLU(),
        nn.BatchNorm2d(outputs),
        nn.Conv2d(outputs, outputs, 3, padding=1),
        nn.ReLU(),
        nn.BatchNorm2d(outputs),
        nn.MaxPool2d(2),
        nn.Dropout(0.25),
    )


@BACKBONES.register("mini-vggnet")
def make_mini_vggnet() -> Backbone:
    """Makes the network; its own head is `flatten-mlp` with 512 hidden units and dropout 0.5."""
    return Backbone(nn.Sequential(_block(1, 32), _block(32, 64)), 64)
