"""The opacities of the classes: layers in the body's coordinates, to be added inside the lungs."""

from collections.abc import Callable
from typing import Final

import numpy as np

from pulmo.datasets.phantom.anatomy import SIDES, Anatomy
from pulmo.datasets.phantom.canvas import Canvas, Layer, Points, smooth
from pulmo.datasets.phantom.vessels import HILA, grow

Opacity = Callable[[Anatomy, Canvas, np.random.Generator], Layer]
"""Draws one class's opacities: float32 [height, width] of density to add, 0 for none."""


def ground_glass(anatomy: Anatomy, canvas: Canvas, generator: np.random.Generator) -> Layer:
    """COVID-19: hazy patches in both lungs, mostly at the chest wall and low down."""
    severity = generator.beta(2, 2)
    haze = np.zeros((canvas.height, canvas.width), np.float32)
    for side in SIDES:
        for _ in range(generator.integers(2, 4 + round(2 * severity))):
            y = -0.5 + 1.2 * generator.beta(2.6, 1.5)
            x = side * float(anatomy.reach(y, side)) * (1 - 0.42 * generator.beta(1.2, 2.4))
            radius = generator.uniform(0.14, 0.21) * (1 + 0.5 * severity)
            patch = _blob(generator, (x, y), (0.75 * radius, 1.25 * radius))
            strength = generator.uniform(0.6, 1.0)
            haze = np.maximum(haze, np.float32(strength) * canvas.fill([patch]))
    haze = canvas.blur(haze, generator.uniform(0.035, 0.06))
    uneven = 1 + 0.15 * canvas.texture(generator, 0.05) + 0.2 * canvas.texture(generator, 0.16)
    return np.float32(0.12 + 0.13 * severity) * haze * np.maximum(uneven, 0)


def consolidation(anatomy: Anatomy, canvas: Canvas, generator: np.random.Generator) -> Layer:
    """Bacterial pneumonia: one dense lobe or part of it, often with air-filled bronchi in it."""
    severity = generator.beta(2, 2)
    side = int(generator.choice(SIDES))
    middle = generator.choice([-0.52, 0.18, 0.48], p=[0.3, 0.3, 0.4]) + generator.normal(0, 0.06)
    # Low on the left, the heart would hide what lies nearer the midline.
    shift = 0.14 if side > 0 and middle > 0 else 0.0
    across = float(anatomy.reach(middle, side)) * (shift + generator.uniform(0.48, 0.66))
    radii = (0.27 + 0.20 * severity, 0.21 + 0.17 * severity)
    lobe = _blob(generator, (side * across, middle), radii)
    dense = canvas.blur(canvas.fill([lobe]), generator.uniform(0.025, 0.06))
    dense *= np.maximum(1 + 0.12 * canvas.texture(generator, 0.1), 0)
    if generator.random() < 0.7:
        airways = np.concatenate(grow(generator, side, stems=9, generations=2))
        dense *= 1 - 0.45 * canvas.stroke(airways, 0.034)
    return np.float32(0.19 + 0.17 * severity) * dense


def streaks(anatomy: Anatomy, canvas: Canvas, generator: np.random.Generator) -> Layer:
    """Viral pneumonia: streaks and a fine net in both lungs, densest around the hila."""
    severity = generator.beta(2, 2)
    lines: list[Points] = []
    around = []
    for side in SIDES:
        lines.extend(grow(generator, side, stems=11))
        x, y = HILA[side]
        reach = 0.26 * anatomy.girth, 0.34 + 0.1 * severity
        around.append(_blob(generator, (x + 0.16 * side, y + 0.06), reach))
    near = canvas.blur(canvas.fill(around), 0.13)
    net: Layer = np.maximum(1 - 2.2 * np.abs(canvas.texture(generator, 0.04)), 0)
    drawn: Layer = canvas.stroke(np.concatenate(lines), 0.013)
    drawn += 0.55 * net + 0.22
    return np.float32(0.07 + 0.10 * severity) * near * drawn


def nothing(anatomy: Anatomy, canvas: Canvas, generator: np.random.Generator) -> Layer:
    """A normal image: nothing but the vascular markings that every image has."""
    del anatomy, generator
    return np.zeros((canvas.height, canvas.width), np.float32)


OPACITIES: Final[dict[str, Opacity]] = {
    "covid": ground_glass,
    "bacterial": consolidation,
    "viral": streaks,
    "normal": nothing,
}
"""Label -> what draws its opacities."""


def _blob(
    generator: np.random.Generator, centre: tuple[float, float], radii: tuple[float, float]
) -> Points:
    """Returns the outline of a round, uneven patch."""
    angles = np.linspace(0, 2 * np.pi, 9, endpoint=False)
    distances = generator.uniform(0.75, 1.2, 9)[:, None]
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return smooth(np.array(centre) + circle * distances * np.array(radii), closed=True)
