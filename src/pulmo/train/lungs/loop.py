"""The training loop of the lungs, with all randomness drawn from (seed, epoch, step)."""

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import AdamW
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from pulmo.core.errors import DivergedError
from pulmo.models.lungs import make_lung_network
from pulmo.stats.overlap import dice
from pulmo.train.augment import apply_changes, draw_changes, moved
from pulmo.train.checkpoint import Learner
from pulmo.train.lungs.data import LungImages
from pulmo.train.lungs.drawn import add_marks
from pulmo.train.lungs.settings import LungEpoch, LungSettings
from pulmo.train.schedules import Span, half_cosine
from pulmo.train.schedules.one_cycle import OneCycle

_WARMUP = 0.1
"""Share of the cycle over which the learning rate rises."""

_SMOOTH = 1.0
"""Added to both halves of the soft Dice coefficient, so that it is defined for no lungs."""


class Batch(NamedTuple):
    """What a step shows.

    Attributes:
        images: float [n, 1, size, size] in [0, 1].
        masks: float [n, 1, size, size], 1 in the lungs; between 0 and 1 at their edge.
    """

    images: Tensor
    masks: Tensor


def begin(settings: LungSettings) -> Learner:
    """Returns a network with random weights, its optimiser and the average of its weights."""
    network = make_lung_network(settings.seed).to(memory_format=torch.channels_last)
    weights = list(network.parameters())
    groups = [
        {"params": [w for w in weights if w.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [w for w in weights if w.ndim == 1], "weight_decay": 0.0},
    ]
    averaging = get_ema_multi_avg_fn(settings.ema_decay)  # type: ignore[no-untyped-call] # torch leaves it untyped
    average = AveragedModel(network, multi_avg_fn=averaging, use_buffers=True)
    return Learner(network, AdamW(groups, lr=settings.lr), average)


def train_epoch(
    learner: Learner,
    shown: LungImages,
    settings: LungSettings,
    epoch: int,
    on_step: Callable[[int, int], None] = lambda *_: None,
) -> float:
    """Trains an epoch.

    Args:
        learner: what is changed.
        shown: the training images.
        settings: of the training.
        epoch: the epoch, from 0.
        on_step: called with the steps done and the steps of the epoch.

    Returns:
        The mean loss.

    Raises:
        DivergedError: the loss is not a finite number.
    """
    order = np.random.default_rng([settings.seed, epoch]).permutation(len(shown.images))
    batches = np.array_split(order, -(-len(order) // settings.batch))
    losses = []
    learner.network.train()
    for step, rows in enumerate(batches):
        rate = learning_rate(settings, epoch * len(batches) + step, len(batches))
        for group in learner.optimiser.param_groups:
            group["lr"] = rate
        batch = draw_batch(shown, rows, settings, (epoch, step))
        with torch.autocast("cpu", torch.bfloat16, enabled=is_bfloat16_fast()):
            logits = learner.network(batch.images)
        loss = lung_loss(logits.float(), batch.masks)
        if not torch.isfinite(loss):
            raise DivergedError(
                "training-diverged",
                f"The loss in epoch {epoch + 1}, step {step + 1} is not a finite number. The "
                "learning rate may be too high.",
            )
        learner.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
        learner.optimiser.step()
        if learner.average is not None:
            learner.average.update_parameters(learner.network)
        losses.append(float(loss.detach()))
        on_step(step + 1, len(batches))
    return float(np.mean(losses))


def learning_rate(settings: LungSettings, step: int, steps: int) -> float:
    """Returns the learning rate at a step: one cycle that is cut short by a cooldown.

    A cycle that is longer than the training keeps the rate high, and the cooldown brings it to 0
    along half a cosine (Hägele et al. 2024).

    Args:
        settings: of the training.
        step: the step, from 0.
        steps: steps an epoch.
    """
    begins = round((1 - settings.cooldown) * settings.epochs) * steps
    cycle = OneCycle(warmup=_WARMUP).rate(
        settings.lr, min(step, begins), Span(settings.cycle, steps)
    )
    if step <= begins:
        return cycle
    return half_cosine(cycle, 0.0, (step - begins) / (settings.epochs * steps - begins))


def draw_batch(
    shown: LungImages, rows: NDArray[np.intp], settings: LungSettings, place: tuple[int, int]
) -> Batch:
    """Returns some training images with random changes, and their masks moved alike.

    Args:
        shown: the training images.
        rows: which of them.
        settings: of the training.
        place: the epoch and the step, from which with the seed all randomness follows.
    """
    generator = np.random.default_rng([settings.seed, *place, 1])
    pixels = add_marks(shown.images[rows], generator)
    images = torch.from_numpy(pixels[:, None]).float() / 255
    masks = torch.from_numpy(shown.masks[rows][:, None]).float()
    # torch takes seeds of 63 bits.
    seeded = torch.Generator().manual_seed(int(generator.integers(2**63)))
    shape = (len(rows), 1, settings.size, settings.size)
    drawn = draw_changes(settings.augment, shape, seeded)
    images = apply_changes(images, drawn)
    inverted = torch.rand(len(rows), 1, 1, 1, generator=seeded) < settings.invert
    images = torch.where(inverted, 1 - images, images)
    return Batch(images.contiguous(memory_format=torch.channels_last), moved(masks, drawn.affine))


def lung_loss(logits: Tensor, masks: Tensor) -> Tensor:
    """Returns the cross-entropy and, of images with lungs, 1 less the soft Dice coefficient.

    Args:
        logits: float [n, 1, size, size].
        masks: float [n, 1, size, size] in [0, 1].
    """
    entropy = functional.binary_cross_entropy_with_logits(logits, masks)
    probability = logits.sigmoid()
    both = (probability * masks).sum(dim=(1, 2, 3))
    total = probability.sum(dim=(1, 2, 3)) + masks.sum(dim=(1, 2, 3))
    lacking = 1 - (2 * both + _SMOOTH) / (total + _SMOOTH)
    has_lungs = masks.amax(dim=(1, 2, 3)) > 0
    return entropy + (lacking * has_lungs).mean()


def validate(learner: Learner, images: LungImages) -> float:
    """Returns the mean Dice coefficient of the images with lungs, at a probability of one half."""
    known = images.has_lungs
    found = predict(learner.validated, images.images[known]) > 0.5
    return float(np.mean(dice(found, images.masks[known])))


def predict(network: nn.Module, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Returns the probability of lung, float32 [n, size, size], of images uint8 [n, size, size]."""
    network.eval()
    parts = []
    with torch.no_grad():
        for batch in np.array_split(images, max(1, len(images) // 32)):
            pixels = torch.from_numpy(batch[:, None]).float() / 255
            parts.append(network(pixels.contiguous(memory_format=torch.channels_last)).sigmoid())
    found: NDArray[np.float32] = torch.cat(parts)[:, 0].numpy()
    return found


def is_bfloat16_fast() -> bool:
    """Tells whether this processor has instructions for bfloat16."""
    return bool(torch.cpu._is_avx512_bf16_supported())  # noqa: SLF001 - torch offers no public name


def epoch_record(
    learner: Learner, val: LungImages, epoch: int, loss: float, begun: float
) -> LungEpoch:
    """Returns what is kept of an epoch; `begun` is when it began, by the monotonic clock."""
    value = validate(learner, val)
    seconds = time.monotonic() - begun
    return LungEpoch(epoch=epoch + 1, train_loss=loss, val_dice=value, seconds=seconds)
