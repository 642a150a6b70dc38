"""The training loop: plain PyTorch, with all randomness drawn from (seed, epoch, step)."""

import time
from collections.abc import Callable, Iterator
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
from pulmo.models.randomness import seeded
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
        pictures = len(self.material.train)
        # Batch normalisation needs two pictures in a batch.
        return min(-(-pictures // self.recipe.train.batch), pictures // 2)


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


def infer(
    engine: Engine, rows: NDArray[np.intp]
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Runs the network in evaluation mode, in float32, on some rows, a batch at a time.

    Yields:
        Logits float32 [n, classes] and class activation maps float32 [n, classes, rows, columns].

    Raises:
        InputError: a logit is not a finite number.
    """
    engine.classifier.eval()
    parts = -(-len(rows) // engine.recipe.train.batch)
    # TensorFloat-32 would differ from the bundle in the third digit.
    with torch.no_grad(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        for batch in np.array_split(rows, parts):
            films = to_films(engine.material.pictures.take(batch), engine.device)
            logits, maps = (part.cpu().numpy() for part in engine.classifier.explain(films))
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
    return np.array_split(generator.permutation(engine.material.train), engine.steps)


def _step(
    engine: Engine, rows: NDArray[np.intp], epoch: int, step: int, weights: Tensor | None
) -> float:
    """Makes one step of the optimiser and returns the batch's loss."""
    section = engine.recipe.train
    films = to_films(engine.material.pictures.take(rows), engine.device)
    sequence = np.random.SeedSequence([section.seed, epoch, step])
    # torch takes seeds of 63 bits.
    augmentation, dropout = (int(n) >> 1 for n in sequence.generate_state(2, np.uint64))
    generator = torch.Generator().manual_seed(augmentation)
    shape = (films.shape[0], 1, films.shape[2], films.shape[3])
    films = apply_changes(films, draw_changes(engine.recipe.augment, shape, generator))
    films = films.contiguous(memory_format=torch.channels_last)
    truth = torch.from_numpy(engine.material.truth[rows]).to(engine.device)
    total = section.epochs * engine.steps
    for group in engine.optimiser.param_groups:
        group["lr"] = learning_rate(section, epoch * engine.steps + step, total)
    with seeded(dropout):
        with torch.autocast(engine.device.type, torch.bfloat16, enabled=engine.bfloat16):
            logits = engine.classifier(films)
        loss = cross_entropy(
            logits.float(), truth, weights, label_smoothing=section.label_smoothing
        )
        engine.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
    engine.optimiser.step()
    return loss.item()
