"""Images without lungs, drawn at random, so that a network learns to find none in them."""

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

_WORDS = ("R", "L", "AP ERECT", "PORTABLE", "Day 3", "Fig. 2", "12:40", "A", "SUPINE", "x100")


def drawn_images(count: int, size: int, seed: int) -> Pixels:
    """Returns images without lungs, uint8 [count, size, size].

    Noise of every coarseness, gradients, stripes, scattered shapes, leaves that hide each other (a
    model of photographs: Lee, Mumford and Huang 2001), pages of text, and slices such as a CT
    shows. They take turns.
    """
    kinds = (_noise, _gradient, _stripes, _shapes, _leaves, _page, _slice)
    images = np.empty((count, size, size), np.uint8)
    for number, image in enumerate(images):
        generator = np.random.default_rng([seed, number])
        image[:] = kinds[number % len(kinds)](size, generator)
    return images


def add_marks(images: Pixels, generator: np.random.Generator) -> Pixels:
    """Returns images uint8 [n, size, size], some with a frame, a rectangle or a word on them."""
    marked = images.copy()
    size = images.shape[1]
    for image in marked:
        grey = (0, 255, int(generator.integers(256)))[int(generator.integers(3))]
        if generator.random() < 0.15:
            edges = generator.integers(0, max(2, size // 12), 4)
            image[: edges[0]], image[:, : edges[1]] = grey, grey
            image[size - edges[2] :], image[:, size - edges[3] :] = grey, grey
        if generator.random() < 0.15:
            _rectangle(image, grey, generator, size // 4)
        if generator.random() < 0.3:
            _word(image, 255 - grey if generator.random() < 0.5 else 255, generator)
    return marked


def _noise(size: int, generator: np.random.Generator) -> Pixels:
    noise = generator.standard_normal((size, size), np.float32)
    coarse = float(generator.choice([0, 1, size / 32, size / 12, size / 6]))
    blurred = cv2.GaussianBlur(noise, (0, 0), coarse) if coarse else noise
    return _stretched(np.asarray(blurred, np.float32))


def _gradient(size: int, generator: np.random.Generator) -> Pixels:
    across, down = np.meshgrid(*[np.linspace(-1, 1, size, dtype=np.float32)] * 2)
    turn, power = generator.uniform(0, 2 * np.pi), generator.uniform(0.5, 2)
    round_one = np.hypot(across - generator.uniform(-1, 1), down - generator.uniform(-1, 1))
    straight = np.cos(turn) * across + np.sin(turn) * down
    field = _stretched(straight if generator.random() < 0.5 else round_one) / 255
    return _stretched(field**power + 0.03 * generator.standard_normal((size, size)))


def _stripes(size: int, generator: np.random.Generator) -> Pixels:
    across, down = np.meshgrid(*[np.linspace(0, 2 * np.pi, size, dtype=np.float32)] * 2)
    first, second = generator.uniform(1, 12, 2)
    field = np.sin(first * across + generator.uniform(0, 6))
    if generator.random() < 0.6:
        field = field * np.sin(second * down)
    return _stretched(np.sign(field) if generator.random() < 0.5 else field)


def _shapes(size: int, generator: np.random.Generator) -> Pixels:
    image = np.full((size, size), generator.integers(256), np.uint8)
    for _ in range(int(generator.integers(2, 12))):
        _shape(image, generator, size / generator.uniform(4, 12))
    return _softened(image, generator)


def _leaves(size: int, generator: np.random.Generator) -> Pixels:
    image = np.zeros((size, size), np.uint8)
    for radius in np.sort(size / 2 * generator.power(0.7, 300))[::-1]:
        _shape(image, generator, max(1.0, float(radius)))
    grain = generator.normal(0, generator.uniform(0, 15), image.shape)
    return _softened(np.clip(image + grain, 0, 255).astype(np.uint8), generator)


def _page(size: int, generator: np.random.Generator) -> Pixels:
    paper = int(generator.choice([0, 255]))
    image = np.full((size, size), paper, np.uint8)
    for _ in range(int(generator.integers(5, 40))):
        _word(image, 255 - paper, generator)
    return _softened(image, generator)


def _slice(size: int, generator: np.random.Generator) -> Pixels:
    """An axial slice of a chest: a ring of bone, a spine, a heart and two dark lungs."""
    unit, middle = size / 2, size / 2
    image = np.zeros((size, size), np.uint8)
    body = generator.uniform(0.7, 0.95) * unit, generator.uniform(0.5, 0.75) * unit
    tissue = int(generator.integers(90, 170))

    def oval(x: float, y: float, axes: tuple[float, float], grey: int, turn: float = 0) -> None:
        centre = (round(middle + x * body[0]), round(middle + y * body[1]))
        lengths = (max(1, round(axes[0])), max(1, round(axes[1])))
        cv2.ellipse(image, centre, lengths, turn, 0, 360, grey, -1, cv2.LINE_AA)

    oval(0, 0, body, tissue)
    oval(0, 0, (body[0] * 0.85, body[1] * 0.82), min(255, tissue + 25))
    air = int(generator.integers(5, 70))
    for side in (-1, 1):
        axes = body[0] * generator.uniform(0.25, 0.36), body[1] * generator.uniform(0.5, 0.68)
        oval(side * 0.45, 0.02, axes, air, side * generator.uniform(-15, 15))
        for _ in range(int(generator.integers(4, 25))):
            x, y = side * generator.uniform(0.25, 0.65), generator.uniform(-0.4, 0.4)
            oval(x, y, (generator.uniform(1, unit / 20),) * 2, int(generator.integers(60, 200)))
    oval(0.08, -0.2, (body[0] * 0.25, body[1] * 0.3), min(255, tissue + 40))
    oval(0, 0.6, (body[0] * 0.13, body[1] * 0.16), 235)
    return _softened(image, generator)


def _shape(image: Pixels, generator: np.random.Generator, radius: float) -> None:
    """Draws an oval, a rectangle or a line of some grey."""
    size, grey = image.shape[0], int(generator.integers(256))
    x, y = (int(n) for n in generator.integers(0, size, 2))
    axes = (max(1, round(radius)), max(1, round(radius * generator.uniform(0.4, 1))))
    turn = float(generator.uniform(0, 180))
    match generator.integers(3):
        case 0:
            cv2.ellipse(image, (x, y), axes, turn, 0, 360, grey, -1)
        case 1:
            corners = cv2.boxPoints(((x, y), axes, turn))
            cv2.fillPoly(image, [corners.astype(np.int32)], grey)
        case _:
            end = generator.integers(0, size, 2)
            cv2.line(image, (x, y), (int(end[0]), int(end[1])), grey, max(1, axes[1] // 4))


def _rectangle(image: Pixels, grey: int, generator: np.random.Generator, largest: int) -> None:
    size = image.shape[0]
    height, width = generator.integers(2, largest, 2)
    top, left = generator.integers(0, size - height), generator.integers(0, size - width)
    image[top : top + height, left : left + width] = grey


def _word(image: Pixels, grey: int, generator: np.random.Generator) -> None:
    size = image.shape[0]
    place = (int(generator.integers(0, size)), int(generator.integers(8, size)))
    word, scale = str(generator.choice(_WORDS)), float(generator.uniform(0.25, 0.8))
    cv2.putText(image, word, place, cv2.FONT_HERSHEY_SIMPLEX, scale, grey, 1, cv2.LINE_AA)


def _softened(image: Pixels, generator: np.random.Generator) -> Pixels:
    """Returns an image blurred a little, or not."""
    blur = float(generator.uniform(0, 2))
    return np.asarray(cv2.GaussianBlur(image, (0, 0), blur), np.uint8) if blur > 0.5 else image


def _stretched(field: NDArray[np.floating]) -> Pixels:
    """Returns a field as greys from 0 to 255."""
    low, high = float(field.min()), float(field.max())
    greys: Pixels = np.rint((field - low) / (high - low) * 255).astype(np.uint8)
    return greys
