"""pulmo's own networks against what their authors publish of them."""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from torchvision.models import resnet18

from pulmo.core.sections import ModelSection
from pulmo.models.backbone import make_backbone
from pulmo.models.classifier import Classifier, make_classifier
from pulmo.models.weights import load_weights


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


def test_a_short_resnet_gives_the_features_of_the_whole_ones_third_stage(tmp_path: Path) -> None:
    """With the same weights, of the same image repeated for three channels."""
    whole = resnet18(weights=None).eval()
    kept: list[torch.Tensor] = []
    whole.layer3.register_forward_hook(lambda _, __, maps: kept.append(maps))
    save_file(whole.state_dict(), tmp_path / "whole.safetensors")
    short = make_backbone("resnet18-layer3", size=96).eval()
    load_weights(short, tmp_path / "whole.safetensors")
    images = torch.rand(2, 1, 96, 96, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        whole(images.repeat(1, 3, 1, 1))
        torch.testing.assert_close(short(images), kept[0], rtol=1e-4, atol=1e-4)
    assert kept[0].shape == (2, short.channels, *short.grid) == (2, 256, 6, 6)
