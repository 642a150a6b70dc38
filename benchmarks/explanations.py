"""Scores every method that makes heat maps, on the networks of runs and on marked images.

Radiologists' masks of lesions (covid-chestxray-dataset) and boxes of pneumonia (NIH, in the set of
DarkCovidNet) say where a map should lie; the lungs are those that pulmo's network finds. A map of
the lungs alone and one of the middle of the image are scored too: a method that is no better shows
nothing of the disease. Methods that only ask for probabilities read the bundle, the others the run.

The scores of a network are appended to `explanations.jsonl` in its folder, so that a run that was
stopped goes on where it was.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from explanation_scores import LUNGS, MIDDLE, NOISE, Network, Scores, score_all
from marked_images import Marked, box_images, lesion_images, normal_images, see, spread

from pulmo import stats
from pulmo.bundle.card import DetectionRule
from pulmo.core.files import write_atomically
from pulmo.decide.detections import Detection, detect, hits
from pulmo.explain.methods import GRAPH, METHODS
from pulmo.radiograph.geometry import to_image

RESULTS = Path(__file__).parents[1] / "docs" / "results" / "explanations.md"

CHECKED: Final = 24
"""Images on which noise and shuffled weights are tried, since both make maps again."""

Groups = dict[str, dict[str, str]]
"""Kind of mark -> SHA-256 of an image -> its patient."""


def main() -> None:
    """Writes the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder of the public sets")
    parser.add_argument(
        "--network", action="append", required=True, metavar="NAME=FOLDER", help="with run, bundle"
    )
    parser.add_argument("--images", type=int, help="images of each kind of mark; all by default")
    parser.add_argument("--output", type=Path, default=RESULTS)
    asked = parser.parse_args()
    torch.set_flush_denormal(True)
    torch.set_num_threads(1)
    boxed = box_images(asked.data)
    sets = {
        "lesions": spread(lesion_images(asked.data), asked.images),
        "boxes": spread(boxed, asked.images),
    }
    images = [image for each in sets.values() for image in each]
    checked = _drawn(images)
    groups = {name: {image.sha256: image.group for image in each} for name, each in sets.items()}
    parts = [opening(groups, len(checked))]
    for name, folder in (word.split("=", 1) for word in asked.network):
        network = Network.open(name, Path(folder))
        rows = score_all(network, images, checked, _progress(name, len(images)))
        parts += [f"## {name}", trained(network), table(rows, groups)]
        parts.append(free_response(network, boxed, normal_images(asked.data, len(boxed))))
        write_atomically(asked.output, ("\n\n".join(parts) + "\n").encode())


def opening(groups: Groups, checked: int) -> str:
    """Returns what the page says before its tables."""
    counts = ", ".join(
        f"{len(images)} images of {len(set(images.values()))} patients with {name}"
        for name, images in groups.items()
    )
    return (
        "# Explanations\n\nMade by `python benchmarks/explanations.py --data DATA --network "
        f"NAME=FOLDER`, a folder with `run` and `bundle` for each network. {counts}. The class "
        "that is explained is the abnormal one with the highest probability. Intervals are 95 %, "
        "over patients.\n\n"
        "- **pointing**: share of images whose highest value lies on what was marked.\n"
        "- **overlap**: intersection over union of the marks and as many of the highest values.\n"
        "- **in lungs**: share of the positive evidence inside the lungs; a map that is the same "
        "everywhere gets the lungs' share of what the network sees.\n"
        "- **deletion**, **insertion**: mean probability while the most important pixels are "
        "blurred first (low is good), or shown first (high is good).\n"
        f"- **noise**: rank correlation of the map with that under noise of {NOISE:g} grey levels "
        "of the network's input (near 1 is good).\n"
        "- **random**: rank correlation with the map of the network whose weights were shuffled "
        "(near 0 is good).\n"
        "- **s**: processor seconds an image on one thread, the median.\n\n"
        f"**noise** and **random** are medians over {checked} images drawn at random, of the "
        "methods with few samples (`Method.quick`). All else is of all images, with the default "
        "parameters."
    )


def trained(network: Network) -> str:
    """Returns how a network was trained, in a sentence."""
    card = network.bundle.card
    part = "whole images" if card.input.lungs is None else "the lungs' region"
    return (
        f"{card.network.backbone} at {card.input.size} pixels of {part}, recipe "
        f"{card.training.recipe}, {len(card.training.history)} epochs."
    )


def table(rows: Sequence[Scores], groups: Groups) -> str:
    """Returns the table of a network."""
    head = (
        "| method | pointing: lesions | pointing: boxes | overlap: lesions | overlap: boxes | "
        "in lungs | deletion | insertion | noise | random | s |\n" + "| --- " * 11 + "|"
    )
    methods = {str(kind()): name for name, kind in METHODS.items()}
    lines = [head]
    for method, name in {**methods, LUNGS: LUNGS, MIDDLE: MIDDLE}.items():
        own = [row for row in rows if row.method == method]
        lines.append(f"| {name} | " + " | ".join(_cells(own, groups)) + " |")
    return "\n".join(lines)


