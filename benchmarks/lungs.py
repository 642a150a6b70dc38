"""Measures the network of the lungs: overlap with masks, refusals, what it invents, and speed.

The test split of its training is used for the overlap; no image of it was shown in training, nor a
copy, nor another image of the patient. With --worst the worst masks are drawn.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_sample_images

from pulmo import stats
from pulmo.core.files import write_atomically
from pulmo.core.folders import LungRunFolder
from pulmo.datasets.manifest import Manifest, read_manifest
from pulmo.datasets.phantom import PHANTOM_LABELS, draw
from pulmo.datasets.source import images_below
from pulmo.lungs import LungFinder, LungMask, shipped_finder
from pulmo.lungs.mask_files import LungMasks, find_masks
from pulmo.lungs.parts import parts_of
from pulmo.radiograph import Radiograph, radiograph_from_array, read_radiograph
from pulmo.radiograph.changes import DISTURBANCES
from pulmo.radiograph.geometry import to_input
from pulmo.stats.estimate import Estimate
from pulmo.stats.overlap import dice, hausdorff
from pulmo.train.lungs.data import lung_rows
from pulmo.train.lungs.drawn import drawn_images

RESULTS = Path(__file__).parents[1] / "docs" / "results" / "lungs.md"

CHESTS: Final = {
    "COVID-19_Radiography_Dataset/Normal": "adults, RSNA",
    "COVID-19_Radiography_Dataset/COVID": "adults, Spain",
    "adult-normals": "adults",
    "Figure1-COVID-chestxray-dataset": "adults",
    "tuberculosis": "adults, tuberculosis",
}
"""Folder -> whose chests; no image of them was shown in training, but for copies in Cohen's set."""

CHANGES: Final = ("gamma", "contrast", "noise", "inversion", "blur", "JPEG", "resolution")
SEED: Final = 20


class Tested(NamedTuple):
    """A test image with its mask.

    Attributes:
        row: of the manifest, as a named tuple.
        radiograph: the image.
        truth: the mask of its file, bool [height, width].
        found: what the network found.
    """

    row: pd.Series
    radiograph: Radiograph
    truth: NDArray[np.bool_]
    found: LungMask


