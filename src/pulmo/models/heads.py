"""Heads: feature maps become logits, and class activation maps in closed form."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn


class Head(nn.Module, ABC):
    """Pools feature maps and classifies them; knows how each map moves each logit."""

    @abstractmethod
    def logits(self, pooled: Tensor) -> Tensor:
        """Returns logits [n, classes] of pooled features [n, channels]."""

    @abstractmethod
    def gradient(self, pooled: Tensor) -> Tensor:
        """Returns the derivative of each logit by each pooled feature, [n, classes, channels]."""

    def forward(self, maps: Tensor) -> Tensor:
        """Returns logits [n, classes] of feature maps [n, channels, rows, columns]."""
        return self.logits(maps.mean(dim=(2, 3)))

    def activation(self, maps: Tensor) -> Tensor:
        """Returns the class activation maps [n, classes, rows, columns], in units of the logit.

        These are Grad-CAM's sums before its ReLU (Selvaraju et al. 2017, equations 1 and 2), times
        the number of positions: the gradient of a logit by a feature map is, under average
        pooling, its derivative by the pooled feature, spread evenly. So a map's mean is what the
        features add to the logit, to first order; for a linear head this is CAM (Zhou et al. 2016)
        and exact but for the bias.
        """
        weights = self.gradient(maps.mean(dim=(2, 3)))
        return torch.einsum("nkc,nchw->nkhw", weights, maps)


class LinearHead(Head):
    """Pool, dropout, linear."""

    def __init__(self, channels: int, classes: int, dropout: float) -> None:
        """Makes a head over `channels` feature maps."""
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.classify = nn.Linear(channels, classes)

    def logits(self, pooled: Tensor) -> Tensor:
        """Returns logits [n, classes]."""
        result: Tensor = self.classify(self.dropout(pooled))
        return result

    def gradient(self, pooled: Tensor) -> Tensor:
        """Returns the weights, which are the same for every picture."""
        return self.classify.weight.expand(pooled.shape[0], -1, -1)


class MlpHead(Head):
    """Pool, linear, ReLU, dropout, linear."""

    def __init__(self, channels: int, classes: int, hidden: int, dropout: float) -> None:
        """Makes a head over `channels` feature maps with `hidden` units between."""
        super().__init__()
        self.hide = nn.Linear(channels, hidden)
        self.dropout = nn.Dropout(dropout)
        self.classify = nn.Linear(hidden, classes)

    def logits(self, pooled: Tensor) -> Tensor:
        """Returns logits [n, classes]."""
        result: Tensor = self.classify(self.dropout(self.hide(pooled).relu()))
        return result

    def gradient(self, pooled: Tensor) -> Tensor:
        """Returns the chain rule over the hidden units that are on."""
        on = (self.hide(pooled) > 0).to(pooled.dtype)
        return torch.einsum("kj,nj,jc->nkc", self.classify.weight, on, self.hide.weight)