def _cells(rows: Sequence[Scores], groups: Groups) -> list[str]:
    """Returns the cells of a method."""
    patients = {image: group for each in groups.values() for image, group in each.items()}
    of_set = [[row for row in rows if row.image in each] for each in groups.values()]
    # A map without evidence points at nothing and overlaps with nothing.
    pointing = [
        stats.proportion(
            [row.pointing or False for row in each], [patients[row.image] for row in each]
        )
        for each in of_set
    ]
    values: list[list[tuple[str, float | None]]] = [
        [(patients[row.image], row.inside) for row in rows],
        [(patients[row.image], row.deletion) for row in rows],
        [(patients[row.image], row.insertion) for row in rows],
    ]
    return [
        *map(str, pointing),
        *(_mean([(patients[row.image], row.overlap or 0.0) for row in each]) for each in of_set),
        *map(_mean, values),
        *(
            _short(values, form)
            for values, form in (
                ([row.noise for row in rows], ".2f"),
                ([row.random for row in rows], ".2f"),
                ([row.seconds for row in rows], ".2g"),
            )
        ),
    ]


def free_response(network: Network, boxed: Sequence[Marked], normal: Sequence[Marked]) -> str:
    """Returns how many boxes the detections of the graph's maps mark, at how many false ones."""
    card = network.bundle.card
    if missing := set(card.labels.order) - {"normal"} - set(card.activation.detections):
        return f"The card has no rule for detections of {', '.join(sorted(missing))}."
    lesion_images, lesion_scores = [], []
    false_images, false_scores = [], []
    images = [*boxed, *normal]
    for number, image in enumerate(images):
        detections = _detections(network, image)
        for box in image.boxes:
            scores = [detection.score for detection in detections if hits(detection, box)]
            lesion_images.append(number)
            lesion_scores.append(max(scores, default=-np.inf))
        false = [each for each in detections if not any(hits(each, box) for box in image.boxes)]
        false_images += [number] * len(false)
        false_scores += [detection.score for detection in false]
    marks = stats.Marks(
        len(images),
        np.array(lesion_images, np.intp),
        np.array(lesion_scores, np.float64),
        np.array(false_images, np.intp),
        np.array(false_scores, np.float64),
    )
    found = stats.froc(marks, [image.group for image in images])
    cells = " | ".join(str(value) for value in found.values())
    rates = " | ".join(f"{rate:g}" for rate in found)
    return (
        f"Detections of the bundle's own maps ({GRAPH}) within the lungs, on {len(boxed)} images "
        f"with {len(lesion_images)} boxes and {len(normal)} of NIH without findings: share of the "
        "boxes that a detection marks (its centre inside, or an overlap of a tenth), at so many "
        f"false detections an image.\n\n| {rates} |\n" + "| --- " * len(found) + f"|\n| {cells} |"
    )


def _detections(network: Network, image: Marked) -> list[Detection]:
    """Returns all detections at the card's edge of the abnormal class, whatever their score."""
    card, seen = network.bundle.card, see(network.bundle, image)
    edge = card.activation.detections[card.labels.order[seen.label]].outline
    values = network.bundle.run(seen.input[None]).activation[0, seen.label]
    height, width = seen.marks.shape
    evidence = to_image(values, (height, width), seen.aspect, seen.box)
    within = seen.lungs if seen.lungs.any() else None
    return detect(evidence, DetectionRule(outline=edge, least=edge), within)


def _drawn(images: Sequence[Marked]) -> frozenset[str]:
    """Returns the SHA-256 of the images that are drawn for the checks."""
    count = min(CHECKED, len(images))
    numbers = np.random.default_rng(0).choice(len(images), count, replace=False)
    return frozenset(images[number].sha256 for number in numbers)


def _progress(name: str, total: int) -> Callable[[int], None]:
    """Returns what prints how far a network is."""
    start = time.monotonic()

    def report(done: int) -> None:
        minutes = (time.monotonic() - start) / 60
        print(f"{name}: {done} of {total} images, {minutes:.1f} min", file=sys.stderr, flush=True)

    return report


def _mean(found: Sequence[tuple[str, float | None]]) -> str:
    """Returns the mean of the values that are defined, over patients."""
    defined = [(group, value) for group, value in found if value is not None]
    if not defined:
        return "-"
    groups, values = zip(*defined, strict=True)
    return str(stats.mean(values, groups, bounds=(0, 1)))


def _short(values: Sequence[float | None], form: str) -> str:
    """Returns the median of the values that are defined."""
    defined = [value for value in values if value is not None]
    return f"{np.median(defined):{form}}" if defined else "-"


if __name__ == "__main__":
    main()
