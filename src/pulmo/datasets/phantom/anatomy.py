"""The anatomy of one patient: sizes and outlines in the body's coordinates."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from pulmo.datasets.phantom.canvas import Points, band, smooth

SIDES: Final = (-1, 1)
"""The patient's right lung, on the image's left, and the left one."""

# Outline of the right chest cavity, mirrored for the left; it goes on below the diaphragm.
_CAVITY: Final = np.array(
    [
        (-0.16, -0.84), (-0.30, -0.98), (-0.50, -0.98), (-0.68, -0.84), (-0.82, -0.58),
        (-0.91, -0.25), (-0.97, 0.10), (-1.00, 0.50), (-1.00, 0.90), (-0.97, 1.40),
        (-0.95, 3.00), (0.02, 3.00), (0.02, 0.50), (0.02, -0.30), (-0.06, -0.65),
    ]
)  # fmt: skip
# The diaphragm from the right flank to the left: flank, angle, dome, middle, dome, angle, flank.
_DIAPHRAGM: Final = np.array(
    [
        (-1.35, 1.30), (-1.10, 1.14), (-0.98, 0.98), (-0.80, 0.78), (-0.52, 0.66), (-0.26, 0.71),
        (0.00, 0.86), (0.24, 0.82), (0.52, 0.75), (0.80, 0.86), (0.98, 1.06), (1.10, 1.20),
        (1.35, 1.35),
    ]
)  # fmt: skip
_HEART: Final = np.array(
    [
        (-0.14, 0.00), (-0.25, 0.20), (-0.29, 0.42), (-0.22, 0.66), (0.02, 0.84), (0.34, 0.90),
        (0.58, 0.81), (0.67, 0.66), (0.62, 0.44), (0.49, 0.20), (0.35, 0.00), (0.27, -0.14),
        (0.12, -0.20),
    ]
)  # fmt: skip
_MEDIASTINUM: Final = np.array(
    [
        (-0.20, -1.60), (-0.16, -1.00), (-0.15, -0.60), (-0.18, -0.30), (-0.17, 0.00),
        (-0.15, 0.50), (-0.15, 1.20), (0.15, 1.20), (0.15, 0.50), (0.19, 0.02), (0.16, -0.14),
        (0.24, -0.26), (0.25, -0.38), (0.18, -0.50), (0.13, -0.65), (0.15, -1.00), (0.20, -1.60),
    ]
)  # fmt: skip
_TORSO: Final = np.array(
    [
        (0.33, -2.50), (0.34, -1.50), (0.46, -1.30), (0.85, -1.17), (1.22, -1.08), (1.50, -0.90),
        (1.75, -0.40), (1.90, 0.30),
    ]
)  # fmt: skip


@dataclass(frozen=True)
class Anatomy:
    """What all images of one patient share.

    Attributes:
        patient: number that all of it is derived from.
        age: in years, 18 to 90.
        sex: `F` or `M`.
        girth: width of the chest over its height, about 1.
        wall: thickness of the soft tissue outside the ribs.
        heart: size of the heart, about 1.
        lean: how far the heart lies to the left, about 0.
        domes: how much higher than average the right and the left dome of the diaphragm are.
        asymmetry: how much wider the right lung is than the left.
        bend: sideways curve of the spine.
        ribs: pairs of ribs drawn.
        rib_start: height of the first rib at the spine.
        rib_step: distance of the ribs.
        rib_slope: how steeply the ribs fall.
        bone: density of the bones, about 1.
        breast: size of the breast shadows, 0 for none.
        vessels: density of the vascular markings, about 1.
    """

    patient: int
    age: int
    sex: str
    girth: float
    wall: float
    heart: float
    lean: float
    domes: tuple[float, float]
    asymmetry: float
    bend: float
    ribs: int
    rib_start: float
    rib_step: float
    rib_slope: float
    bone: float
    breast: float
    vessels: float

    @classmethod
    def of(cls, patient: int) -> Self:
        """Returns the anatomy of patient number `patient`, always the same one."""
        draw = np.random.default_rng(patient)
        sex = "F" if draw.random() < 0.48 else "M"
        age = int(np.clip(draw.normal(55, 17), 18, 90))
        return cls(
            patient=patient,
            age=age,
            sex=sex,
            girth=draw.uniform(0.92, 1.12),
            wall=draw.uniform(0.10, 0.26),
            heart=draw.normal(0.98 + 0.0025 * (age - 55), 0.07),
            lean=draw.normal(0.0, 0.03),
            domes=(draw.normal(0.0, 0.05), draw.normal(0.0, 0.05)),
            asymmetry=draw.normal(0.0, 0.025),
            bend=draw.normal(0.0, 0.03),
            ribs=int(draw.integers(9, 12)),
            rib_start=draw.uniform(-0.98, -0.84),
            rib_step=draw.uniform(0.18, 0.215),
            rib_slope=draw.uniform(0.8, 1.3),
            bone=draw.uniform(0.75, 1.2) * (1.1 - 0.004 * max(0, age - 50)),
            breast=draw.uniform(0.3, 1.0) if sex == "F" else 0.0,
            vessels=draw.uniform(0.75, 1.3),
        )

    def generator(self, matter: str) -> np.random.Generator:
        """Returns a generator for one further matter of this patient, always in the same state."""
        return np.random.default_rng((self.patient, *matter.encode()))

    @property
    def cavities(self) -> tuple[Points, Points]:
        """Outlines of the right and the left chest cavity, open below the diaphragm."""
        right, left = _CAVITY.copy(), _CAVITY * (-1, 1)
        right[:, 0] *= self.girth * (1 + self.asymmetry)
        left[:, 0] *= self.girth * (1 - self.asymmetry)
        return smooth(right, closed=True), smooth(left, closed=True)

    @property
    def abdomen(self) -> Points:
        """Outline of what lies below the diaphragm; its top edge is the two domes."""
        edge = _DIAPHRAGM * (self.girth, 1)
        edge[:6, 0] *= 1 + self.asymmetry
        edge[7:, 0] *= 1 - self.asymmetry
        edge[3:6, 1] -= self.domes[0]
        edge[7:10, 1] -= self.domes[1]
        return np.concatenate([smooth(edge), [(1.6, 4.0), (-1.6, 4.0)]])

    @property
    def heart_outline(self) -> Points:
        """Outline of the heart; two thirds of it are on the patient's left."""
        outline = _HEART * (self.heart, 1) + (self.lean, -0.4 * sum(self.domes) / 2)
        outline[:, 1] = 0.85 + (outline[:, 1] - 0.85) * (0.35 + 0.65 * self.heart)
        return smooth(outline, closed=True)

    @property
    def mediastinum(self) -> Points:
        """Outline of the great vessels, with the knob of the aorta on the patient's left."""
        knob = 1 + 0.008 * (self.age - 50)
        outline = _MEDIASTINUM.copy()
        outline[11:14, 0] = 0.13 + (outline[11:14, 0] - 0.13) * knob
        return smooth(outline, closed=True)

    @property
    def torso(self) -> Points:
        """Outline of neck, shoulders and arms."""
        right = smooth(_TORSO)
        return np.concatenate([right, [(1.9, 4.0), (-1.9, 4.0)], (right * (-1, 1))[::-1]])

    def flank(self, side: int) -> Points:
        """Outline of the air between the chest wall and the arm."""
        edge = self.girth * 1.02 + self.wall
        gap = [
            (edge, 4.0), (edge, 0.8), (edge + 0.02, 0.3), (edge + 0.14, -0.12), (edge + 0.3, 0.0),
            (edge + 0.5, 0.8), (edge + 0.8, 4.0),
        ]  # fmt: skip
        return smooth(gap) * (side, 1)

    def spine(self, heights: Points) -> Points:
        """Returns x of the spine at these heights."""
        bend: Points = self.bend * np.sin(heights * 1.8 + self.bend * 40)
        return bend

    @property
    def posterior_ribs(self) -> Points:
        """Centre lines [ribs, n, 2] of the back halves of the ribs, from spine to flank."""
        sides, index = self._numbered(np.arange(self.ribs))
        y = self.rib_start + index * self.rib_step
        fall = self.rib_slope * (0.18 + 0.02 * index)
        reach = self.reach(y + fall, sides)
        start = 0.1 + sides * self.spine(y)
        across = reach - start
        x = (start, start + 0.3 * across, start + 0.65 * across, start + 0.9 * across, reach)
        heights = (y, y - 0.05, y - 0.01 + 0.2 * fall, y + 0.6 * fall, y + 1.15 * fall)
        return smooth(np.stack([np.stack(x) * sides, np.stack(heights)], axis=-1).swapaxes(0, 1))

    @property
    def anterior_ribs(self) -> Points:
        """Centre lines [ribs, n, 2] of the front halves, from flank to cartilage."""
        sides, index = self._numbered(np.arange(1, 7))
        y = self.rib_start + index * self.rib_step + self.rib_slope * (0.18 + 0.02 * index)
        reach, end = self.reach(y, sides), 0.36 + 0.035 * index
        x = (reach, reach - 0.08, 0.6 * reach + 0.4 * end, end)
        heights = (y, y + 0.13, y + 0.26 * self.rib_slope, y + 0.32 * self.rib_slope + 0.02)
        return smooth(np.stack([np.stack(x) * sides, np.stack(heights)], axis=-1).swapaxes(0, 1))

    def _numbered(self, index: NDArray[np.int64]) -> tuple[Points, Points]:
        """Returns the side and the number of each rib of these pairs."""
        return np.repeat(np.array(SIDES, np.float64), len(index)), np.tile(index, len(SIDES))

    def clavicle(self, side: int, turn: float) -> Points:
        """Outline of a collar bone; `turn` moves its inner end, as turning the patient does."""
        line = smooth([(0.14, -0.79), (0.32, -0.86), (0.60, -0.99), (0.85, -1.02), (1.12, -0.98)])
        line = line * (side * self.girth, 1)
        line[:, 0] += turn * np.linspace(1, 0.3, len(line))
        return band(line, 0.09, 0.075)

    def reach(self, y: Points | float, side: Points | float) -> Points:
        """Returns the distance of the cavity's outer edge from the midline at heights `y`."""
        edge = np.interp(y, _CAVITY[3:10, 1], -_CAVITY[3:10, 0])
        reach: Points = edge * self.girth * (1 - np.asarray(side) * self.asymmetry)
        return reach
