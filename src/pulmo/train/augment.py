"""Augmentation on the batch: one function draws all randomness, another applies it."""

from collections.abc import Mapping
from typing import Literal, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from pulmo.core.choices import Choice
from pulmo.radiograph.changes import AUGMENTATIONS, Affine, Augmentation, Movement, Regrade

Edge = Literal["zeros", "border"]


class Drawn(NamedTuple):
    """How a batch of n images changes.

    Attributes:
        changes: each augmentation that is on, and what it drew, [n, ...], in the order in which
            they are applied.
        images: n.
    """

    changes: tuple[tuple[Augmentation, Tensor], ...]
    images: int

    def take(self, images: NDArray[np.intp]) -> Self:
        """Returns the changes of some of the images."""
        chosen = torch.from_numpy(images)
        changes = tuple((change, drawn[chosen]) for change, drawn in self.changes)
        return self._replace(changes=changes, images=len(images))

    @property
    def affine(self) -> Affine:
        """Where the pixels come from, by all movements together."""
        affine = Affine(torch.eye(2).repeat(self.images, 1, 1), torch.zeros(self.images, 2))
        for change, drawn in self.changes:
            if isinstance(change, Movement):
                affine = change.move(affine, drawn)
        return affine


def draw_changes(
    augmentations: Mapping[str, Choice],
    shape: tuple[int, int, int, int],
    generator: torch.Generator,
) -> Drawn:
    """Draws the changes of a batch of `shape` [n, 1, h, w], each uniformly in its range.

    What is off draws nothing unless it always draws, so that it leaves the other draws as they are.

    Args:
        augmentations: the recipe's.
        shape: of the batch.
        generator: source of the randomness.
    """
    chosen = [AUGMENTATIONS.chosen(choice) for choice in augmentations.values()]
    changes = []
    for change in sorted(chosen, key=lambda change: (change.draw_order, change.name)):
        if change.strength or change.always_draws:
            drawn = change.draw(shape, generator)
            if change.strength:
                changes.append((change, drawn))
    changes.sort(key=lambda pair: (pair[0].apply_order, pair[0].name))
    return Drawn(tuple(changes), shape[0])


def apply_changes(images: Tensor, drawn: Drawn, outside: Edge = "zeros") -> Tensor:
    """Returns images float [n, 1, h, w] in [0, 1], changed. All movements are one resampling.

    Args:
        images: the images.
        drawn: how they change.
        outside: what comes from outside of them. zeros: black; border: the nearest pixel.
    """
    images = moved(images, drawn.affine, outside)
    for change, values in drawn.changes:
        if isinstance(change, Regrade):
            images = images.clamp(0, 1) if change.in_range else images
            images = change.apply(images, values.to(images.device))
    return images.clamp(0, 1)


def moved(images: Tensor, affine: Affine, outside: Edge = "zeros") -> Tensor:
    """Returns images float [n, 1, h, w], resampled; for `outside` see `apply_changes`."""
    matrices = torch.cat([affine.turn, affine.shift[:, :, None]], 2)
    if matrices.eq(torch.eye(2, 3)).all():
        return images
    grid = functional.affine_grid(matrices, list(images.shape), align_corners=False)
    return functional.grid_sample(
        images, grid.to(images.device), padding_mode=outside, align_corners=False
    )
