"""The network that finds the lungs: a small U-Net."""

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional

from pulmo.models.randomness import seeded

_WIDTHS = (16, 32, 64, 96, 96)
"""Channels at 1/2, 1/4, 1/8, 1/16 and 1/32 of the side: multiples of 16, since ONNX Runtime fills
others up to as many as a processor takes at once."""


class Block(nn.Module):
    """Two 3x3 convolutions and a shortcut (He et al. 2016), the first one with a stride."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        """Makes a block from `inputs` to `outputs` channels."""
        super().__init__()
        self.first = _convolution(inputs, outputs, 3, stride)
        self.second = _convolution(outputs, outputs, 3)
        self.shortcut = (
            nn.Identity() if (inputs, stride) == (outputs, 1) else _convolution(inputs, outputs, 1)
        )
        self.stride = stride

    def forward(self, maps: Tensor) -> Tensor:
        """Returns maps [n, outputs, rows / stride, columns / stride]."""
        short = functional.avg_pool2d(maps, self.stride) if self.stride > 1 else maps
        result = self.second(functional.relu(self.first(maps))) + self.shortcut(short)
        return functional.relu(result)


class LungNetwork(nn.Module):
    """From grey images to logits of lung, a pixel each (Ronneberger et al. 2015).

    The first convolution halves the side and the last one gives four pixels for each place (Shi et
    al. 2016), so that nothing is computed at full size. What comes up is added to what went down,
    not joined to it. Each image is standardised first: its brightness and contrast do not matter.
    0.7 million weights.
    """

    def __init__(self) -> None:
        """Makes the network with random weights."""
        super().__init__()
        first = _WIDTHS[0]
        self.stem = nn.Sequential(_convolution(1, first, 5, 2), nn.ReLU(), Block(first, first))
        pairs = list(pairwise(_WIDTHS))
        self.down = nn.ModuleList([Block(above, below, 2) for above, below in pairs])
        self.context = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(_WIDTHS[-1], _WIDTHS[-1], 1)
        )
        self.narrow = nn.ModuleList([_convolution(below, above, 1) for above, below in pairs])
        self.up = nn.ModuleList([Block(above, above) for above, _ in pairs])
        self.last = nn.Conv2d(first, 4, 3, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        """Returns logits float [n, 1, side, side] of images float [n, 1, side, side].

        Args:
            images: black 0 and white 1, the side a multiple of 32.
        """
        mean = images.mean(dim=(2, 3), keepdim=True)
        spread = (images - mean).square().mean(dim=(2, 3), keepdim=True).sqrt()
        maps = self.stem((images - mean) / (spread + 0.02))
        kept: list[Tensor] = []
        for down in self.down:
            kept.append(maps)
            maps = down(maps)
        maps = functional.relu(maps + self.context(maps))
        for level in reversed(range(len(kept))):
            raised = functional.interpolate(self.narrow[level](maps), scale_factor=2.0)
            maps = self.up[level](functional.relu(raised + kept[level]))
        logits: Tensor = functional.pixel_shuffle(self.last(maps), 2)
        return logits


def _convolution(inputs: int, outputs: int, side: int, stride: int = 1) -> nn.Sequential:
    """Returns a convolution that keeps the size, but for its stride, and its normalisation."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, side, stride, padding=side // 2, bias=False),
        nn.BatchNorm2d(outputs),
    )


def make_lung_network(seed: int) -> LungNetwork:
    """Makes the network with random weights that follow from a seed alone."""
    with seeded(seed):
        return LungNetwork()
