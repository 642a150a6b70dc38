"""The optimiser of a stage, and the precision of a run."""

from typing import Any

import torch
from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer

from pulmo.core.training import StageSection, TrainSection
from pulmo.models.classifier import Classifier
from pulmo.train.unfreezing import learning, rate_shares


def make_optimiser(classifier: Classifier, section: TrainSection, stage: StageSection) -> Optimizer:
    """Makes the optimiser of a stage over all parameters that learn in any of its epochs.

    Each of its groups holds parameters of one rate, decayed or not (biases and normalisation layers
    are not), and its `share` of the head's rate.

    Raises:
        UsageError: the stage's rates do not fit the network's layer groups.
    """
    shares = rate_shares(classifier, stage)
    learns = learning(classifier, stage, stage.epochs)
    parts: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in classifier.named_parameters():
        if name in learns:
            decay = section.weight_decay if parameter.ndim > 1 else 0.0
            parts.setdefault((shares[name], decay), []).append(parameter)
    groups: list[dict[str, Any]] = [
        {"params": parameters, "weight_decay": decay, "share": share, "lr": stage.lr * share}
        for (share, decay), parameters in parts.items()
    ]
    if section.optimiser == "sgd":
        momentum = section.momentum
        return SGD(groups, lr=stage.lr, momentum=momentum, nesterov=momentum > 0)
    if section.optimiser == "adamw":
        return AdamW(groups, lr=stage.lr)
    return Adam(groups, lr=stage.lr, amsgrad=section.optimiser == "amsgrad")


def set_rate(optimiser: Optimizer, rate: float) -> None:
    """Sets the head's learning rate, and that of each other group to its share of it."""
    for group in optimiser.param_groups:
        group["lr"] = rate * group["share"]


def use_bfloat16(network: nn.Module, section: TrainSection, device: torch.device) -> bool:
    """Tells whether the run's convolutions are computed in bfloat16.

    `auto` takes it on a GPU or a processor with bfloat16 instructions; on a processor not for a
    network with depthwise convolutions, which are faster in float32 there.
    """
    if section.precision != "auto":
        return section.precision == "bf16"
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    depthwise = any(m.groups > 1 for m in network.modules() if isinstance(m, nn.Conv2d))
    return not depthwise and bool(torch.cpu._is_avx512_bf16_supported())  # noqa: SLF001 - torch offers no public name
