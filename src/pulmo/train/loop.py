"""The training loop: plain PyTorch, with all randomness drawn from (seed, epoch, step)."""

import time
from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, balanced_accuracy_score, log_loss
from torch import Tensor, nn

from pulmo.bundle.card import Epoch
from pulmo.bundle.outcome import probabilities
from pulmo.models.layers import unfreeze
from pulmo.models.randomness import seeded
from pulmo.train.augment import Edge, apply_changes, draw_changes
from pulmo.train.callbacks import Callbacks, StepDone
from pulmo.train.checkpoint import Progress
from pulmo.train.criterion import is_better
from pulmo.train.engine import Engine, Forward, check_finite, images_of, infer
from pulmo.train.loss import LossWeights, inferred, loss_of, mass_of, mix, shares_of, weights_of
from pulmo.train.optimise import average_epoch, average_step, learning, learning_rate, set_rate
from pulmo.train.training_data import epoch_rows

_CHECKPOINT_SECONDS: Final = 600.0
"""Seconds of an epoch after which a checkpoint is due."""


def train_epoch(
    engine: Engine,
    progress: Progress,
    callbacks: Callbacks,
    write_checkpoint: Callable[[], None] = lambda: None,
) -> bool:
    """Trains from `progress` to the end of its epoch.

    Args:
        engine: what a step works with.
        progress: where the run is; it is moved on.
        callbacks: hear of the steps and may stop the run.
        write_checkpoint: called every ten minutes.

    Returns:
        Whether the epoch is complete; False if the caller asked to stop.

    Raises:
        DivergedError: the loss is not a finite number.
    """
    recipe, epoch = engine.recipe, progress.epoch
    batches = _batches(engine, epoch)
    weights = weights_of(engine)
    unfreeze(engine.classifier, learning(engine.classifier, engine.stage, progress.stage_epoch))
    network = engine.team.spread(Forward(engine))
    written = time.monotonic()
    epochs = sum(stage.epochs for stage in recipe.train.plan)
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
        mean = progress.loss_sum / progress.seen
        callbacks.on_step(StepDone(progress.step, len(batches), epoch, epochs, mean))
        # All of a team stop at the same step.
        if engine.team.sum(torch.tensor(float(callbacks.should_stop()), device=engine.device)):
            return False
        if time.monotonic() - written > _CHECKPOINT_SECONDS:
            write_checkpoint()
            written = time.monotonic()
    end = (progress.stage_epoch + 1) / engine.stage.epochs
    average_epoch(engine.average, engine.classifier, recipe.train, end)
    return True


class Step(NamedTuple):
    """What a step has seen of its batch, before it changed the network.

    Attributes:
        loss: the batch's loss.
        right: images whose largest logit is that of their class, or of one of their classes; it
            says nothing of mixed images.
    """

    loss: float
    right: float


def make_step(
    engine: Engine,
    network: nn.Module,
    positions: NDArray[np.intp],
    progress: Progress,
    weights: LossWeights,
) -> Step:
    """Makes one step of the optimiser.

    A process of a team sees its part of the batch. All randomness but dropout's is drawn for the
    whole batch, and the loss is divided by the whole batch's weight, so a team makes the step that
    one process would.

    Args:
        engine: what the step works with.
        network: its `Forward`, spread over the team.
        positions: int [n], the images of the batch, counted among the training images.
        progress: the epoch and the step.
        weights: what the loss takes into account of the training images.
    """
    section, team = engine.recipe.train, engine.team
    sequence = np.random.SeedSequence([section.seed, progress.epoch, progress.step])
    # torch takes seeds of 63 bits.
    augmentation, dropout, mixing = (int(n) >> 1 for n in sequence.generate_state(3, np.uint64))
    mine = team.part(len(positions))
    truth = torch.from_numpy(engine.truth[positions]).to(engine.device)
    shares = shares_of(truth, weights.members)
    if weights.images is not None:
        shares = shares * weights.images[positions, None]
    mass = mass_of(shares, weights.classes)
    if section.mixup:
        # An image may be mixed with one of another process's part.
        whole = _inputs(engine, positions, np.arange(len(positions)), progress, augmentation)
        whole, shares = mix(whole, shares, section.mixup, np.random.default_rng(mixing))
        inputs = whole[mine]
    else:
        inputs = _inputs(engine, positions, mine, progress, augmentation)
    if engine.features is None:
        inputs = inputs.contiguous(memory_format=torch.channels_last)
    with seeded(dropout + team.rank), team.one_batch():
        with torch.autocast(engine.device.type, torch.bfloat16, enabled=engine.bfloat16):
            logits = network(inputs)
        seen = logits.float()
        if weights.prior is not None:
            seen = seen + weights.prior[positions[mine]]
        known = inferred(shares[mine], seen) if section.coarse_labels else shares[mine]
        loss = loss_of(seen, known, weights.classes, section) / mass
        engine.optimiser.zero_grad()
        # The team averages gradients; their sum is wanted.
        (loss * team.size).backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
    engine.optimiser.step()
    decided = logits.detach().argmax(1, keepdim=True)
    right = weights.members[truth[mine]].gather(1, decided).sum()
    return Step(*team.sum(torch.stack([loss.detach(), right])).tolist())