def main() -> None:
    """Writes the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="the folder of the training")
    parser.add_argument("--data", type=Path, required=True, help="the folder of the public sets")
    parser.add_argument("--limit", type=int, default=1000, help="images of a folder at most")
    parser.add_argument("--worst", type=Path, help="a folder for drawings of the worst masks")
    parser.add_argument("--output", type=Path, default=RESULTS)
    asked = parser.parse_args()
    finder, folder = shipped_finder(), LungRunFolder(asked.run)
    masks = find_masks(asked.data / "lung-masks")
    rows = lung_rows(read_manifest(folder.manifest).split("test"), masks)
    tested = [_test(row, masks, finder) for _, row in rows.masked.frame.iterrows()]
    title = (
        "# Lung masks\n\nMade by `python benchmarks/lungs.py --run RUN --data DATA --limit "
        f"{asked.limit}` with the network that comes with pulmo "
        "([how it is trained](../how-to/find-lungs.md))."
    )
    parts = [
        title,
        _card_text(finder, rows.masked),
        overlap(tested, finder),
        worst(tested),
        changed(tested, finder),
        chests(asked.data, asked.limit, finder, rows.masked),
        others(asked.data, finder, rows.other, tested),
        speed(finder),
    ]
    write_atomically(asked.output, ("\n\n".join(parts) + "\n").encode())
    if asked.worst:
        draw_worst(tested, asked.worst)


def _test(row: pd.Series, masks: LungMasks, finder: LungFinder) -> Tested:
    radiograph = read_radiograph(row["path"])
    file = masks.of(row["path"])
    if file is None:
        raise LookupError(row["path"])
    return Tested(row, radiograph, read_radiograph(file).pixels > 0.5, finder.find(radiograph))


def _card_text(finder: LungFinder, test: Manifest) -> str:
    card = finder.card
    shown = ", ".join(f"{n} of {source}" for source, n in card.images.items())
    counts = test.frame["source"].value_counts()
    return (
        f"Input {card.size} x {card.size} pixels, squashed; {shown} with a mask and {card.without} "
        f"images without lungs in training; validation on {card.validation[0]} and "
        f"{card.validation[1]}, whose mean Dice coefficient ({card.val_dice:.4f}) gave the "
        f"threshold {card.threshold:g} and whose masks gave the rule. The test has "
        f"{', '.join(f'{n} of {source}' for source, n in counts.items())}. Intervals are 95 %, "
        "over groups (patients and copies). An image without lungs found counts with a Dice "
        "coefficient of 0."
    )


def overlap(tested: Sequence[Tested], finder: LungFinder) -> str:
    """Returns the table of the overlap with the masks, by source and view."""
    frame = pd.DataFrame([_values(each, finder) for each in tested])
    rows = []
    groups = [*frame.groupby("source"), *frame[frame["source"] == "cohen"].groupby("view")]
    for name, part in groups:
        diagonal = finder.card.size * 2**0.5
        distance = part["distance"].replace(np.inf, diagonal)
        rows.append(
            (
                str(name if name in set(frame["source"]) else f"cohen, {name}"),
                _mean(part["dice"], part["group"]),
                f"{part['dice'].median():.3f}",
                f"{part['dice'].min():.3f}",
                _mean(part["right"], part["group"]),
                _mean(part["left"], part["group"]),
                f"{_mean(distance, part['group'], 2)} ({distance.mean() / diagonal:.1%})",
                f"{distance.median():.2f}",
            )
        )
    head = (
        "images", "Dice", "median", "lowest", "right lung", "left lung",
        "Hausdorff 95 %, pixels (of the diagonal)", "median",
    )  # fmt: skip
    text = (
        "## Overlap with the masks\n\nDice coefficients at the size of the image; the robust "
        "Hausdorff distance (95 %) in pixels of the network's square. The lung of the patient's "
        "right side is that on the left of the image; the masks of people are parted by the same "
        "code as the network's."
    )
    return f"{text}\n\n{_table(head, rows)}"


def _values(each: Tested, finder: LungFinder) -> dict[str, object]:
    size = finder.card.size
    square = to_input(each.radiograph.pixels, size, "squash")
    found = finder.decide(finder.probabilities(square[None])[0], (size, size)).mask
    truth = to_input(each.truth.astype(np.float32), size, "squash") > 127
    parted = parts_of(each.truth)
    pairs = {
        "dice": (each.found.mask, each.truth),
        "right": (each.found.right, parted.left),
        "left": (each.found.left, parted.right),
    }
    values: dict[str, object] = {
        name: float(dice(one[None], other[None])[0]) for name, (one, other) in pairs.items()
    }
    return values | {
        "distance": hausdorff(found, truth),
        "source": each.row["source"],
        "view": each.row["view"],
        "group": each.row["group"],
    }


def _dice_of(each: Tested) -> float:
    return float(dice(each.found.mask[None], each.truth[None])[0])


def worst(tested: Sequence[Tested], count: int = 10) -> str:
    """Returns the list of the images with the lowest Dice coefficients."""
    lowest = sorted(tested, key=_dice_of)[:count]
    rows = [
        (
            Path(each.row["path"]).name,
            str(each.row["source"]),
            str(each.row["label"]),
            f"{_dice_of(each):.3f}",
            each.found.reason or "",
        )
        for each in lowest
    ]
    head = ("image", "source", "label", "Dice", "no lungs found because")
    text = (
        "In drawings of the worst masks (`--worst DIR`) almost all of the difference is at the "
        "diaphragm: people drew through opaque or hidden lung bases, some down to the deepest "
        "recess and some not, and the network stays on what is seen or the reverse. Others are a "
        "device or gas in the stomach that was taken as lung, and the lung behind the heart."
    )
    return f"## The worst\n\n{text}\n\n{_table(head, rows)}"


def changed(tested: Sequence[Tested], finder: LungFinder) -> str:
    """Returns the table of the overlap after changes of the images, at the network's size."""
    size = finder.card.size
    inputs = np.stack([to_input(each.radiograph.pixels, size, "squash") for each in tested])
    truth = np.stack(
        [to_input(each.truth.astype(np.float32), size, "squash") > 127 for each in tested]
    )
    groups = [str(each.row["group"]) for each in tested]
    rows = [("none", *_overlap_of(finder, inputs, truth, groups))]
    for name in CHANGES:
        kind = DISTURBANCES[name]
        for strength in kind.strengths:
            change = kind.make(strength, np.random.default_rng(SEED))
            words = kind.words.format(strength)
            rows.append((words, *_overlap_of(finder, change(inputs), truth, groups)))
    text = (
        "## Changed images\n\nAll test images after the changes of an audit, at the network's size."
    )
    return f"{text}\n\n{_table(('change', 'Dice', 'no lungs found'), rows)}"


