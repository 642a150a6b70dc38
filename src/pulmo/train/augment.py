"""Augmentation on the batch: one function draws all randomness, another applies it."""

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from pulmo.core.training import AugmentSection


class Changes(NamedTuple):
    """The changes of a batch of n films, one value a film.

    Attributes:
        affine: float [n, 2, 3], from the new film's coordinates in [-1, 1] to the old one's.
        brightness: float [n], added.
        contrast: float [n], factor about the film's mean.
        gamma: float [n], exponent.
        noise: float [n, 1, h, w], added; None without noise.
    """

    affine: Tensor
    brightness: Tensor
    contrast: Tensor
    gamma: Tensor
    noise: Tensor | None


def draw_changes(
    section: AugmentSection, shape: tuple[int, int, int, int], generator: torch.Generator
) -> Changes:
    """Draws the changes of a batch of `shape` [n, 1, h, w], each uniformly in its range."""
    n = shape[0]

    def uniform(largest: float) -> Tensor:
        return (torch.rand(n, generator=generator) * 2 - 1) * largest

    angle = uniform(math.radians(section.rotate))
    zoom = 1 + uniform(section.scale)
    # The square spans two units, so a shift by a fraction of the side is twice that fraction.
    shift_x, shift_y = uniform(2 * section.translate), uniform(2 * section.translate)
    cosine, sine = torch.cos(angle) / zoom, torch.sin(angle) / zoom
    rows = [torch.stack([cosine, -sine, shift_x], 1), torch.stack([sine, cosine, shift_y], 1)]
    noise = None
    if section.noise:
        deviation = torch.rand(n, 1, 1, 1, generator=generator) * section.noise
        noise = torch.randn(shape, generator=generator) * deviation
    return Changes(
        torch.stack(rows, 1),
        uniform(section.brightness),
        1 + uniform(section.contrast),
        1 + uniform(section.gamma),
        noise,
    )


def apply_changes(films: Tensor, changes: Changes) -> Tensor:
    """Returns films float [n, 1, h, w] in [0, 1], changed; what comes from outside is black."""
    identity = torch.tensor([[1.0, 0, 0], [0, 1, 0]])
    if not changes.affine.eq(identity).all():
        grid = functional.affine_grid(changes.affine, list(films.shape), align_corners=False)
        films = functional.grid_sample(films, grid.to(films.device), align_corners=False)

    def each(values: Tensor) -> Tensor:
        return values.to(films.device).view(-1, 1, 1, 1)

    if not changes.contrast.eq(1).all():
        mean = films.mean(dim=(1, 2, 3), keepdim=True)
        films = (films - mean) * each(changes.contrast) + mean
    if changes.brightness.any():
        films = films + each(changes.brightness)
    if not changes.gamma.eq(1).all():
        films = films.clamp(0, 1) ** each(changes.gamma)
    if changes.noise is not None:
        films = films + changes.noise.to(films.device)
    return films.clamp(0, 1)
