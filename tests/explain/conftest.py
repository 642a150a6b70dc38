"""A network of two detectors, whose classes are decided by what is planted in an image."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from pulmo.bundle.card import Card
from pulmo.explain.trained.network import TrainedNetwork
from pulmo.models.backbone import Backbone
from pulmo.models.classifier import Classifier
from pulmo.models.head import Head

BLOCK = 8
BRIGHT, STRIPES = (2, 5), (5, 1)
"""Row and column of the blocks that speak for covid and for normal."""


def planted_images(count: int = 1) -> NDArray[np.uint8]:
    """Grey images 64 px wide with a bright block and a striped one; the others are moved."""
    images = np.full((count, 64, 64), 51, np.uint8)
    for number, image in enumerate(images):
        for (row, column), value in ((BRIGHT, 255), (STRIPES, np.tile([0, 102], BLOCK // 2))):
            top, left = BLOCK * ((row + number) % 8), BLOCK * column
            image[top : top + BLOCK, left : left + BLOCK] = value
    return images


def detectors() -> Classifier:
    """A classifier whose first map answers to bright blocks and whose second to stripes."""
    look = nn.Conv2d(1, 2, BLOCK, stride=BLOCK)
    classify = nn.Linear(2, 2, bias=False)
    with torch.no_grad():
        look.weight[0] = 1 / BLOCK**2
        look.weight[1] = torch.tensor([-2.0, 2.0]).repeat(BLOCK // 2) / BLOCK**2
        look.bias.copy_(torch.tensor([-0.5, 0.0]))  # type: ignore[union-attr] # it has one
        classify.weight.copy_(torch.tensor([[0.0, 128.0], [128.0, 0.0]]))
    head = Head({"classify": classify}, flat=False)
    backbone = Backbone(nn.Sequential(look, nn.ReLU()), 2)
    return Classifier(backbone, head, ("normal", "covid"), (0.5, 0.25)).eval()


@pytest.fixture
def planted(plain_card: Card) -> TrainedNetwork:
    """The network of the two detectors, 64 px wide."""
    return TrainedNetwork(detectors(), plain_card)
