"""Augmentation on the batch: one function draws all randomness, another applies it."""

import math
from typing import NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from pulmo.core.training import AugmentSection
from pulmo.train.degrade import blurred, compressed, erased

# The aspect ratios of hidden rectangles (Zhong et al. 2020, 3.2).
_LONGEST = 10 / 3


class Changes(NamedTuple):
    """The changes of a batch of n films, one value a film.

    Attributes:
        affine: float [n, 2, 3], from the new film's coordinates in [-1, 1] to the old one's.
        brightness: float [n], added.
        contrast: float [n], factor about the film's mean.
        gamma: float [n], exponent.
        noise: float [n, 1, h, w], added; None without noise.
        blur: float [n], standard deviation in pixels; None without blur.
        quality: int [n], of JPEG; None without it.
        hidden: float [n, 4], the left, upper, right and lower edge of a rectangle in fractions of
            the side; None without any.
    """

    affine: Tensor
    brightness: Tensor
    contrast: Tensor
    gamma: Tensor
    noise: Tensor | None = None
    blur: Tensor | None = None
    quality: Tensor | None = None
    hidden: Tensor | None = None

    def take(self, films: NDArray[np.intp]) -> Self:
        """Returns the changes of some of the films."""
        chosen = torch.from_numpy(films)
        parts = {name: part[chosen] for name, part in self._asdict().items() if part is not None}
        return self._replace(**parts)


def draw_changes(
    section: AugmentSection, shape: tuple[int, int, int, int], generator: torch.Generator
) -> Changes:
    """Draws the changes of a batch of `shape` [n, 1, h, w], each uniformly in its range.

    What is off draws nothing, so that it leaves the other draws as they are.
    """
    n = shape[0]

    def uniform(largest: float) -> Tensor:
        return (torch.rand(n, generator=generator) * 2 - 1) * largest

    angle = uniform(math.radians(section.rotate))
    zoom = 1 + uniform(section.scale)
    # The square spans two units, so a shift by a fraction of the side is twice that fraction.
    shift = torch.stack([uniform(2 * section.translate), uniform(2 * section.translate)], 1)
    brightness = uniform(section.brightness)
    contrast, gamma = 1 + uniform(section.contrast), 1 + uniform(section.gamma)
    noise = None
    if section.noise:
        deviation = torch.rand(n, 1, 1, 1, generator=generator) * section.noise
        noise = torch.randn(shape, generator=generator) * deviation
    cosine, sine = torch.cos(angle) / zoom, torch.sin(angle) / zoom
    turn = torch.stack([cosine, -sine, sine, cosine], 1).view(n, 2, 2)
    if section.shear:
        turn = turn @ _shear(torch.tan(uniform(math.radians(section.shear))))
    if section.flip:
        flipped = torch.rand(n, generator=generator) < section.flip
        turn = turn * torch.where(flipped[:, None, None], torch.tensor([-1.0, 1]), 1.0)
    if section.crop:
        turn = turn * (1 - section.crop)
        shift = shift + torch.stack([uniform(section.crop), uniform(section.crop)], 1)
    blur = torch.rand(n, generator=generator) * section.blur if section.blur else None
    quality = None
    if section.jpeg:
        quality = torch.randint(100 - section.jpeg, 101, (n,), generator=generator)
    hidden = _rectangles(section.erase, n, generator) if section.erase else None
    affine = torch.cat([turn, shift[:, :, None]], 2)
    return Changes(affine, brightness, contrast, gamma, noise, blur, quality, hidden)


def apply_changes(films: Tensor, changes: Changes) -> Tensor:
    """Returns films float [n, 1, h, w] in [0, 1], changed; what comes from outside is black."""
    identity = torch.tensor([[1.0, 0, 0], [0, 1, 0]])
    if not changes.affine.eq(identity).all():
        grid = functional.affine_grid(changes.affine, list(films.shape), align_corners=False)
        films = functional.grid_sample(films, grid.to(films.device), align_corners=False)
    films = _regraded(films, changes)
    if changes.blur is not None:
        films = blurred(films, changes.blur)
    if changes.noise is not None:
        films = films + changes.noise.to(films.device)
    films = films.clamp(0, 1)
    if changes.quality is not None:
        films = compressed(films, changes.quality)
    return films if changes.hidden is None else erased(films, changes.hidden)


def _regraded(films: Tensor, changes: Changes) -> Tensor:
    """Returns films with their contrast, brightness and gamma changed."""

    def each(values: Tensor) -> Tensor:
        return values.to(films.device).view(-1, 1, 1, 1)

    if not changes.contrast.eq(1).all():
        mean = films.mean(dim=(1, 2, 3), keepdim=True)
        films = (films - mean) * each(changes.contrast) + mean
    if changes.brightness.any():
        films = films + each(changes.brightness)
    if not changes.gamma.eq(1).all():
        films = films.clamp(0, 1) ** each(changes.gamma)
    return films


def _shear(slope: Tensor) -> Tensor:
    """Returns matrices [n, 2, 2] that shift each row by `slope` [n] times its height."""
    one, zero = torch.ones_like(slope), torch.zeros_like(slope)
    return torch.stack([one, slope, zero, one], 1).view(-1, 2, 2)


def _rectangles(largest: float, n: int, generator: torch.Generator) -> Tensor:
    """Returns float [n, 4], edges of rectangles of up to `largest` of the area, inside the film."""
    area = torch.rand(n, generator=generator) * largest
    ratio = torch.exp((torch.rand(n, generator=generator) * 2 - 1) * math.log(_LONGEST))
    size = torch.stack([(area * ratio).sqrt(), (area / ratio).sqrt()], 1).clamp(max=1)
    corner = torch.rand(n, 2, generator=generator) * (1 - size)
    return torch.cat([corner, corner + size], 1)
