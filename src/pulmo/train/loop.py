"""The training loop: plain PyTorch, with all randomness drawn from (seed, epoch, step)."""

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.optim import Optimizer

from pulmo.bundle.card import Epoch
from pulmo.core.errors import InputError
from pulmo.core.recipe import Recipe
from pulmo.models.classifier import Classifier
from pulmo.train.augment import apply_changes, draw_changes
from pulmo.train.checkpoint import Progress
from pulmo.train.material import Material, class_counts
from pulmo.train.optimise import class_weights, learning_rate


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


class Engine(NamedTuple):
    """What a step works with.

    Attributes:
        recipe: the experiment.
        material: its pictures.
        classifier: the network, changed by each step.
        optimiser: its optimiser, likewise.
        device: where the network is.
        bfloat16: whether convolutions are computed in bfloat16.
    """

    recipe: Recipe
    material: Material
    classifier: Classifier
    optimiser: Optimizer
    device: torch.device
    bfloat16: bool

    @property
    def steps(self) -> int:
        """Steps an epoch."""
        return -(-len(self.material.train) // self.recipe.train.batch)


def train_epoch(engine: Engine, progress: Progress, watch: Watch) -> bool:
    """Trains from `progress` to the end of its epoch.

    Returns:
        Whether the epoch is complete; False if the caller asked to stop.

    Raises:
        InputError: the loss is not a finite number.
    """
    recipe, epoch = engine.recipe, progress.epoch
    batches = _batches(engine, epoch)
    counts = class_counts(engine.material.truth[engine.material.train], len(recipe.labels.order))
    weights = class_weights(counts, recipe.train)
    weights = None if weights is None else weights.to(engine.device)
    engine.classifier.train()
    while progress.step < engine.steps:
        start = time.perf_counter()
        rows = batches[progress.step]
        loss = _step(engine, rows, epoch, progress.step, weights)
        _check_finite(np.array(loss), f"loss in epoch {epoch + 1}, step {progress.step + 1}")
        progress.step += 1
        progress.seen += len(rows)
        progress.loss_sum += loss * len(rows)
        progress.seconds += time.perf_counter() - start
        watch.on_step(epoch, progress.step, engine.steps, progress.loss_sum / progress.seen)
        if watch.should_stop():
            return False
    return True


def to_films(pictures: NDArray[np.uint8], device: torch.device) -> Tensor:
    """Returns float [n, 1, size, size] in [0, 1] of uint8 [n, size, size]."""
    return torch.from_numpy(pictures[:, None]).to(device).float() / 255


def infer(engine: Engine, rows: NDArray[np.intp]) -> tuple[NDArray[np.float32], list[Tensor]]:
    """Runs the network in evaluation mode, in float32, on some rows.

    Returns:
        Logits float32 [n, classes], and the class activation maps of each batch.

    Raises:
        InputError: a logit is not a finite number.
    """
    engine.classifier.eval()
    logits, maps = [], []
    with torch.no_grad():
        for batch in np.array_split(rows, -(-len(rows) // engine.recipe.train.batch)):
            films = to_films(engine.material.pictures.take(batch), engine.device)
            part, activation = engine.classifier.explain(films)
            logits.append(part.cpu().numpy())
            maps.append(activation.cpu())
    together = np.concatenate(logits)
    _check_finite(together, "network's result on a validation picture")
    return together, maps


def _check_finite(values: NDArray[np.floating], what: str) -> None:
    if not np.isfinite(values).all():
        raise InputError(
            f"The {what} is not a finite number; the learning rate may be too high: try "
            "--set train.lr=..."
        )


def _batches(engine: Engine, epoch: int) -> list[NDArray[np.intp]]:
    """Returns the epoch's rows in random order, in even batches, so that none is a single one."""
    generator = np.random.default_rng([engine.recipe.train.seed, epoch])
    return np.array_split(generator.permutation(engine.material.train), engine.steps)


def _step(
    engine: Engine, rows: NDArray[np.intp], epoch: int, step: int, weights: Tensor | None
) -> float:
    """Makes one step of the optimiser and returns the batch's loss."""
    section = engine.recipe.train
    films = to_films(engine.material.pictures.take(rows), engine.device)
    seed = np.random.SeedSequence([section.seed, epoch, step]).generate_state(1, np.uint64)[0]
    generator = torch.Generator().manual_seed(int(seed) >> 1)
    shape = (films.shape[0], 1, films.shape[2], films.shape[3])
    films = apply_changes(films, draw_changes(engine.recipe.augment, shape, generator))
    films = films.contiguous(memory_format=torch.channels_last)
    truth = torch.from_numpy(engine.material.truth[rows]).to(engine.device)
    total = section.epochs * engine.steps
    for group in engine.optimiser.param_groups:
        group["lr"] = learning_rate(section, epoch * engine.steps + step, total)
    # Dropout draws from the process's generator, which is lent a seed for this step and put back.
    with torch.random.fork_rng():
        torch.manual_seed(int(seed) >> 1)
        with torch.autocast(engine.device.type, torch.bfloat16, enabled=engine.bfloat16):
            logits = engine.classifier(films)
        loss = cross_entropy(
            logits.float(), truth, weights, label_smoothing=section.label_smoothing
        )
        engine.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
    engine.optimiser.step()
    return loss.item()
