"""The loss of a batch: weighted by class, smoothed, mixed."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import one_hot

from pulmo.core.training import TrainSection
from pulmo.train.losses import LOSSES


def class_weights(
    counts: NDArray[np.int64], labels: tuple[str, ...], section: TrainSection
) -> Tensor | None:
    """Returns float [classes]: n / (classes * n of the class) if balanced, those given, or None."""
    if section.class_weights == "none":
        return None
    if section.class_weights == "balanced":
        return torch.tensor(counts.sum() / (len(counts) * counts), dtype=torch.float32)
    given = section.class_weights
    return torch.tensor([given.get(label, 1.0) for label in labels], dtype=torch.float32)


def loss_of(
    logits: Tensor, shares: Tensor, weights: Tensor | None, section: TrainSection
) -> Tensor:
    """Returns the summed loss of some images, a scalar; `mass_of` all of a batch's divides it.

    With cross-entropy, class weights and label smoothing it is torch's `cross_entropy` with class
    indices: an image's weight is that of its class, and the mean is over the weights.

    Args:
        logits: float [n, classes].
        shares: float [n, classes], the share of each class in each image; a row sums to one.
        weights: float [classes], or None.
        section: the recipe's training.
    """
    smooth = section.label_smoothing
    targets = shares * (1 - smooth) + smooth / shares.shape[1]
    terms = LOSSES.chosen(section.loss).terms(logits, targets)
    return (terms * (1 if weights is None else weights)).sum()


def mass_of(shares: Tensor, weights: Tensor | None) -> Tensor:
    """Returns the summed weights of some images, a scalar; their number without weights."""
    return (shares * (1 if weights is None else weights)).sum()


def shares_of(truth: Tensor, classes: int) -> Tensor:
    """Returns float [n, classes], one for each image's class int64 [n]."""
    return one_hot(truth, classes).float()


def mix(
    inputs: Tensor, shares: Tensor, alpha: float, generator: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Returns inputs and shares mixed with those of another image of the batch (Zhang et al. 2018).

    Args:
        inputs: float [n, ...].
        shares: float [n, classes].
        alpha: parameter of the symmetric beta distribution; 0 mixes nothing.
        generator: draws one weight for the batch, as the paper does, and each image's partner.
    """
    if not alpha:
        return inputs, shares
    weight = float(generator.beta(alpha, alpha))
    other = torch.from_numpy(generator.permutation(len(inputs))).to(inputs.device)
    return torch.lerp(inputs[other], inputs, weight), torch.lerp(shares[other], shares, weight)
