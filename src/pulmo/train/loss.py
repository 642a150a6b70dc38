"""The loss of a batch: cross-entropy or focal, weighted by class, smoothed, mixed."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import log_softmax, one_hot

from pulmo.core.training import TrainSection


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
    """Returns the summed loss of some films, a scalar; `mass_of` all of a batch's divides it.

    Cross-entropy with class indices, weights and label smoothing is torch's `cross_entropy`: a
    film's weight is that of its class, and the mean is over the weights. The focal loss (Lin et al.
    2017, equation 5) multiplies each class's term by alpha (1 - p)^gamma.

    Args:
        logits: float [n, classes].
        shares: float [n, classes], the share of each class in each film; a row sums to one.
        weights: float [classes], or None.
        section: the recipe's training.
    """
    log_p = log_softmax(logits, dim=1)
    smooth = section.label_smoothing
    targets = shares * (1 - smooth) + smooth / shares.shape[1]
    if section.loss == "focal":
        targets = targets * section.focal_alpha * (1 - log_p.exp()) ** section.focal_gamma
    return -(targets * log_p * (1 if weights is None else weights)).sum()


def mass_of(shares: Tensor, weights: Tensor | None) -> Tensor:
    """Returns the summed weights of some films, a scalar; their number without weights."""
    return (shares * (1 if weights is None else weights)).sum()


def shares_of(truth: Tensor, classes: int) -> Tensor:
    """Returns float [n, classes], one for each film's class int64 [n]."""
    return one_hot(truth, classes).float()


def mix(
    films: Tensor, shares: Tensor, alpha: float, generator: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Returns films and shares mixed with those of another film of the batch (Zhang et al. 2018).

    Args:
        films: float [n, ...].
        shares: float [n, classes].
        alpha: parameter of the symmetric beta distribution; 0 mixes nothing.
        generator: draws one weight for the batch, as the paper does, and each film's partner.
    """
    if not alpha:
        return films, shares
    weight = float(generator.beta(alpha, alpha))
    other = torch.from_numpy(generator.permutation(len(films))).to(films.device)
    return torch.lerp(films[other], films, weight), torch.lerp(shares[other], shares, weight)
