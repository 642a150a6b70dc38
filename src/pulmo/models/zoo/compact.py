"""A small residual network for small images and quick trials."""

from torch import Tensor, nn

from pulmo.models.backbone import BACKBONES, Backbone


class Block(nn.Module):
    """Two 3x3 convolutions and a shortcut (He et al. 2016), halving the image by `stride`."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        """Makes a block from `inputs` to `outputs` channels."""
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.shortcut = nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
        )
        self.activation = nn.ReLU()

    def forward(self, maps: Tensor) -> Tensor:
        """Returns maps [n, outputs, rows / stride, columns / stride]."""
        result: Tensor = self.activation(self.body(maps) + self.shortcut(maps))
        return result


@BACKBONES.register("compact")
def compact() -> Backbone:
    """Makes the network: 0.3 million parameters, feature maps an eighth of the side."""
    widths = (16, 32, 64, 128)
    stem = nn.Sequential(
        nn.Conv2d(1, widths[0], 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(widths[0]),
        nn.ReLU(),
    )
    blocks = [
        Block(inputs, outputs, stride)
        for inputs, outputs, stride in zip(widths, widths[1:], (2, 2, 1), strict=False)
    ]
    return Backbone(nn.Sequential(stem, *blocks), widths[-1])
