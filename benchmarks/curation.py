"""Measures how well `pulmo data curate` finds copies, compared with a perceptual hash alone.

On copies made of drawn images and, with --data, of real ones, in two halves: the limits were chosen
on the first half of the real images, and the values of the second half count. Then, with --data, on
the public sets as they are, by curation_sets.py.
"""

import argparse
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pulmo.core.files import write_atomically
from pulmo.datasets.curate.candidates import candidates
from pulmo.datasets.curate.fingerprint import Fingerprint, fingerprint
from pulmo.datasets.curate.gallery import Gallery
from pulmo.datasets.curate.verify import Evidence, compare
from pulmo.datasets.phantom import PHANTOM_LABELS, draw
from pulmo.radiograph import read_radiograph
from pulmo.stats.estimate import Estimate
from pulmo.stats.proportions import wilson

Grey = NDArray[np.uint8]
Maker = Callable[[Grey, np.random.Generator], Grey]

RESULTS = Path(__file__).parents[1] / "docs" / "results" / "curation.md"
HASH_LIMIT: Final = 10
"""Bits of 64, a usual limit of tools that compare perceptual hashes alone."""

PLACES: Final = (
    "chest_xray",
    "COVID-19_Radiography_Dataset",
    "covid-chestxray-dataset/images",
    "darkcovidnet",
)
IMAGES: Final = {".jpeg", ".jpg", ".png"}

HEAD: Final = """# Finding copies

Made by `python benchmarks/curation.py --data ...`.

## Copies that were made

Of each image one copy is made, of one kind at a time (`KINDS` in the benchmark), and all images and
copies are compared with each other. Recall is the share of copies that are found, precision the
share of the pairs found that are an image and its copy; intervals are Wilson's, 95 %. Next to it
the same for a perceptual hash alone (pHash of 64 bits, of which at most 10 differ)."""


def crop(image: Grey, generator: np.random.Generator) -> Grey:
    """Cuts 5 to 30 % off each direction, which changes the aspect ratio too."""
    sides = [round(side * generator.uniform(0.7, 0.95)) for side in image.shape]
    top, left = (
        int(generator.integers(0, whole - side + 1))
        for whole, side in zip(image.shape, sides, strict=True)
    )
    return image[top : top + sides[0], left : left + sides[1]]


def rescale(image: Grey, generator: np.random.Generator) -> Grey:
    """Makes it 50 to 90 % as large, with another aspect ratio."""
    squash = generator.uniform(0.8, 1.25) ** 0.5
    height, width = image.shape
    scale = generator.uniform(0.5, 0.9)
    size = round(width * scale * squash), round(height * scale / squash)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def recompress(image: Grey, generator: np.random.Generator) -> Grey:
    """Stores it as JPEG of quality 20 to 50."""
    quality = int(generator.integers(20, 51))
    data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)


def contrast(image: Grey, generator: np.random.Generator) -> Grey:
    """Changes gamma, contrast and brightness, so that some greys are cut off."""
    values = (image / 255) ** np.exp(generator.uniform(-0.5, 0.5))
    values = (values - 0.5) * generator.uniform(0.6, 1.3) + 0.5 + generator.uniform(-0.12, 0.12)
    return np.asarray(np.clip(values, 0, 1) * 255, np.uint8)


def border(image: Grey, generator: np.random.Generator) -> Grey:
    """Adds a black, grey or white border, 2 to 12 % wide on each side."""
    shape = np.repeat(image.shape, 2)
    top, bottom, left, right = (int(v) for v in generator.uniform(0.02, 0.12, 4) * shape)
    value = int(generator.choice([0, 128, 255]))
    framed = cv2.copyMakeBorder(
        image, top, bottom, left, right, cv2.BORDER_CONSTANT, value=(value,)
    )
    return np.asarray(framed, np.uint8)


def flip(image: Grey, generator: np.random.Generator) -> Grey:
    """Mirrors it, left to right or upside down."""
    return np.ascontiguousarray(np.flip(image, axis=int(generator.integers(2))))


def quarter_turn(image: Grey, generator: np.random.Generator) -> Grey:
    """Turns it by 90, 180 or 270 degrees."""
    return np.ascontiguousarray(np.rot90(image, int(generator.integers(1, 4))))


def rotate(image: Grey, generator: np.random.Generator) -> Grey:
    """Turns it by 1 to 6 degrees; the corners become black."""
    height, width = image.shape
    angle = float(generator.uniform(1, 6) * generator.choice([-1, 1]))
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1)
    return np.asarray(cv2.warpAffine(image, turn, (width, height)), np.uint8)


def text(image: Grey, generator: np.random.Generator) -> Grey:
    """Burns three words in."""
    written = image.copy()
    height, width = image.shape
    for word in generator.choice(["PORTABLE", "R", "AP SUPINE", "12/03 08:14", "482913"], 3):
        place = int(generator.uniform(0, 0.7) * width), int(generator.uniform(0.1, 0.95) * height)
        size = height / 400 * generator.uniform(0.6, 1.2)
        cv2.putText(written, str(word), place, cv2.FONT_HERSHEY_SIMPLEX, size, (255,), 1)
    return written


