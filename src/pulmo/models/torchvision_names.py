"""Tensors in torchvision's names under the names of timm's networks, where these differ.

The names are derived from the given network, so that a file which lacks a part maps all the same.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from torch import Tensor

# What torchvision's MobileNetV3 adds to a variance (mobilenetv3.py, norm_layer), less what timm's.
_MOBILENET_V3_EPSILON = 1e-3 - 1e-5
_MOBILENET_V3 = re.compile(r"features\.\d+\.block\.")
# EfficientNet B4 has so many blocks; torchvision's B5 to B7 add another epsilon too.
_EFFICIENTNET_BLOCKS = 32
# Files from torchvision's site still have the names of its DenseNet of 2017.
_DENSENET_2017 = re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12]\.)")

_INVERTED = re.compile(r"blocks\.(\d+)\.(\d+)\.(conv\w*|bn\d|se\.conv_\w+)")
_CONVNEXT = re.compile(r"stages\.(\d+)\.(?:downsample\.(\d)|blocks\.(\d+)\.(.+))")
_CONVNEXT_BLOCK = {
    "conv_dw": "block.0",
    "norm": "block.2",
    "mlp.fc1": "block.3",
    "mlp.fc2": "block.5",
}


def from_torchvision(
    tensors: Mapping[str, Tensor], target: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Returns the tensors of a file under the names of a network.

    Torchvision's MobileNetV3 adds a larger epsilon to its variances than timm's does; the
    difference is added to the variances, so that the features are the same.

    Args:
        tensors: those of a file; those in the network's own names, or in unknown ones, keep them.
        target: the tensors of the network.
    """
    modules = tuple(dict.fromkeys(name.rpartition(".")[0] for name in target))
    names = _inverted(modules) if "conv_stem" in modules else _convnext(modules)
    is_v3 = "conv_stem" in modules and any(_MOBILENET_V3.match(name) for name in tensors)
    epsilon = _MOBILENET_V3_EPSILON if is_v3 else 0.0
    renamed = {}
    for name, tensor in tensors.items():
        module, _, kind = name.rpartition(".")
        if name in target or module not in names:
            renamed[_DENSENET_2017.sub(r"\1\2", name)] = tensor
        elif kind == "layer_scale":
            renamed[f"{names[module]}.gamma"] = tensor.flatten()
        else:
            fitted = tensor + epsilon if kind == "running_var" else tensor
            renamed[f"{names[module]}.{kind}"] = fitted
    return renamed


def _inverted(modules: Sequence[str]) -> dict[str, str]:
    """Returns torchvision's name -> timm's in MobileNetV2, MobileNetV3 and EfficientNet B0 to B4.

    All are made of inverted residuals, whose parts timm registers in the order of their use.
    MobileNetV2 and V3 count the blocks through, EfficientNet counts stages and the blocks of each.
    """
    blocks: dict[tuple[int, int], list[str]] = {}
    for module in modules:
        if found := _INVERTED.fullmatch(module):
            blocks.setdefault((int(found[1]), int(found[2])), []).append(module)
    if not blocks or any(len(parts) % 2 for parts in blocks.values()):
        return {}  # blocks of another kind
    names = {"features.0.0": "conv_stem", "features.0.1": "bn1"}
    for number, ((stage, place), parts) in enumerate(blocks.items(), start=1):
        for theirs, ours in _parts(parts):
            names[f"features.{number}.conv.{theirs}"] = ours
            names[f"features.{number}.block.{theirs}"] = ours
            if len(blocks) <= _EFFICIENTNET_BLOCKS:
                names[f"features.{stage + 1}.{place}.block.{theirs}"] = ours
        # MobileNetV2 does not nest the last convolution of a block, nor V3 the last of all.
        pairs = len(parts) // 2
        names[f"features.{number}.conv.{pairs - 1}"] = parts[-2]
        names[f"features.{number}.conv.{pairs}"] = parts[-1]
        if pairs == 1:
            names[f"features.{number}.0"], names[f"features.{number}.1"] = parts
    stages = 1 + max(stage for stage, _ in blocks)
    for end in (len(blocks) + 1, stages + 1):
        names |= {f"features.{end}.0": "conv_head", f"features.{end}.1": "bn2"}
    return names


def _parts(parts: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yields torchvision's and timm's name of each part of an inverted residual, in order."""
    for number, pair in enumerate(zip(parts[::2], parts[1::2], strict=True)):
        ends = ("fc1", "fc2") if ".se." in pair[0] else ("0", "1")
        for end, part in zip(ends, pair, strict=True):
            yield f"{number}.{end}", part


def _convnext(modules: Sequence[str]) -> dict[str, str]:
    """Returns torchvision's name -> timm's in ConvNeXt; nothing in other networks."""
    names = {}
    for module in modules:
        if found := _CONVNEXT.fullmatch(module):
            stage, layer, block, part = found.groups()
            if layer is not None:
                names[f"features.{2 * int(stage)}.{layer}"] = module
            elif part in _CONVNEXT_BLOCK:
                place = f"features.{2 * int(stage) + 1}.{block}"
                names[f"{place}.{_CONVNEXT_BLOCK[part]}"] = module
                names[place] = module.removesuffix(f".{part}")
    return names | {"features.0.0": "stem.0", "features.0.1": "stem.1"} if names else {}
