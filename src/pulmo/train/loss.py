"""The loss of a batch: weighted by class, smoothed, mixed."""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pulmo.core.recipe import Recipe
from pulmo.core.training import TrainSection
from pulmo.train.balance import cell_factors, log_prior
from pulmo.train.engine import Engine
from pulmo.train.losses import LOSSES
from pulmo.train.training_data import class_counts, repeats


class LossWeights(NamedTuple):
    """What the loss takes into account of the training images.

    Attributes:
        classes: float [classes], the weight of each class; None without weights.
        images: float [n], what each image counts; None if all count 1.
        prior: float [n, classes], what is added to each image's logits; None if nothing is.
        members: bool [kinds, classes], the classes of which an image of each kind may be.
    """

    members: Tensor
    classes: Tensor | None = None
    images: Tensor | None = None
    prior: Tensor | None = None


def weights_of(engine: Engine) -> LossWeights:
    """Returns what the loss takes into account of the training images."""
    recipe, cells = engine.recipe, engine.cells
    labels, section, belongs = recipe.labels.order, recipe.train, members_of(recipe)
    members = torch.from_numpy(belongs).to(engine.device)
    classes = class_weights(class_counts(engine.truth, len(labels)), labels, section)
    if cells is None:
        return LossWeights(members, _on(engine, classes))
    # Of balance and oversampling, one changes nothing.
    factors = cell_factors(cells.counts, section.balance)
    factors = factors * repeats(engine.truth, recipe.kinds, section)
    weighed = section.balance != "none" and section.balance_by == "weights"
    images = factors[cells.source, cells.truth] if weighed else None
    prior = None
    if section.source_prior:
        # Images with a coarse label and weights of classes exclude each other.
        weighed_so = factors * (1 if classes is None else classes.numpy())
        known = log_prior(cells.counts, weighed_so, belongs / belongs.sum(axis=1, keepdims=True))
        prior = section.source_prior * known[cells.source]
    return LossWeights(members, *(_on(engine, part) for part in (classes, images, prior)))


def members_of(recipe: Recipe) -> NDArray[np.bool_]:
    """Returns the classes of which an image of each kind may be, bool [kinds, classes]."""
    order = recipe.labels.order
    coarse = [np.isin(order, classes) for classes in recipe.train.coarse_labels.values()]
    return np.vstack([np.eye(len(order), dtype=np.bool_), *coarse])


def _on(engine: Engine, values: Tensor | NDArray[np.float64] | None) -> Tensor | None:
    """Returns numbers as float32 on the engine's device."""
    if values is None:
        return None
    return torch.as_tensor(values, dtype=torch.float32).to(engine.device)


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
        shares: float [n, classes], the share of each class in each image, times what the image
            counts; a row sums to that.
        weights: float [classes], or None.
        section: the recipe's training.
    """
    smooth, counts = section.label_smoothing, shares.sum(dim=1, keepdim=True)
    targets = shares / counts * (1 - smooth) + smooth / shares.shape[1]
    terms = LOSSES.chosen(section.loss).terms(logits, targets) * counts
    return (terms * (1 if weights is None else weights)).sum()


def mass_of(shares: Tensor, weights: Tensor | None) -> Tensor:
    """Returns the summed weights of some images, a scalar; what they count without weights."""
    return (shares * (1 if weights is None else weights)).sum()


def shares_of(truth: Tensor, members: Tensor) -> Tensor:
    """Returns the share of each class in each image before anything is known of it.

    Args:
        truth: int64 [n], the kind of each image.
        members: bool [kinds, classes].

    Returns:
        float [n, classes], one for the class; of a coarse label all its classes have as much.
    """
    belongs = members[truth].float()
    return belongs / belongs.sum(dim=1, keepdim=True)


def inferred(shares: Tensor, logits: Tensor) -> Tensor:
    """Returns shares in which an image of several classes has them as the network expects.

    The cross-entropy with the share p(class) / sum of p over the image's classes has the gradient
    of -log of that sum: it is a step of expectation maximisation (Jin and Ghahramani 2002).

    Args:
        shares: float [n, classes]; a row sums to what the image counts.
        logits: float [n, classes].
    """
    counts = shares.sum(dim=1, keepdim=True)
    masked = logits.detach().masked_fill(shares == 0, -torch.inf)
    return masked.softmax(dim=1) * counts


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