def _overlap_of(
    finder: LungFinder,
    inputs: NDArray[np.uint8],
    truth: NDArray[np.bool_],
    groups: Sequence[str],
) -> tuple[str, str]:
    found = [_decided(finder, each) for each in inputs]
    values = dice(np.stack([each.mask for each in found]), truth)
    return _mean(values, groups), str(sum(not each.found for each in found))


def _decided(finder: LungFinder, square: NDArray[np.uint8]) -> LungMask:
    return finder.decide(finder.probabilities(square[None])[0], square.shape)


def chests(data: Path, limit: int, finder: LungFinder, test: Manifest) -> str:
    """Returns the table of chests in which no lungs were found."""
    rows = []
    for source, part in test.frame.groupby("source"):
        read = [read_radiograph(path) for path in part["path"]]
        rows.append(_refusals(f"{source}, test with a mask", read, finder, list(part["group"])))
    for name, whose in CHESTS.items():
        read = [read_radiograph(path) for path in _files(data / name, limit)]
        rows.append(_refusals(f"{name} ({whose})", read, finder))
    drawn = [
        radiograph_from_array(
            draw(PHANTOM_LABELS[n % 4], n, np.random.default_rng(n), 224).pixels, (0, 1)
        )
        for n in range(100)
    ]
    rows.append(_refusals("phantoms of `pulmo data phantom`", drawn, finder))
    text = (
        "## Chests in which no lungs were found\n\nOf large folders "
        f"{limit} images, drawn at random, count. Images of these sets may be copies of one "
        "patient, which is not known, so their intervals are of single images."
    )
    return f"{text}\n\n{_table(('images', 'no lungs found', 'of', 'reasons'), rows)}"


def others(data: Path, finder: LungFinder, other: Manifest, tested: Sequence[Tested]) -> str:
    """Returns the table of images that are no frontal chest, and in which lungs were invented."""
    size, rows = finder.card.size, []
    for kind, part in other.frame.groupby("modality"):
        read = [read_radiograph(path) for path in part["path"]]
        name = "lateral views" if kind == "X-ray" else "CT slices"
        groups = list(part["group"])
        rows.append(_inventions(f"{name} of cohen, test", read, finder, groups))
    slices = [read_radiograph(path) for path in _files(data / "COVID-CT", 10_000)]
    rows.append(_inventions("CT slices of COVID-CT", slices, finder))
    drawn = drawn_images(280, size, seed=1_000_000)
    names = ("noise", "gradients", "stripes", "shapes", "leaves", "text", "drawn CT slices")
    for number, name in enumerate(names):
        read = [_as_radiograph(each) for each in drawn[number :: len(names)]]
        rows.append(_inventions(f"{name}, drawn", read, finder))
    rows.append(_inventions("parts of 3 photographs", list(photographs()), finder))
    turned: dict[str, Callable[[NDArray[np.float32]], NDArray[np.float32]]] = {
        "test images, turned by 90 degrees": np.rot90,
        "test images, upside down": np.flipud,
    }
    for name, turn in turned.items():
        read = [
            radiograph_from_array(np.ascontiguousarray(turn(each.radiograph.pixels)), (0, 1))
            for each in tested
        ]
        rows.append(_inventions(name, read, finder))
    text = (
        "## Images that are no frontal chest\n\nIn how many lungs were found all the same. Images "
        "like the first two and the drawn ones were shown in training, of other patients and with "
        "other random numbers; no image of COVID-CT and no photograph was."
    )
    return f"{text}\n\n{_table(('images', 'lungs found', 'of'), rows)}"


