"""The two-convolution baseline of the COVID-19 capstone study (hieu2695)."""

from torch import nn

from pulmo.models.backbone import BACKBONES, Backbone


@BACKBONES.register("capstone-baseline")
def make_capstone_baseline() -> Backbone:
    """Makes the network: two convolutions without padding; its own head is `flatten`.

    With that head and three classes at 128 px it has 44,187 parameters. The study's has 44,295: its
    first convolution sees a grey image as three equal channels, which take 6 * 2 * 9 = 108 weights
    more and add nothing.
    """
    first = nn.Sequential(nn.Conv2d(1, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2))
    second = nn.Sequential(nn.Conv2d(6, 16, 3), nn.BatchNorm2d(16), nn.ReLU(), nn.AvgPool2d(2))
    return Backbone(nn.Sequential(first, second), 16)
