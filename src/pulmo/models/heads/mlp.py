"""Heads with a hidden layer."""

from math import prod
from typing import TYPE_CHECKING

from pulmo.core.sections import Count, Fraction
from pulmo.models.heads import HEADS, HeadChoice

if TYPE_CHECKING:
    from pulmo.models.head import Head


@HEADS.register("mlp")
class Mlp(HeadChoice):
    """Pool, linear, ReLU, dropout, linear.

    Published heads on VGG16 that pool its 7x7 maps by one 4x4 window (AveragePooling2D((4, 4)) of
    Keras, at 224 px) read the first four rows and columns only. This one pools all positions.
    """

    hidden: Count = 512
    """Width of the hidden layer."""
    dropout: Fraction = 0.0
    """Share of the hidden units that is set to 0 at each training step."""

    def make(self, maps: tuple[int, int, int], classes: int) -> "Head":
        """Makes a head that reads the mean of each map."""
        from torch import nn

        from pulmo.models.head import Head

        layers = {
            "hide": nn.Linear(maps[0], self.hidden),
            "relu": nn.ReLU(),
            "dropout": nn.Dropout(self.dropout),
            "classify": nn.Linear(self.hidden, classes),
        }
        return Head(layers, flat=False)


@HEADS.register("flatten-mlp")
class FlattenMlp(HeadChoice):
    """Linear on every position of every map, ReLU, batch normalisation, dropout, linear."""

    hidden: Count = 512
    """Width of the hidden layer."""
    dropout: Fraction = 0.0
    """Share of the hidden units that is set to 0 at each training step."""

    def make(self, maps: tuple[int, int, int], classes: int) -> "Head":
        """Makes a head that reads all positions."""
        from torch import nn

        from pulmo.models.head import Head

        layers = {
            "hide": nn.Linear(prod(maps), self.hidden),
            "relu": nn.ReLU(),
            "norm": nn.BatchNorm1d(self.hidden),
            "dropout": nn.Dropout(self.dropout),
            "classify": nn.Linear(self.hidden, classes),
        }
        return Head(layers, flat=True)