def end_epoch(engine: Engine, progress: Progress) -> bool:
    """Validates, adds the epoch to the history, and sets `progress` to the start of the next one.

    Returns:
        Whether the epoch is the best one so far.

    Raises:
        DivergedError: a logit is not a finite number.
    """
    logits = _validation_logits(engine)
    truth, decided = engine.data.truth[engine.data.val], logits.argmax(axis=1)
    loss = float(log_loss(truth, probabilities(logits, 1.0), labels=range(logits.shape[1])))
    last_step = (progress.stage_epoch + 1) * engine.steps - 1
    # Of mixed images nothing is right or wrong.
    right = None if engine.recipe.train.mixup else progress.right / progress.seen
    progress.history.append(
        Epoch(
            epoch=progress.epoch + 1,
            stage=progress.stage + 1,
            lr=learning_rate(engine.stage, last_step, engine.steps),
            train_loss=progress.loss_sum / progress.seen,
            train_accuracy=right,
            val_loss=loss,
            val_score=engine.criterion.score(logits, truth) if engine.criterion else None,
            val_accuracy=float(accuracy_score(truth, decided)),
            val_balanced_accuracy=float(balanced_accuracy_score(truth, decided)),
            seconds=progress.seconds,
            images_per_second=progress.seen / progress.seconds,
        )
    )
    progress.epoch, progress.stage_epoch = progress.epoch + 1, progress.stage_epoch + 1
    progress.step, progress.seen, progress.seconds = 0, 0, 0.0
    progress.loss_sum, progress.right = 0.0, 0.0
    epoch, best = progress.history[-1], progress.history[progress.best_epoch - 1]
    improved = not progress.best_epoch or is_better(epoch, best, engine.criterion)
    if improved:
        progress.best_epoch = progress.epoch
    return improved


def augmented(
    engine: Engine, positions: NDArray[np.intp], mine: NDArray[np.intp], seed: int
) -> Tensor:
    """Returns float [m, 1, size, size] in [0, 1], training images with random changes.

    Args:
        engine: what a step works with.
        positions: int [n], the images of a batch, counted among the training images.
        mine: int [m], which of the batch are wanted.
        seed: of the changes of the whole batch.
    """
    images = images_of(engine, engine.data.train[positions[mine]])
    shape = (len(positions), 1, images.shape[2], images.shape[3])
    drawn = draw_changes(engine.recipe.augment, shape, torch.Generator().manual_seed(seed))
    # The surroundings of the lungs stay flat when they are moved.
    outside: Edge = "border" if engine.recipe.image.outside == "mean" else "zeros"
    return apply_changes(images, drawn.take(mine), outside)


def _inputs(
    engine: Engine,
    positions: NDArray[np.intp],
    mine: NDArray[np.intp],
    progress: Progress,
    seed: int,
) -> Tensor:
    """Returns images of the batch, or their features of the view that is due."""
    if engine.features is None:
        return augmented(engine, positions, mine, seed)
    view = engine.features.train[progress.stage_epoch % len(engine.features.train)]
    return torch.from_numpy(view[positions[mine]]).to(engine.device)


def _batches(engine: Engine, epoch: int) -> list[NDArray[np.intp]]:
    """Returns the epoch's training images, counted from 0, in random order and even batches.

    So no batch is a single image.
    """
    generator = np.random.default_rng([engine.recipe.train.seed, epoch])
    return np.array_split(epoch_rows(engine.sampling, generator), engine.steps)


def _validation_logits(engine: Engine) -> NDArray[np.float32]:
    """Returns the logits of the validation images, float32 [n, classes]."""
    if engine.features is None:
        val, team = engine.data.val, engine.team
        mine = np.concatenate([part for part, _ in infer(engine, val[team.part(len(val))])])
        return team.gather(mine, len(val))
    # A copy, because torch cannot take memory that it may not write to.
    pooled = torch.from_numpy(engine.features.val.copy()).to(engine.device)
    with torch.no_grad():
        logits = engine.validated.eval().head.logits(pooled).cpu().numpy()
    check_finite(logits, "network's result on a validation image")
    return logits
