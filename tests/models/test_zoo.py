"""pulmo's own networks against what their authors publish of them."""

import torch
from torch import nn

from pulmo.core.sections import ModelSection
from pulmo.models.classifier import Classifier, make_classifier


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def make(size: int, **section: object) -> Classifier:
    whole = ModelSection.model_validate(section)
    labels = ("covid", "normal", "viral")
    return make_classifier(whole, labels, seed=0, size=size).classifier.eval()


def kinds(network: nn.Module) -> list[str]:
    return [type(layer).__name__ for layer in network.modules() if not list(layer.children())]


def test_the_capstones_baseline_has_its_parameters_but_for_two_channels() -> None:
    classifier = make(128, backbone="capstone-baseline", head="flatten")
    maps = ((128 - 2) // 2 - 2) // 2
    first, second = 6 * 9 + 6 + 2 * 6, 6 * 16 * 9 + 16 + 2 * 16
    assert count(classifier) == first + second + 16 * maps**2 * 3 + 3 == 44_187
    assert count(classifier) + 6 * 2 * 9 == 44_295
    assert kinds(classifier.backbone) == [
        *("Conv2d", "BatchNorm2d", "ReLU", "MaxPool2d"),
        *("Conv2d", "BatchNorm2d", "ReLU", "AvgPool2d"),
    ]


def test_mini_vggnet_has_the_layers_of_its_description() -> None:
    classifier = make(64, backbone="mini-vggnet", head={"name": "flatten-mlp", "dropout": 0.5})
    block = ["Conv2d", "ReLU", "BatchNorm2d"] * 2 + ["MaxPool2d", "Dropout"]
    assert kinds(classifier.backbone) == block * 2
    assert kinds(classifier.head) == ["Linear", "ReLU", "BatchNorm1d", "Dropout", "Linear"]
    convolutions = sum(o * (9 * i + 1) for i, o in ((1, 32), (32, 32), (32, 64), (64, 64)))
    norms = 2 * (32 + 32 + 64 + 64 + 512)
    dense = 64 * 16 * 16 * 512 + 512 + 512 * 3 + 3
    assert count(classifier) == convolutions + norms + dense
    with torch.no_grad():
        assert classifier.features(torch.zeros(1, 1, 64, 64)).shape == (1, 64, 16, 16)
    rates = [m.p for m in classifier.modules() if isinstance(m, nn.Dropout)]
    assert rates == [0.25, 0.25, 0.5]
