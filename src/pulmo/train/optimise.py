"""Optimisers, the learning rate at each step, and the loss."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import SGD, Adam, AdamW, Optimizer

from pulmo.core.sections import TrainSection

# torch.optim.lr_scheduler.OneCycleLR's defaults.
_START_DIVISOR = 25.0
_END_DIVISOR = 1e4


def make_optimiser(network: nn.Module, section: TrainSection) -> Optimizer:
    """Makes the optimiser; biases and normalisation layers are not decayed."""
    decayed = [p for p in network.parameters() if p.ndim > 1]
    free = [p for p in network.parameters() if p.ndim <= 1]
    groups = [
        {"params": decayed, "weight_decay": section.weight_decay},
        {"params": free, "weight_decay": 0.0},
    ]
    if section.optimiser == "sgd":
        return SGD(groups, lr=section.lr, momentum=0.9, nesterov=True)
    return (AdamW if section.optimiser == "adamw" else Adam)(groups, lr=section.lr)


def learning_rate(section: TrainSection, step: int, total: int) -> float:
    """Returns the learning rate of a step.

    A closed form, so that a resumed run needs no scheduler's state. one-cycle equals
    `torch.optim.lr_scheduler.OneCycleLR` with cosine annealing (Smith and Topin 2018).

    Args:
        section: the recipe's training.
        step: the step, from 0.
        total: all steps of the run.
    """
    if section.schedule == "constant":
        return section.lr
    start, end = section.lr / _START_DIVISOR, section.lr / _START_DIVISOR / _END_DIVISOR
    # A run of a few steps has no room to rise and starts at the peak.
    peak = max(section.warmup * total - 1, 0.0)
    if step <= peak:
        return _cosine(start, section.lr, step / peak) if peak else section.lr
    return _cosine(section.lr, end, (step - peak) / (total - 1 - peak))


def _cosine(start: float, end: float, part: float) -> float:
    return end + (start - end) / 2 * (1 + math.cos(math.pi * part))


def class_weights(counts: NDArray[np.int64], section: TrainSection) -> Tensor | None:
    """Returns float [classes], n / (classes * n of the class) if balanced, else None."""
    if section.class_weights == "none":
        return None
    return torch.tensor(counts.sum() / (len(counts) * counts), dtype=torch.float32)


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
