"""Heads of one linear layer."""

from math import prod
from typing import TYPE_CHECKING

from pulmo.core.sections import Fraction
from pulmo.models.heads import HEADS, HeadChoice

if TYPE_CHECKING:
    from pulmo.models.head import Head


@HEADS.register("linear")
class Linear(HeadChoice):
    """Pool, dropout, linear."""

    dropout: Fraction = 0.0
    """Share of the head's inputs that is set to 0 at each training step."""

    def make(self, maps: tuple[int, int, int], classes: int) -> "Head":
        """Makes a head that reads the mean of each map."""
        return _linear(maps[0], classes, self.dropout, flat=False)


@HEADS.register("flatten")
class Flatten(HeadChoice):
    """Dropout and linear, on every position of every map."""

    dropout: Fraction = 0.0
    """Share of the head's inputs that is set to 0 at each training step."""

    def make(self, maps: tuple[int, int, int], classes: int) -> "Head":
        """Makes a head that reads all positions."""
        return _linear(prod(maps), classes, self.dropout, flat=True)


def _linear(width: int, classes: int, dropout: float, *, flat: bool) -> "Head":
    from torch import nn

    from pulmo.models.head import Head

    layers = {"dropout": nn.Dropout(dropout), "classify": nn.Linear(width, classes)}
    return Head(layers, flat=flat)
