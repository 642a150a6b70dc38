"""A step of the optimiser, with all randomness drawn from (seed, epoch, step)."""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pulmo.models.randomness import seeded
from pulmo.train.augment import apply_changes, draw_changes
from pulmo.train.checkpoint import Progress
from pulmo.train.engine import Engine
from pulmo.train.infer import films_of
from pulmo.train.loss import loss_of, mass_of, mix, shares_of


class Stepped(NamedTuple):
    """What a step has seen of its batch, before it changed the network.

    Attributes:
        loss: the batch's loss.
        right: films whose largest logit is that of their class; it says nothing of mixed films.
    """

    loss: float
    right: float


class Forward(nn.Module):
    """A classifier from films, or from the features of its frozen base, to logits."""

    def __init__(self, engine: Engine) -> None:
        """Takes the classifier of an engine, whose base is skipped if its features are at hand."""
        super().__init__()
        self.classifier = engine.classifier
        self._pooled = engine.features is not None

    def forward(self, inputs: Tensor) -> Tensor:
        """Returns logits [n, classes]."""
        network = self.classifier
        logits: Tensor = network.head.logits(inputs) if self._pooled else network(inputs)
        return logits


def make_step(
    engine: Engine,
    network: nn.Module,
    positions: NDArray[np.intp],
    progress: Progress,
    weights: Tensor | None,
) -> Stepped:
    """Makes one step of the optimiser.

    A process of a team sees its part of the batch. All randomness but dropout's is drawn for the
    whole batch, and the loss is divided by the whole batch's weight, so a team makes the step that
    one process would.

    Args:
        engine: what the step works with.
        network: its `Forward`, spread over the team.
        positions: int [n], the pictures of the batch, counted among the training pictures.
        progress: the epoch and the step.
        weights: float [classes], the weight of each class in the loss, or None.
    """
    section, team = engine.recipe.train, engine.team
    sequence = np.random.SeedSequence([section.seed, progress.epoch, progress.step])
    # torch takes seeds of 63 bits.
    augmentation, dropout, mixing = (int(n) >> 1 for n in sequence.generate_state(3, np.uint64))
    mine = team.part(len(positions))
    classes = len(engine.recipe.labels.order)
    truth = torch.from_numpy(engine.truth[positions]).to(engine.device)
    shares = shares_of(truth, classes)
    mass = mass_of(shares, weights)
    if section.mixup:
        # A film may be mixed with one of another process's part.
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
        loss = loss_of(logits.float(), shares[mine], weights, section) / mass
        engine.optimiser.zero_grad()
        # The team averages gradients; their sum is wanted.
        (loss * team.size).backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
    engine.optimiser.step()
    right = (logits.detach().argmax(1) == truth[mine]).sum()
    return Stepped(*team.sum(torch.stack([loss.detach(), right])).tolist())


def augmented(
    engine: Engine, positions: NDArray[np.intp], mine: NDArray[np.intp], seed: int
) -> Tensor:
    """Returns float [m, 1, size, size] in [0, 1], training pictures with random changes.

    Args:
        engine: what a step works with.
        positions: int [n], the pictures of a batch, counted among the training pictures.
        mine: int [m], which of the batch are wanted.
        seed: of the changes of the whole batch.
    """
    rows = engine.material.train[positions[mine]]
    films = films_of(engine, rows)
    shape = (len(positions), 1, films.shape[2], films.shape[3])
    changes = draw_changes(engine.recipe.augment, shape, torch.Generator().manual_seed(seed))
    return apply_changes(films, changes.take(mine))


def _inputs(
    engine: Engine,
    positions: NDArray[np.intp],
    mine: NDArray[np.intp],
    progress: Progress,
    seed: int,
) -> Tensor:
    """Returns films of the batch, or their features of the view that is due."""
    if engine.features is None:
        return augmented(engine, positions, mine, seed)
    view = engine.features.train[progress.stage_epoch % len(engine.features.train)]
    return torch.from_numpy(view[positions[mine]]).to(engine.device)
