"""Heads: feature maps become logits, and class activation maps in closed form."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from pulmo.core.errors import UsageError
from pulmo.core.sections import ModelSection

# An ONNX file holds at most 2 GiB, which are so many weights in float32.
_MOST_WEIGHTS = 2**29


class Head(nn.Module, ABC):
    """Reads feature maps and classifies them; knows how each map moves each logit.

    What it reads is the mean of each map, unless a kind of head says otherwise.
    """

    @abstractmethod
    def logits(self, read: Tensor) -> Tensor:
        """Returns logits [n, classes] of what `pool` gave, [n, width]."""

    @abstractmethod
    def gradient(self, read: Tensor) -> Tensor:
        """Returns the derivative of each logit by what `pool` gave, [n, classes, width].

        It is that of evaluation mode.
        """

    def pool(self, maps: Tensor) -> Tensor:
        """Returns what the head reads of maps [n, channels, rows, columns]: [n, width]."""
        return maps.mean(dim=(2, 3))

    def forward(self, maps: Tensor) -> Tensor:
        """Returns logits [n, classes] of feature maps [n, channels, rows, columns]."""
        return self.logits(self.pool(maps))

    def activation(self, maps: Tensor) -> Tensor:
        """Returns the class activation maps [n, classes, rows, columns], in units of the logit.

        With every head these are the products of the maps and the logit's gradient by them, summed
        over the channels (HiResCAM, Draelos and Carin 2020), times the number of positions. So a
        map's mean is what the features add to the logit, to first order; for a linear layer that
        is exact but for the bias.

        Where the head pools, the gradient is the derivative by the pooled feature, spread evenly,
        and this is Grad-CAM before its ReLU (Selvaraju et al. 2017, equations 1 and 2); for a
        linear head it is CAM (Zhou et al. 2016).
        """
        return torch.einsum("nkc,nchw->nkhw", self.gradient(self.pool(maps)), maps)


class Flat(Head):
    """A head that reads every position of every map; it takes maps of one size only."""

    def pool(self, maps: Tensor) -> Tensor:
        """Returns the maps in a row, channel by channel: [n, channels * rows * columns]."""
        return maps.flatten(1)

    def activation(self, maps: Tensor) -> Tensor:
        """Returns the class activation maps, as every head's."""
        gradient = self.gradient(self.pool(maps))
        gradient = gradient.reshape(*gradient.shape[:2], *maps.shape[1:])
        positions = maps.shape[2] * maps.shape[3]
        return torch.einsum("nkchw,nchw->nkhw", gradient, maps) * positions


class LinearHead(Head):
    """Pool, dropout, linear."""

    def __init__(self, width: int, classes: int, dropout: float) -> None:
        """Makes a head that reads `width` numbers."""
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.classify = nn.Linear(width, classes)

    def logits(self, read: Tensor) -> Tensor:
        """Returns logits [n, classes]."""
        result: Tensor = self.classify(self.dropout(read))
        return result

    def gradient(self, read: Tensor) -> Tensor:
        """Returns the weights, which are the same for every picture."""
        return self.classify.weight.expand(read.shape[0], -1, -1)


class FlattenHead(Flat, LinearHead):
    """Flatten, dropout, linear."""


class MlpHead(Head):
    """Pool, linear, ReLU, dropout, linear.

    Published heads on VGG16 that pool its 7x7 maps by one 4x4 window (AveragePooling2D((4, 4)) of
    Keras, at 224 px) read the first four rows and columns only. This one pools all positions.
    """

    def __init__(self, width: int, classes: int, hidden: int, dropout: float) -> None:
        """Makes a head that reads `width` numbers, with `hidden` units between."""
        super().__init__()
        self.hide = nn.Linear(width, hidden)
        self.dropout = nn.Dropout(dropout)
        self.classify = nn.Linear(hidden, classes)

    def logits(self, read: Tensor) -> Tensor:
        """Returns logits [n, classes]."""
        result: Tensor = self.classify(self.dropout(self.hide(read).relu()))
        return result

    def gradient(self, read: Tensor) -> Tensor:
        """Returns the chain rule over the hidden units that are on."""
        on = (self.hide(read) > 0).to(read.dtype)
        result: Tensor = (self.classify.weight * on[:, None]) @ self.hide.weight
        return result


class FlattenMlpHead(Flat):
    """Flatten, linear, ReLU, batch normalisation, dropout, linear."""

    def __init__(self, width: int, classes: int, hidden: int, dropout: float) -> None:
        """Makes a head that reads `width` numbers, with `hidden` units between."""
        super().__init__()
        self.hide = nn.Linear(width, hidden)
        self.norm = nn.BatchNorm1d(hidden)
        self.dropout = nn.Dropout(dropout)
        self.classify = nn.Linear(hidden, classes)

    def logits(self, read: Tensor) -> Tensor:
        """Returns logits [n, classes]."""
        result: Tensor = self.classify(self.dropout(self.norm(self.hide(read).relu())))
        return result

    def gradient(self, read: Tensor) -> Tensor:
        """Returns the chain rule over the hidden units that are on, with the running deviation."""
        on = (self.hide(read) > 0).to(read.dtype)
        deviation = self.norm.get_buffer("running_var").add(self.norm.eps).sqrt()
        scaled = self.classify.weight * self.norm.weight / deviation
        result: Tensor = (scaled * on[:, None]) @ self.hide.weight
        return result


def make_head(section: ModelSection, maps: tuple[int, int, int], classes: int) -> Head:
    """Makes the head of a recipe.

    Args:
        section: the recipe's model.
        maps: channels, rows and columns of the feature maps.
        classes: number of classes.

    Raises:
        UsageError: the head would have more weights than a bundle can hold.
    """
    channels, rows, columns = maps
    width = channels * rows * columns
    dropout, hidden = section.dropout, section.hidden
    if section.head == "linear":
        return LinearHead(channels, classes, dropout)
    if section.head == "mlp":
        return MlpHead(channels, classes, hidden, dropout)
    weights = width * (classes if section.head == "flatten" else hidden)
    if weights > _MOST_WEIGHTS:
        raise UsageError(
            f"The head {section.head!r} over feature maps {list(maps)} would have {weights:,} "
            f"weights; a bundle holds at most {_MOST_WEIGHTS:,}. Choose smaller films "
            '(image.size), fewer hidden units, or a head that pools: "linear" or "mlp".'
        )
    if section.head == "flatten":
        return FlattenHead(width, classes, dropout)
    return FlattenMlpHead(width, classes, hidden, dropout)
