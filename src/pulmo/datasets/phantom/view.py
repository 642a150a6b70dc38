"""The view: how the patient stands before the image."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from pulmo.datasets.phantom.canvas import Canvas


@dataclass(frozen=True)
class View:
    """One exposure's position.

    Attributes:
        name: `PA` or `AP`; an AP image shows a larger heart and the shoulder blades on the lungs.
        zoom: size of the body on the image, about 1.
        shift: of the body in its own units, (x, y).
        tilt: of the body on the image in radians.
        turn: of the patient about the long axis; positive moves the front to the patient's left.
        breath: depth of the breath, about 1; less shows shorter lungs.
    """

    name: str
    zoom: float
    shift: tuple[float, float]
    tilt: float
    turn: float
    breath: float

    @classmethod
    def of(cls, generator: np.random.Generator) -> Self:
        """Draws a view."""
        name = "PA" if generator.random() < 0.6 else "AP"
        return cls(
            name=name,
            zoom=generator.uniform(0.93, 1.12),
            shift=(generator.normal(0, 0.05), generator.normal(0, 0.05)),
            tilt=generator.normal(0, 0.03),
            turn=generator.normal(0, 0.05),
            breath=generator.uniform(0.94, 1.04) - (0.08 if name == "AP" else 0),
        )

    def canvas(self, height: int, width: int) -> Canvas:
        """Returns the plane of an image of this size in pixels."""
        scale = min(width / 2.55, height / 2.6) * self.zoom
        cosine, sine = np.cos(self.tilt) * scale, np.sin(self.tilt) * scale
        linear = np.array([[cosine, -sine * self.breath], [sine, cosine * self.breath]])
        middle = np.array([width / 2, height * 0.49])
        offset = middle + linear @ np.array(self.shift)
        return Canvas(height, width, np.concatenate([linear, offset[:, None]], axis=1))
