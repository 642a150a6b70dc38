"""The images that the gate is fitted and tested on and that are no radiograph."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Final

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from gate_images import Folders, Pixels, at_most
from PIL import Image, ImageDraw
from sklearn.datasets import load_sample_images

from pulmo.core.files import sha256
from pulmo.radiograph import read_radiograph
from pulmo.train.lungs.drawn import drawn_images

PARTS: Final = 15
"""Images that are made of a photograph: itself, and parts of it."""

SMALLEST: Final = 48
"""Shorter side in pixels of the smallest screenshot that is taken."""

PHOTOGRAPHS: Final = {
    "fit": (
        "astronaut.png",
        "brick.png",
        "coffee.png",
        "coins.png",
        "grass.png",
        "horse.png",
        "ihc.png",
        "moon.png",
        "motorcycle_left.png",
        "page.png",
        "retina.jpg",
    ),
    "test": (
        "camera.png",
        "cell.png",
        "chelsea.png",
        "clock_motion.png",
        "color.png",
        "gravel.png",
        "hubble_deep_field.jpg",
        "microaneurysms.png",
        "rocket.jpg",
        "text.png",
    ),
}
"""Images of scikit-image 0.17.2, on each side."""


def others(side: str, folders: Folders) -> Iterator[tuple[str, list[Pixels]]]:
    """Yields images that are no radiograph, with what they are."""
    seed = {"fit": 1, "test": 2}[side]
    generator = np.random.default_rng(seed)
    drawn = drawn_images(350, 224, seed=1_000_000 * seed) / np.float32(255)
    names = ("noise", "gradients", "stripes", "shapes", "leaves", "words")
    for number, name in enumerate(names):
        yield f"{name}, drawn", list(drawn[number::7])
    # The reader refuses an even image itself.
    yield (
        "nearly even grey",
        [
            np.float32(grey) + generator.normal(0, 0.004, (99, 99)).astype(np.float32)
            for grey in generator.uniform(0.02, 0.98, 20)
        ],
    )
    sets = {"fit": "chest_xray", "test": "covid-chestxray-dataset"}
    files = sorted((folders.data / "lung-masks" / sets[side]).rglob("*.png"))[
        :: 8 if side == "fit" else 6
    ]
    yield "masks of lungs", [read_radiograph(file).pixels for file in files[:80]]
    yield "pages of text", [page(side, generator) for _ in range(60)]
    yield "plots", [plot(side, generator) for _ in range(60)]
    parts = [
        part for each in _photographs(side, folders.photographs) for part in _parts(each, generator)
    ]
    yield "photographs", parts
    if side == "test" and folders.screenshots:
        yield "screenshots", _screenshots(folders.screenshots)


def _photographs(side: str, folder: Path) -> list[Pixels]:
    china, flower = (Image.fromarray(each) for each in load_sample_images().images)
    portrait = Image.open(Path(mpl.get_data_path(), "sample_data", "grace_hopper.jpg"))
    files = [Image.open(folder / name) for name in PHOTOGRAPHS[side]]
    installed = [china] if side == "fit" else [flower, portrait]
    return [_grey(each) for each in (*files, *installed)]


def _screenshots(folder: Path) -> list[Pixels]:
    """Returns the PNG images below a folder of `SMALLEST` pixels or more, each content once."""
    files = {sha256(file.read_bytes()): file for file in sorted(folder.rglob("*.png"))}
    pictures = [Image.open(file) for file in files.values()]
    return [_grey(each) for each in pictures if min(each.size) >= SMALLEST]


def _grey(picture: Image.Image) -> Pixels:
    return at_most(np.asarray(picture.convert("L"), np.float32) / np.float32(255))


def _parts(picture: Pixels, generator: np.random.Generator) -> Iterator[Pixels]:
    """Yields a photograph and parts of it."""
    yield picture
    for _ in range(PARTS - 1):
        side = int(generator.integers(min(picture.shape) // 3, min(picture.shape)))
        top, left = (int(generator.integers(0, edge - side + 1)) for edge in picture.shape)
        yield np.ascontiguousarray(picture[top : top + side, left : left + side])


_WORDS: Final = {
    "fit": [
        "the",
        "report",
        "of",
        "this",
        "patient",
        "shows",
        "no",
        "change",
        "since",
        "last",
        "year",
        "and",
        "a",
        "normal",
        "heart",
    ],
    "test": [
        "Invoice",
        "number",
        "total",
        "amount",
        "due",
        "date",
        "name",
        "address",
        "order",
        "Tel.",
        "2021",
        "12.50",
        "page",
    ],
}


def page(side: str, generator: np.random.Generator) -> Pixels:
    """Draws a page of text, as a scan or a window on a screen shows it."""
    width, height = (int(n) for n in generator.integers(300, 700, 2))
    dark = generator.random() < 0.3
    image = Image.new("L", (width, height), 25 if dark else 250)
    pen, ink = ImageDraw.Draw(image), 230 if dark else 10
    size, margin = int(generator.integers(9, 22)), int(generator.integers(5, 60))
    if side == "test" and generator.random() < 0.5:
        pen.rectangle((0, 0, width, 30), fill=120)
        for line in range(margin + 30, height, 3 * size):
            pen.line((margin, line, width - margin, line), fill=ink)
    for line in range(margin, height - margin, round(size * generator.uniform(1.2, 2))):
        words = generator.choice(_WORDS[side], int(generator.integers(1, 14)))
        pen.text((margin, line), " ".join(words), fill=ink, font_size=size)
    return np.asarray(image, np.float32) / np.float32(255)


def plot(side: str, generator: np.random.Generator) -> Pixels:
    """Draws a plot with matplotlib."""
    figure, axes = plt.subplots(figsize=tuple(generator.uniform(2.5, 5, 2)), dpi=80)
    numbers = generator.random((2, 30))
    kinds = {
        "fit": (
            lambda: axes.plot(numbers.T),
            lambda: axes.bar(range(8), numbers[0, :8]),
            lambda: axes.scatter(*numbers),
        ),
        "test": (
            lambda: axes.hist(numbers.T),
            lambda: axes.pie(numbers[0, :6]),
            lambda: axes.boxplot(numbers.T),
            lambda: axes.imshow(generator.random((6, 8)), cmap="gray"),
        ),
    }[side]
    kinds[int(generator.integers(len(kinds)))]()
    axes.set_title("Values")
    file = BytesIO()
    figure.savefig(file, dpi="figure")
    plt.close(figure)
    return np.asarray(Image.open(file).convert("L"), np.float32) / np.float32(255)
