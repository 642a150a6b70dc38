"""The training loop: plain PyTorch, with all randomness drawn from (seed, epoch, step)."""

import time
from collections.abc import Callable
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from pulmo.models.layers import unfreeze
from pulmo.train.checkpoint import Progress
from pulmo.train.engine import Engine
from pulmo.train.infer import check_finite
from pulmo.train.loss import class_weights
from pulmo.train.material import class_counts
from pulmo.train.optimise import average_epoch, average_step, learning, learning_rate, set_rate
from pulmo.train.sampling import epoch_rows
from pulmo.train.step import Forward, make_step
from pulmo.train.watch import Watch

_BETWEEN: Final = 600.0
"""Seconds of an epoch after which its progress is kept."""


def train_epoch(
    engine: Engine, progress: Progress, watch: Watch, keep: Callable[[], None] = lambda: None
) -> bool:
    """Trains from `progress` to the end of its epoch.

    Args:
        engine: what a step works with.
        progress: where the run is; it is moved on.
        watch: hears of the steps and may stop the run.
        keep: called every ten minutes, to write a checkpoint.

    Returns:
        Whether the epoch is complete; False if the caller asked to stop.

    Raises:
        InputError: the loss is not a finite number.
    """
    recipe, epoch = engine.recipe, progress.epoch
    batches = _batches(engine, epoch)
    counts = class_counts(engine.truth, len(recipe.labels.order))
    weights = class_weights(counts, recipe.labels.order, recipe.train)
    weights = None if weights is None else weights.to(engine.device)
    unfreeze(engine.classifier, learning(engine.classifier, engine.stage, progress.stage_epoch))
    network = engine.team.spread(Forward(engine))
    kept = time.monotonic()
    while progress.step < len(batches):
        start = time.perf_counter()
        done = progress.stage_epoch * len(batches) + progress.step
        set_rate(engine.optimiser, learning_rate(engine.stage, done, len(batches)))
        loss, right = make_step(engine, network, batches[progress.step], progress, weights)
        check_finite(np.array(loss), f"loss in epoch {epoch + 1}, step {progress.step + 1}")
        average_step(engine.average, engine.classifier, recipe.train)
        progress.seen += len(batches[progress.step])
        progress.loss_sum += loss * len(batches[progress.step])
        progress.right += right
        progress.step += 1
        progress.seconds += time.perf_counter() - start
        watch.on_step(epoch, progress.step, len(batches), progress.loss_sum / progress.seen)
        # All of a team stop at the same step.
        if engine.team.sum(torch.tensor(float(watch.should_stop()), device=engine.device)):
            return False
        if time.monotonic() - kept > _BETWEEN:
            keep()
            kept = time.monotonic()
    end = (progress.stage_epoch + 1) / engine.stage.epochs
    average_epoch(engine.average, engine.classifier, recipe.train, end)
    return True


def _batches(engine: Engine, epoch: int) -> list[NDArray[np.intp]]:
    """Returns the epoch's training pictures, counted from 0, in random order and even batches.

    So no batch is a single picture.
    """
    generator = np.random.default_rng([engine.recipe.train.seed, epoch])
    return np.array_split(epoch_rows(engine.truth, engine.times, generator), engine.steps)