def photographs() -> list[Radiograph]:
    """Returns parts of photographs that come with scikit-learn and matplotlib, as grey images."""
    generator = np.random.default_rng(SEED)
    portrait = Path(mpl.get_data_path(), "sample_data", "grace_hopper.jpg")
    whole = [np.asarray(Image.open(portrait).convert("L"))]
    whole += [
        np.asarray(Image.fromarray(each).convert("L")) for each in load_sample_images().images
    ]
    parts = []
    for image in whole:
        for _ in range(40):
            side = int(generator.integers(min(image.shape) // 4, min(image.shape)))
            top, left = (int(generator.integers(0, edge - side)) for edge in image.shape)
            parts.append(_as_radiograph(image[top : top + side, left : left + side]))
    return parts


def speed(finder: LungFinder) -> str:
    """Returns the table of the processor's time for one image."""
    rows = []
    for height, width in ((224, 224), (512, 512), (2500, 2048)):
        pixels = draw("normal", 0, np.random.default_rng(0), 512).pixels
        grey = np.asarray(Image.fromarray(pixels).resize((width, height)))
        image = radiograph_from_array(np.clip(grey, 0, 1), (0, 1))
        whole, network = [], []
        for _ in range(10):
            start = time.process_time()
            finder.find(image)
            whole.append(time.process_time() - start)
            square = to_input(image.pixels, finder.card.size, "squash")[None]
            start = time.process_time()
            finder.probabilities(square)
            network.append(time.process_time() - start)
        times = (f"{1000 * float(np.median(each)):.1f}" for each in (whole, network))
        rows.append((f"{width} x {height}", *times))
    text = (
        "## Speed\n\nMedian processor time for one decoded image, one thread, in ms: mask at the "
        "size of the image, and the network alone."
    )
    return f"{text}\n\n{_table(('image', 'mask', 'network'), rows)}"


def draw_worst(tested: Sequence[Tested], folder: Path, count: int = 24) -> None:
    """Draws the worst masks: the truth in green, what was found in red."""
    folder.mkdir(parents=True, exist_ok=True)
    tiles = []
    for each in sorted(tested, key=_dice_of)[:count]:
        side = 256
        grey = Image.fromarray((each.radiograph.pixels * 255).astype(np.uint8))
        canvas = np.asarray(grey.resize((side, side)).convert("RGB")).copy()
        for mask, colour in ((each.truth, (0, 255, 0)), (each.found.mask, (255, 0, 0))):
            small = np.asarray(Image.fromarray(mask).resize((side, side)))
            edge = (small ^ np.roll(small, 1, 0)) | (small ^ np.roll(small, 1, 1))
            canvas[edge] = colour
        tiles.append(canvas)
    rows = [np.hstack(tiles[start : start + 8]) for start in range(0, len(tiles), 8)]
    Image.fromarray(np.vstack(rows)).save(folder / "worst.png")


def _refusals(
    name: str, images: Sequence[Radiograph], finder: LungFinder, groups: list[str] | None = None
) -> tuple[str, ...]:
    found = [finder.find(image) for image in images]
    refused = np.array([not each.found for each in found])
    kinds = pd.Series([each.reasons[0].kind for each in found if each.reasons]).value_counts()
    reasons = ", ".join(f"{str(kind).removeprefix('no-lungs-')} {n}" for kind, n in kinds.items())
    return name, _share(refused, groups), str(len(found)), reasons


def _inventions(
    name: str, images: Sequence[Radiograph], finder: LungFinder, groups: list[str] | None = None
) -> tuple[str, ...]:
    found = np.array([finder.find(image).found for image in images])
    return name, _share(found, groups), str(len(found))


def _files(folder: Path, limit: int) -> list[Path]:
    files = [each for each in images_below(folder) if isinstance(each, Path)]
    files = [each for each in files if each.suffix.lower() in {".png", ".jpg", ".jpeg"}]
    chosen = np.random.default_rng(SEED).permutation(len(files))[:limit]
    return [files[number] for number in np.sort(chosen)]


def _as_radiograph(pixels: NDArray[np.uint8]) -> Radiograph:
    return radiograph_from_array(pixels, (0, 255))


def _share(values: NDArray[np.bool_], groups: list[str] | None) -> str:
    return f"{values.sum()}: {_text(stats.proportion(values, groups))}"


def _mean(values: object, groups: object, digits: int = 3) -> str:
    bounds = (0.0, 1.0) if digits == 3 else (0.0, np.inf)
    estimate = stats.mean(np.asarray(values), np.asarray(groups).tolist(), bounds=bounds)
    return _text(estimate, digits)


def _text(estimate: Estimate, digits: int = 3) -> str:
    if estimate.value is None:
        return "-"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.{digits}f}"
    return f"{estimate.value:.{digits}f} ({estimate.low:.{digits}f}-{estimate.high:.{digits}f})"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    main()
