"""How a body becomes an image: blur, noise, exposure, collimation, markers. It knows no class."""

from dataclasses import dataclass
from typing import Final, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from pulmo.datasets.phantom.canvas import Layer

_FONTS: Final = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_PLAIN)
_ATTENUATION = 2.2
"""Natural logarithm of how many times fewer quanta pass at density 1 than at 0."""


@dataclass(frozen=True)
class Exposure:
    """The settings of one exposure.

    Attributes:
        blur: of focus and detector, standard deviation in units of the body.
        noise: standard deviation of the noise at density 0.4.
        black: density shown black.
        white: density shown white.
        gamma: exponent of the grey values.
        contrast: how far the tone curve is S-shaped, 0 to 1.
        shading: difference of density across the image, (to the right, downwards).
        margins: what the collimator covers, as fractions of the side: left, top, right, bottom.
    """

    blur: float
    noise: float
    black: float
    white: float
    gamma: float
    contrast: float
    shading: tuple[float, float]
    margins: tuple[float, float, float, float]

    @classmethod
    def of(cls, generator: np.random.Generator) -> Self:
        """Draws the settings."""
        covered = generator.uniform(0.0, 0.055, 4) * (generator.random(4) < 0.35)
        left, top, right, bottom = covered.tolist()
        return cls(
            blur=generator.uniform(0.006, 0.013),
            noise=generator.uniform(0.005, 0.018),
            black=generator.uniform(-0.02, 0.17),
            white=generator.uniform(0.88, 1.10),
            gamma=generator.uniform(0.85, 1.35),
            contrast=generator.uniform(0.0, 0.7),
            shading=(generator.normal(0, 0.03), generator.normal(0, 0.03)),
            margins=(left, top, right, bottom),
        )


def expose(density: Layer, exposure: Exposure, generator: np.random.Generator) -> Layer:
    """Returns the grey values, float32 [height, width] in [0, 1], 0 black.

    Every pixel depends on its own density alone, so what lies inside the lungs cannot be inferred
    from the pixels outside.

    Args:
        density: float32 [height, width], already blurred.
        exposure: the settings.
        generator: where the noise is drawn from.
    """
    height, width = density.shape
    # Quanta are counted, so the noise of their logarithm grows as the square root of their lack.
    grain = np.exp(np.float32(_ATTENUATION / 2) * (density - np.float32(0.4)))
    noise = generator.standard_normal(density.shape, np.float32)
    across = np.linspace(-0.5, 0.5, width, dtype=np.float32) * np.float32(exposure.shading[0])
    down = np.linspace(-0.5, 0.5, height, dtype=np.float32) * np.float32(exposure.shading[1])
    seen = density + np.float32(exposure.noise) * grain * noise + across + down[:, None]
    scale = exposure.white - exposure.black
    grey = np.clip((seen - np.float32(exposure.black)) / np.float32(scale), 0, 1)
    grey **= np.float32(exposure.gamma)
    curve = grey * grey * (3 - 2 * grey)
    shown: Layer = grey + np.float32(exposure.contrast) * (curve - grey)
    return shown


def finish(image: Layer, exposure: Exposure, view: str, generator: np.random.Generator) -> Layer:
    """Returns the image with its edges covered and its markers set.

    Args:
        image: float32 [height, width] in [0, 1].
        exposure: the settings.
        view: name of the view, which may be written on the image.
        generator: where the markers are drawn from.
    """
    height, width = image.shape
    left, top, right, bottom = exposure.margins
    finished = np.zeros_like(image)
    rows = slice(round(top * height), height - round(bottom * height))
    columns = slice(round(left * width), width - round(right * width))
    finished[rows, columns] = image[rows, columns]
    return np.maximum(finished, _markers(image.shape, view, generator))


def _markers(
    shape: tuple[int, ...], view: str, generator: np.random.Generator
) -> NDArray[np.float32]:
    """Draws the letter of the side, and perhaps a line of text in another corner."""
    image = np.zeros(shape, np.uint8)
    side = int(generator.choice([-1, 1]))
    low = bool(generator.random() < 0.25)
    letter = "R" if side < 0 else "L"
    words = (
        view,
        "ERECT",
        "SUPINE",
        "PORTABLE",
        f"{generator.integers(1, 25)}:{generator.integers(10, 60)}",
    )
    word = str(generator.choice(words))
    size = generator.uniform(0.045, 0.075)
    has_letter, has_word = generator.random(2) < (0.85, 0.4)
    if has_letter:
        _write(image, letter, (side, low), size, generator)
    if has_word:
        _write(image, word, (-side, bool(generator.random() < 0.5)), 0.6 * size, generator)
    return image.astype(np.float32) * np.float32(generator.uniform(0.8, 1.0) / 255)


def _write(
    image: NDArray[np.uint8],
    text: str,
    corner: tuple[int, bool],
    size: float,
    generator: np.random.Generator,
) -> None:
    """Writes `text` into a corner: (-1 left or 1 right, whether it is a lower one)."""
    height, width = image.shape
    font = _FONTS[generator.integers(len(_FONTS))]
    thickness = max(1, round(size * height / 12))
    scale = cv2.getFontScaleFromHeight(font, max(7, round(size * height)), thickness)
    (wide, high), _ = cv2.getTextSize(text, font, scale, thickness)
    x, y = generator.uniform(0.02, 0.09, 2) * (width, height)
    side, low = corner
    column = round(x) if side < 0 else round(width - x - wide)
    row = round(height - y) if low else round(y + high)
    cv2.putText(image, text, (column, row), font, scale, 255, thickness, cv2.LINE_AA)