def several(image: Grey, generator: np.random.Generator) -> Grey:
    """Crops, rescales, changes the contrast, sometimes mirrors, and compresses."""
    changed = contrast(rescale(crop(image, generator), generator), generator)
    if generator.random() < 0.3:
        changed = flip(changed, generator)
    return recompress(changed, generator)


KINDS: Final[tuple[Maker, ...]] = (
    crop, rescale, recompress, contrast, border, flip, quarter_turn, rotate, text, several,
)  # fmt: skip


class Score(NamedTuple):
    """How one way to look for copies did: pairs that are copies, found, and found rightly."""

    copies: int
    found: int
    right: int

    def __str__(self) -> str:
        return f"{share(self.right, self.copies)} | {share(self.right, self.found)}"


def share(hits: int, n: int) -> str:
    """Returns a proportion with its interval."""
    if n == 0:
        return "none found"
    return f"{Estimate(hits / n, *wilson(hits / n, n), n)} of {n}"


def score_kind(
    images: Sequence[Grey], prints: Sequence[Fingerprint], kind: Maker, seed: int
) -> tuple[Score, Score]:
    """Makes a copy of each image and looks for all copies; returns the score and the hash's."""
    generator = np.random.default_rng(seed)
    with Gallery() as gallery:
        for each in prints:
            gallery.add(each)
        for image in images:
            gallery.add(fingerprint(as_pixels(kind(image, generator))))
        hashes = gallery.hashes()[:, 0]
        distances = np.bitwise_count(hashes[:, None] ^ hashes)
        close = {(int(a), int(b)) for a, b in np.argwhere(distances <= HASH_LIMIT) if a < b}
        found = {pair for pair, evidence in compared(gallery) if evidence.copies}
    truth = {(place, place + len(images)) for place in range(len(images))}
    ours, theirs = (Score(len(truth), len(each), len(each & truth)) for each in (found, close))
    return ours, theirs


def as_pixels(image: Grey) -> NDArray[np.float32]:
    """Returns an image as a radiograph's pixels."""
    return np.asarray(image / 255, np.float32)


def compared(gallery: Gallery) -> Iterator[tuple[tuple[int, int], Evidence]]:
    """Yields the pairs that are worth a closer look, with what it shows."""
    for first, second, mirrored in candidates(gallery).tolist():
        evidence = compare(gallery[first], gallery[second], mirrored=bool(mirrored))
        if evidence:
            yield (first, second), evidence


def drawn_images(n: int) -> list[Grey]:
    """Draws images of n patients, two of each, so that like images are there that are no copies."""
    generator = np.random.default_rng(0)
    return [
        (draw(PHANTOM_LABELS[patient % 4], patient, generator).pixels * 255).astype(np.uint8)
        for patient in range(n)
        for _ in range(2)
    ]


def real_images(data: Path, n: int) -> tuple[list[Grey], list[Grey]]:
    """Returns n images of the public sets for each half, whose hash decides in which one it is."""
    halves: tuple[list[Grey], list[Grey]] = ([], [])
    paths = sorted(
        path for place in PLACES for path in (data / place).rglob("*") if path.suffix in IMAGES
    )
    for place in np.random.default_rng(1).permutation(len(paths)):
        radiograph = read_radiograph(paths[place])
        half = halves[int(radiograph.sha256[0], 16) // 8]
        if len(half) < n:
            half.append((radiograph.pixels * 255).astype(np.uint8))
        if min(map(len, halves)) == n:
            break
    return halves


def table(name: str, images: Sequence[Grey]) -> Iterator[str]:
    """Yields the lines of one collection's table."""
    prints = [fingerprint(as_pixels(image)) for image in images]
    yield f"### {name}"
    yield ""
    yield "| copy | curate: recall | precision | pHash alone: recall | precision |"
    yield "| --- | --- | --- | --- | --- |"
    sums = np.zeros((2, 3), int)
    for seed, kind in enumerate(KINDS):
        scores = score_kind(images, prints, kind, seed)
        sums += np.array(scores)
        yield f"| {kind.__name__.replace('_', ' ')} | {scores[0]} | {scores[1]} |"
        print(kind.__name__, *scores, flush=True)
    ours, theirs = (Score(*each.tolist()) for each in sums)
    yield f"| all | {ours} | {theirs} |"
    yield ""


def main() -> None:
    """Measures and writes the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with the public sets")
    parser.add_argument("--images", type=int, default=150, help="images of each collection")
    parser.add_argument("--output", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    lines = [HEAD, ""]
    lines += table("Drawn images", drawn_images(arguments.images // 2))
    if arguments.data:
        first, second = real_images(arguments.data, arguments.images)
        lines += table("Real images, the half on which the limits were chosen", first)
        lines += table("Real images, the other half", second)
        command = [sys.executable, Path(__file__).with_name("curation_sets.py"), arguments.data]
        lines.append(subprocess.run(command, check=True, stdout=-1, text=True).stdout)
    write_atomically(arguments.output, "\n".join(lines).encode())


if __name__ == "__main__":
    main()
