"""The learning rate at each step of a stage, in closed form."""

import math

from pulmo.core.training import StageSection

# torch.optim.lr_scheduler.OneCycleLR's defaults.
_START_DIVISOR = 25.0
_END_DIVISOR = 1e4


def learning_rate(stage: StageSection, step: int, steps: int) -> float:
    """Returns the learning rate of the head at a step.

    A closed form, so that a resumed run needs no scheduler's state. one-cycle equals
    `torch.optim.lr_scheduler.OneCycleLR` with cosine annealing (Smith and Topin 2018), cosine
    `CosineAnnealingLR` and step `StepLR`, both stepped as stated in the recipe.

    Args:
        stage: the stage of the recipe.
        step: the step of the stage, from 0.
        steps: steps an epoch.
    """
    total = stage.epochs * steps
    if stage.schedule == "cosine":
        return _cosine(stage.lr, 0.0, step / total)
    if stage.schedule == "step":
        return stage.lr * stage.step_factor ** (step // steps // stage.step_epochs)
    if stage.schedule == "inverse-time":
        return stage.lr / (1 + stage.decay * step)
    return _one_cycle(stage, step, total) if stage.schedule == "one-cycle" else stage.lr


def _one_cycle(stage: StageSection, step: int, total: int) -> float:
    start, end = stage.lr / _START_DIVISOR, stage.lr / _START_DIVISOR / _END_DIVISOR
    # A run of a few steps has no room to rise and starts at the peak.
    peak = max(stage.warmup * total - 1, 0.0)
    if step <= peak:
        return _cosine(start, stage.lr, step / peak) if peak else stage.lr
    return _cosine(stage.lr, end, (step - peak) / (total - 1 - peak))


def _cosine(start: float, end: float, part: float) -> float:
    return end + (start - end) / 2 * (1 + math.cos(math.pi * part))
