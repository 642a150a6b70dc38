"""The training loop: plain PyTorch, with all randomness drawn from (seed, epoch, step)."""

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pulmo.bundle.card import Epoch
from pulmo.core.errors import InputError
from pulmo.models.layers import unfreeze
from pulmo.models.randomness import seeded
from pulmo.train.augment import apply_changes, draw_changes
from pulmo.train.average import average_epoch, average_step
from pulmo.train.checkpoint import Progress
from pulmo.train.engine import Engine
from pulmo.train.loss import class_weights, loss_of, mix, shares_of
from pulmo.train.material import class_counts
from pulmo.train.optimise import set_rate
from pulmo.train.sampling import epoch_rows
from pulmo.train.schedule import learning_rate
from pulmo.train.unfreezing import learning


class Watch(NamedTuple):
    """What the caller hears of a run, and how it stops one.

    Attributes:
        on_step: called after each step with the epoch, the step, the steps an epoch and the mean
            loss of the epoch so far.
        on_epoch: called after each epoch.
        should_stop: asked after each step; True ends the run in good order.
    """

    on_step: Callable[[int, int, int, float], None] = lambda *_: None
    on_epoch: Callable[[Epoch], None] = lambda _: None
    should_stop: Callable[[], bool] = lambda: False


def train_epoch(engine: Engine, progress: Progress, watch: Watch) -> bool:
    """Trains from `progress` to the end of its epoch.

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
    while progress.step < len(batches):
        start = time.perf_counter()
        rows = batches[progress.step]
        done = progress.stage_epoch * len(batches) + progress.step
        set_rate(engine.optimiser, learning_rate(engine.stage, done, len(batches)))
        loss = _step(engine, rows, (epoch, progress.step), weights)
        _check_finite(np.array(loss), f"loss in epoch {epoch + 1}, step {progress.step + 1}")
        average_step(engine.average, engine.classifier, recipe.train)
        progress.step += 1
        progress.seen += len(rows)
        progress.loss_sum += loss * len(rows)
        progress.seconds += time.perf_counter() - start
        watch.on_step(epoch, progress.step, len(batches), progress.loss_sum / progress.seen)
        if watch.should_stop():
            return False
    end = (progress.stage_epoch + 1) / engine.stage.epochs
    average_epoch(engine.average, engine.classifier, recipe.train, end)
    return True


def to_films(pictures: NDArray[np.uint8], device: torch.device) -> Tensor:
    """Returns float [n, 1, size, size] in [0, 1] of uint8 [n, size, size]."""
    return torch.from_numpy(pictures[:, None]).to(device).float() / 255


def infer(
    engine: Engine, rows: NDArray[np.intp]
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Runs the network in evaluation mode, in float32, on some rows, a batch at a time.

    Yields:
        Logits float32 [n, classes] and class activation maps float32 [n, classes, rows, columns].

    Raises:
        InputError: a logit is not a finite number.
    """
    network = engine.judged.eval()
    parts = -(-len(rows) // engine.recipe.train.batch)
    # TensorFloat-32 would differ from the bundle in the third digit.
    with torch.no_grad(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        for batch in np.array_split(rows, parts):
            films = to_films(engine.material.pictures.take(batch), engine.device)
            logits, maps = (part.cpu().numpy() for part in network.explain(films))
            _check_finite(logits, "network's result on a validation picture")
            yield logits, maps


def _check_finite(values: NDArray[np.floating], what: str) -> None:
    if not np.isfinite(values).all():
        raise InputError(
            f"The {what} is not a finite number; the learning rate may be too high: try "
            "--set train.lr=..."
        )


def _batches(engine: Engine, epoch: int) -> list[NDArray[np.intp]]:
    """Returns the epoch's rows in random order, in even batches, so that none is a single one."""
    generator = np.random.default_rng([engine.recipe.train.seed, epoch])
    chosen = epoch_rows(engine.truth, engine.times, generator)
    return np.array_split(engine.material.train[chosen], engine.steps)


def _step(
    engine: Engine, rows: NDArray[np.intp], place: tuple[int, int], weights: Tensor | None
) -> float:
    """Makes one step of the optimiser at `place` (epoch, step) and returns the batch's loss."""
    section, classes = engine.recipe.train, len(engine.recipe.labels.order)
    films = to_films(engine.material.pictures.take(rows), engine.device)
    sequence = np.random.SeedSequence([section.seed, *place])
    # torch takes seeds of 63 bits.
    augmentation, dropout, mixing = (int(n) >> 1 for n in sequence.generate_state(3, np.uint64))
    generator = torch.Generator().manual_seed(augmentation)
    shape = (films.shape[0], 1, films.shape[2], films.shape[3])
    films = apply_changes(films, draw_changes(engine.recipe.augment, shape, generator))
    shares = shares_of(torch.from_numpy(engine.material.truth[rows]).to(engine.device), classes)
    films, shares = mix(films, shares, section.mixup, np.random.default_rng(mixing))
    films = films.contiguous(memory_format=torch.channels_last)
    with seeded(dropout):
        with torch.autocast(engine.device.type, torch.bfloat16, enabled=engine.bfloat16):
            logits = engine.classifier(films)
        loss = loss_of(logits.float(), shares, weights, section)
        engine.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
    engine.optimiser.step()
    return loss.item()
