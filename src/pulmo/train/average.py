"""Averages of the weights over the steps or the epochs of a stage."""

from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from pulmo.core.training import TrainSection

# The part of a stage's epochs before the mean over its weights begins (Izmailov et al. 2018, 4.1).
_SWA_START = 0.75


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
