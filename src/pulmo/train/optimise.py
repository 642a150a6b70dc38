"""What a stage changes and how fast: layers, rates, optimiser, precision, average of weights."""

from typing import Any, Final

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from pulmo.core.errors import UsageError
from pulmo.core.training import StageSection, TrainSection
from pulmo.models.classifier import Classifier
from pulmo.models.layers import last_layers, layer_groups
from pulmo.train.optimisers import OPTIMISERS
from pulmo.train.schedules import SCHEDULES, Span

_SWA_START: Final = 0.75
"""The part of a stage's epochs before the mean over weights begins (Izmailov et al. 2018, 4.1)."""


def learning(classifier: Classifier, stage: StageSection, epoch: int) -> frozenset[str]:
    """Returns the names of the parameters that learn in an epoch of a stage, from 0."""
    groups = layer_groups(classifier)
    if isinstance(stage.trains, int):
        return last_layers(classifier, stage.trains)
    counts = {"head": 1, "gradual": epoch + 1, "all": len(groups)}
    # More epochs than groups train all of them.
    return frozenset(name for group in groups[-counts[stage.trains] :] for name in group)


def rate_shares(classifier: Classifier, stage: StageSection) -> dict[str, float]:
    """Returns the share of the head's learning rate that each parameter learns with.

    Raises:
        UsageError: the stage's divisors are not as many as the network's layer groups.
    """
    groups = layer_groups(classifier)
    last = len(groups) - 1
    if stage.lr_first is not None:
        shares = [(stage.lr_first / stage.lr) ** (1 - n / last) for n in range(last + 1)]
    elif stage.lr_divisors:
        if len(stage.lr_divisors) != len(groups):
            raise UsageError(
                "layer-groups-differ",
                f"The setting lr_divisors has {len(stage.lr_divisors)} numbers, but the network "
                f"has {len(groups)} layer groups, of which the head is the last.",
            )
        shares = [1 / divisor for divisor in stage.lr_divisors]
    else:
        shares = [1.0] * len(groups)
    return {name: share for group, share in zip(groups, shares, strict=True) for name in group}


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
    return OPTIMISERS.chosen(section.optimiser).make(groups, stage.lr)


def learning_rate(stage: StageSection, step: int, steps: int) -> float:
    """Returns the learning rate of the head at a step.

    Args:
        stage: the stage of the recipe.
        step: the step of the stage, from 0.
        steps: steps an epoch.
    """
    return SCHEDULES.chosen(stage.schedule).rate(stage.lr, step, Span(stage.epochs, steps))


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


def make_average(network: nn.Module, section: TrainSection) -> AveragedModel | None:
    """Returns the average that a stage begins with, or None if the recipe wants none.

    The statistics of batch normalisation are averaged like the weights.
    """
    if section.average == "none":
        return None
    if section.average == "swa":
        return AveragedModel(network, use_buffers=True)
    averaging = get_ema_multi_avg_fn(section.ema_decay)  # type: ignore[no-untyped-call] # torch leaves it untyped
    return AveragedModel(network, multi_avg_fn=averaging, use_buffers=True)


def average_step(average: AveragedModel | None, network: nn.Module, section: TrainSection) -> None:
    """Takes the weights after a step into an exponential average."""
    if average is not None and section.average == "ema":
        average.update_parameters(network)


def average_epoch(
    average: AveragedModel | None, network: nn.Module, section: TrainSection, end: float
) -> None:
    """Takes the weights after an epoch into a mean over epochs.

    Args:
        average: the average of the stage, if any.
        network: its network.
        section: the recipe's training.
        end: the part of the stage's epochs that is done, in (0, 1].
    """
    if average is not None and section.average == "swa" and end > _SWA_START:
        average.update_parameters(network)
