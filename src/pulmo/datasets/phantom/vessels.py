"""Airways and the vascular tree of the lungs, grown branch by branch from the hila."""

from typing import Final

import numpy as np

from pulmo.datasets.phantom.anatomy import SIDES, Anatomy
from pulmo.datasets.phantom.canvas import Canvas, Layer, Points, smooth

HILA: Final = {-1: (-0.26, 0.02), 1: (0.31, -0.05)}
"""Side -> where its vessels enter the lung, in the body's coordinates."""

_STEPS = 6
_LENGTH, _SHORTENING = 0.30, 0.72
# A branch forks at its end and gives off a twig on its way; these are their turns in radians.
_FORK, _TWIG = 0.35, 0.7
# Width and density of the vessels of each generation.
_CALIBRES = ((0.052, 0.10), (0.036, 0.085), (0.026, 0.06))


def grow(
    generator: np.random.Generator, side: int, stems: int, generations: int = 3
) -> list[Points]:
    """Grows the tree of one lung.

    Args:
        generator: where the branching is drawn from.
        side: -1 for the patient's right lung, 1 for the left.
        stems: branches at the hilum.
        generations: how many, the stems included.

    Returns:
        The lines [branches, n, 2] of each generation, the stems first.
    """
    x, y = HILA[side]
    starts = np.tile([abs(x), y], (stems, 1))
    headings = np.linspace(-1.2, 1.35, stems) + generator.normal(0, 0.15, stems)
    tree = []
    for generation in range(generations):
        length = _LENGTH * _SHORTENING**generation
        lines, ends = _advance(generator, starts, headings, length)
        tree.append(lines * (side, 1))
        twigs = lines[:, generator.integers(2, _STEPS)]
        starts = np.concatenate([lines[:, -1], lines[:, -1], twigs])
        sideways = _TWIG * generator.choice([-1, 1], len(ends))
        headings = np.concatenate([ends - _FORK, ends + _FORK, ends + sideways])
        headings += generator.normal(0, 0.15, len(headings))
    return tree


def vessels(anatomy: Anatomy, canvas: Canvas) -> Layer:
    """Draws the vascular markings: dense at the hila, hardly seen in the outer third."""
    markings: Layer = np.zeros((canvas.height, canvas.width), np.float32)
    trees = [grow(anatomy.generator(f"vessels {side}"), side, stems=8) for side in SIDES]
    for right, left, (width, density) in zip(*trees, _CALIBRES, strict=True):
        lines = canvas.stroke(np.concatenate([right, left]), width)
        markings = np.maximum(markings, np.float32(density) * lines)
    node = np.array([(0, -0.15), (0.07, 0), (0, 0.15), (-0.07, 0)])
    hila = smooth(np.stack([node + HILA[side] for side in SIDES]), closed=True)
    markings += np.float32(0.10) * canvas.blur(canvas.fill(hila), 0.06)
    return markings * np.float32(anatomy.vessels)


def airways(anatomy: Anatomy, canvas: Canvas) -> Layer:
    """Draws the air in the trachea and the main bronchi, as density to take away."""
    heights, sway = np.array([(-1.8, 0), (-1.0, -0.01), (-0.5, -0.02), (-0.32, 0)]).T
    trachea = smooth(np.stack([anatomy.spine(heights) + sway, heights], axis=1))
    fork = tuple(trachea[-1])
    bronchi = [
        smooth([fork, (-0.09, -0.18), (-0.18, -0.06)]),
        smooth([fork, (0.12, -0.20), (0.22, -0.12)]),
    ]
    air = np.float32(0.13) * canvas.stroke([trachea], 0.12)
    return canvas.blur(air + np.float32(0.06) * canvas.stroke(bronchi, 0.075), 0.014)


def _advance(
    generator: np.random.Generator, starts: Points, headings: Points, length: float
) -> tuple[Points, Points]:
    """Lets every branch grow from its start along its heading, each with its own curl.

    Headings are in radians: 0 leads outwards, a quarter turn downwards.

    Returns:
        The lines [branches, n, 2], and the headings [branches] at their ends.
    """
    curl = generator.normal(0, 0.45, (len(starts), 1))
    strides = length / _STEPS * generator.uniform(0.65, 1.2, (len(starts), 1))
    angles = headings[:, None] + curl * np.linspace(0, 1, _STEPS)
    steps = strides[..., None] * np.stack([np.cos(angles), np.sin(angles)], axis=2)
    return np.cumsum(np.concatenate([starts[:, None], steps], axis=1), axis=1), angles[:, -1]
