"""The healthy body on image: its layers are added up as X-rays add them along their way."""

from typing import NamedTuple

import numpy as np

from pulmo.datasets.phantom.anatomy import SIDES, Anatomy
from pulmo.datasets.phantom.canvas import Canvas, Layer, Points, band, smooth
from pulmo.datasets.phantom.vessels import airways, vessels
from pulmo.datasets.phantom.view import View

_AIR = 0.46
"""How much less dense the lungs are than the chest wall around them."""

_VERTEBRA = np.array([(-1, -0.062), (0, -0.052), (1, -0.062), (1, 0.062), (0, 0.052), (-1, 0.062)])
_PROCESS = np.array([(0, 0), (0.02, 0.05), (0, 0.09), (-0.02, 0.05)])


class Body(NamedTuple):
    """A healthy chest on the plane of an image.

    Attributes:
        density: float32 [height, width], what the X-rays met, below 0 for air and about 1 for
            bone on the heart.
        lungs: float32 [height, width], 1 in the lungs as far as heart, great vessels and
            diaphragm leave them free, 0 elsewhere, between on the edge.
    """

    density: Layer
    lungs: Layer


def draw_body(anatomy: Anatomy, view: View, canvas: Canvas) -> Body:
    """Draws a patient's healthy chest."""
    abdomen = canvas.fill([anatomy.abdomen])
    heart = canvas.fill([_heart(anatomy, view)])
    vessels_and_spine = canvas.fill([anatomy.mediastinum])
    cavities = [canvas.fill([cavity]) for cavity in anatomy.cavities]
    outside = (1 - abdomen) * (1 - heart) * (1 - vessels_and_spine)
    right, left = (cavity * outside for cavity in cavities)
    lungs = np.maximum(right, left)
    below = abdomen * np.maximum(*cavities)
    # Turning the patient moves one lung out of the way of the chest wall and the other into it.
    air = right * np.float32(1 - 0.8 * view.turn) + left * np.float32(1 + 0.8 * view.turn)
    density = _wall(anatomy, canvas)
    density -= _AIR * air * (0.72 + 0.28 * canvas.blur(lungs, 0.16))
    density += 0.10 * below + (1 - below) * (0.07 * heart + 0.06 * vessels_and_spine)
    density += _bones(anatomy, view, canvas) * (0.5 + 0.5 * lungs - 0.2 * below)
    density += _front(anatomy, view, canvas)
    density += vessels(anatomy, canvas) * np.maximum(lungs, 0.2 * heart)
    density -= airways(anatomy, canvas)
    return Body(density, lungs)


def _heart(anatomy: Anatomy, view: View) -> Points:
    """The heart's outline; nearer the tube, it throws a larger shadow."""
    growth = 1.12 if view.name == "AP" else 1.0
    outline: Points = anatomy.heart_outline * (growth, 1) + (view.turn, 0)
    return outline


def _wall(anatomy: Anatomy, canvas: Canvas) -> Layer:
    """Skin, fat and muscle, with the air around them."""
    torso = canvas.fill([anatomy.torso])
    gap = canvas.fill([anatomy.flank(side) for side in SIDES])
    body = torso * (1 - gap)
    thickness: Layer = 0.62 + 0.22 * canvas.blur(body, 0.12)
    muscle = anatomy.generator("muscle")
    thickness *= 1 + 0.025 * canvas.texture(muscle, 0.30) + 0.012 * canvas.texture(muscle, 0.08)
    return body * thickness - np.float32(0.1)


def _bones(anatomy: Anatomy, view: View, canvas: Canvas) -> Layer:
    """Spine, ribs and shoulders."""
    ribs = _hollow(canvas, band(anatomy.posterior_ribs, 0.075, 0.085))
    ribs += 0.6 * _hollow(canvas, band(anatomy.anterior_ribs, 0.09, 0.07))
    bones: Layer = 0.105 * ribs + _shoulders(anatomy, view, canvas) + _spine(anatomy, canvas)
    return bones * np.float32(anatomy.bone)


def _hollow(canvas: Canvas, outlines: Points) -> Layer:
    """Bones with a dense shell around a lighter inside."""
    shell = canvas.stroke(np.concatenate([outlines, outlines[:, :1]], axis=1), 0.013)
    return 0.75 * canvas.fill(outlines) + 0.45 * shell


def _shoulders(anatomy: Anatomy, view: View, canvas: Canvas) -> Layer:
    """Shoulder blades and the heads of the upper arms."""
    inward = 0.16 if view.name == "AP" else 0.0
    blade = smooth(
        [(1.00, -0.86), (1.30, -0.92), (1.42, -0.70), (1.22, -0.28), (1.10, -0.02), (1.02, -0.25)],
        closed=True,
    )
    head = smooth(
        [(1.26, -0.95), (1.42, -1.06), (1.60, -0.96), (1.62, -0.76), (1.44, -0.70)], closed=True
    )
    mirrored = np.array([[(side * anatomy.girth, 1)] for side in SIDES])
    blades, heads = (blade - (inward, 0)) * mirrored, head * mirrored
    return 0.07 * _hollow(canvas, blades) + 0.14 * _hollow(canvas, heads)


def _spine(anatomy: Anatomy, canvas: Canvas) -> Layer:
    """Vertebrae with the discs between them and a spinous process on each."""
    heights = np.arange(-1.7, 1.9, 0.165) + anatomy.rib_start % 0.165
    places = np.stack([anatomy.spine(heights), heights], axis=1)[:, None]
    size = np.stack([0.105 + 0.012 * heights, np.ones_like(heights)], axis=1)[:, None]
    bodies = _VERTEBRA * size + places
    return 0.13 * canvas.fill(bodies) + 0.06 * canvas.fill(smooth(_PROCESS + places, closed=True))


def _front(anatomy: Anatomy, view: View, canvas: Canvas) -> Layer:
    """What lies before the lungs or above them: collar bones, breasts, gas in the stomach."""
    collar = _hollow(canvas, np.stack([anatomy.clavicle(side, view.turn) for side in SIDES]))
    front: Layer = 0.13 * anatomy.bone * collar
    if anatomy.breast:
        cup = smooth(
            [(0.25, 0.20), (0.62, 0.05), (0.98, 0.15), (1.12, 0.50), (0.75, 0.78), (0.35, 0.65)],
            closed=True,
        )
        cups = [cup * (side, 0.8 + 0.4 * anatomy.breast) for side in SIDES]
        front += 0.09 * anatomy.breast * canvas.blur(canvas.fill(cups), 0.03)
    bubble = anatomy.generator("bubble")
    x, y = bubble.uniform(0.42, 0.62), bubble.uniform(1.0, 1.08) - anatomy.domes[1]
    wide, high = bubble.uniform(0.08, 0.22), bubble.uniform(0.04, 0.1)
    gas = [(x - wide, y), (x, y - high), (x + wide, y), (x, y + high)]
    return front - 0.16 * canvas.blur(canvas.fill([smooth(gas, closed=True)]), 0.02)
