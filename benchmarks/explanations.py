"""Scores every method that makes heat maps, on the networks of runs and on marked images.

Radiologists' masks of lesions (covid-chestxray-dataset) and boxes of pneumonia (NIH, in the set of
DarkCovidNet) say where a map should lie; the lungs are those that pulmo's network finds. A map of
the lungs alone and one of the middle of the image are scored too: a method that is no better shows
nothing of the disease. Methods that only ask for probabilities read the bundle, the others the run.
"""

import argparse
import copy
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from pulmo import stats
from pulmo.bundle.card import DetectionRule
from pulmo.bundle.image_predictor import ImagePredictor
from pulmo.bundle.outcome import probabilities
from pulmo.bundle.predictor import Predictor
from pulmo.core.boxes import Box, boxes_of_text
from pulmo.core.files import write_atomically
from pulmo.core.folders import BundleFolder, RunFolder
from pulmo.datasets.importing import import_source
from pulmo.decide.detections import Detection, detect, hits
from pulmo.explain.faithfulness import deletion_insertion, stability
from pulmo.explain.location import evidence_share, overlap, pointing
from pulmo.explain.methods import GRAPH, METHODS, Method
from pulmo.explain.trained.network import TrainedNetwork, open_run
from pulmo.lungs import shipped_finder
from pulmo.radiograph import Radiograph, read_radiograph
from pulmo.radiograph.geometry import to_image, to_input
from pulmo.stats.estimate import Estimate

RESULTS = Path(__file__).parents[1] / "docs" / "results" / "explanations.md"

NOISE: Final = 2.0
"""Standard deviation of the noise in grey levels of 255, under which maps should not change."""
FEW: Final = 8
"""Images on which stability and randomised weights are tried, since both make every map again."""

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Marked:
    """An image that someone marked.

    Attributes:
        radiograph: the image.
        group: its patient.
        marked: what was marked, bool [height, width].
        boxes: the boxes, where it was marked by boxes.
        lungs: its lungs, bool [height, width]; empty if none were found.
    """

    radiograph: Radiograph
    group: str
    marked: Mask
    boxes: tuple[Box, ...] = ()
    lungs: Mask = field(default_factory=lambda: np.zeros((1, 1), bool))


@dataclass(frozen=True)
class Network:
    """A trained network: its run and its bundle."""

    name: str
    run: TrainedNetwork
    bundle: Predictor

    def serving(self, method: Method) -> ImagePredictor:
        """Returns the one that a method is asked of."""
        return self.run if method.needs_run else self.bundle


def main() -> None:
    """Writes the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder of the public sets")
    parser.add_argument(
        "--network", action="append", required=True, metavar="NAME=FOLDER", help="with run, bundle"
    )
    parser.add_argument("--images", type=int, default=40, help="images of each kind of mark")
    parser.add_argument("--output", type=Path, default=RESULTS)
    asked = parser.parse_args()
    torch.set_flush_denormal(True)
    lesions, boxes = lesion_images(asked.data), box_images(asked.data)
    sets = {"lesions": _some(lesions, asked.images), "boxes": _some(boxes, asked.images)}
    networks = [open_network(*word.split("=", 1)) for word in asked.network]
    parts = [opening(sets)]
    for network in networks:
        parts += [f"## {network.name}", trained(network), table(network, sets)]
        parts.append(free_response(network, boxes, normal_images(asked.data, len(boxes))))
    write_atomically(asked.output, ("\n\n".join(parts) + "\n").encode())


def open_network(name: str, folder: str) -> Network:
    """Opens the run and the bundle in a folder."""
    run = RunFolder(Path(folder) / "run")
    bundle = Predictor.open(BundleFolder(Path(folder) / "bundle").root, threads=1)
    return Network(name, open_run(run.root), bundle)


def lesion_images(data: Path) -> list[Marked]:
    """Returns the images of Cohen's set with a mask of lesions."""
    frame = import_source("cohen", data / "covid-chestxray-dataset").manifest.frame
    rows = {Path(str(row["path"])).stem: row for _, row in frame.iterrows()}
    found = []
    for file in sorted((data / "lesion-masks" / "covid-chestxray-dataset").glob("*.png")):
        if file.stem in rows:
            row = rows[file.stem]
            radiograph = read_radiograph(Path(str(row["path"])))
            marked = np.asarray(Image.open(file)) > 0
            found.append(Marked(radiograph, str(row["group"]), _at(marked, radiograph)))
    return [_with_lungs(one) for one in found]


def box_images(data: Path) -> list[Marked]:
    """Returns NIH's images with boxes of pneumonia or infiltrates."""
    frame = import_source("darkcovidnet", data / "darkcovidnet").manifest.frame
    found = []
    for _, row in frame[frame["boxes"].notna()].iterrows():
        boxes = tuple(
            box
            for box in boxes_of_text(str(row["boxes"]))
            if box.finding in {"Pneumonia", "Infiltrate"}
        )
        if boxes:
            radiograph = read_radiograph(Path(str(row["path"])))
            marked = _boxes_mask(boxes, radiograph.pixels.shape)
            found.append(Marked(radiograph, str(row["group"]), marked, boxes))
    return [_with_lungs(one) for one in found]


def normal_images(data: Path, count: int) -> list[Marked]:
    """Returns images of NIH without findings."""
    frame = import_source("darkcovidnet", data / "darkcovidnet").manifest.frame
    rows = frame[frame["label"] == "normal"].sort_values("sha256").drop_duplicates("group")
    found = []
    for _, row in rows.head(count).iterrows():
        radiograph = read_radiograph(Path(str(row["path"])))
        nothing = np.zeros(radiograph.pixels.shape, bool)
        found.append(_with_lungs(Marked(radiograph, str(row["group"]), nothing)))
    return found


def opening(sets: dict[str, list[Marked]]) -> str:
    """Returns what the page says before its tables."""
    counts = ", ".join(
        f"{len(images)} images of {len({one.group for one in images})} patients with {name}"
        for name, images in sets.items()
    )
    return (
        "# Explanations\n\nMade by `python benchmarks/explanations.py --data DATA --network "
        f"NAME=FOLDER`, a folder with `run` and `bundle` for each network. {counts}. The class "
        "that is explained is the abnormal one with the highest probability. Intervals are 95 %, "
        "over patients.\n\n"
        "- **pointing**: share of images whose highest value lies on what was marked.\n"
        "- **overlap**: intersection over union of the marks and as many of the highest values.\n"
        "- **in lungs**: share of the positive evidence inside the lungs; a map that is the same "
        "everywhere gets the lungs' share of the image.\n"
        "- **deletion**, **insertion**: mean probability while the most important pixels are "
        "blurred first (low is good), or shown first (high is good).\n"
        f"- **noise**: rank correlation of the map with that of the image under noise of {NOISE:g} "
        "grey levels (near 1 is good).\n"
        "- **random**: rank correlation with the map of the network whose weights were shuffled "
        "(near 0 is good).\n"
        "- **s**: processor seconds an image on one thread."
    )


def trained(network: Network) -> str:
    """Returns how a network was trained, in a sentence."""
    card = network.bundle.card
    return (
        f"{card.network.backbone} at {card.input.size} pixels, recipe {card.training.recipe}, "
        f"{len(card.training.history)} epochs."
    )


def table(network: Network, sets: dict[str, list[Marked]]) -> str:
    """Returns the table of a network."""
    head = (
        "| method | pointing: lesions | pointing: boxes | overlap: lesions | overlap: boxes | "
        "in lungs | deletion | insertion | noise | random | s |\n" + "| --- " * 11 + "|"
    )
    lines = [head]
    shuffled = _shuffled(network.run)
    for name, kind in METHODS.items():
        lines.append(f"| {name} | " + " | ".join(_scored(network, kind(), sets, shuffled)) + " |")
    for name, draw in (("the lungs alone", _lungs_map), ("the middle", _middle_map)):
        lines.append(f"| {name} | " + " | ".join(_baseline(network, draw, sets)) + " |")
    return "\n".join(lines)


def free_response(network: Network, boxed: Sequence[Marked], normal: Sequence[Marked]) -> str:
    """Returns how many boxes the detections of the graph's maps mark, at how many false ones."""
    lesion_images, lesion_scores = [], []
    false_images, false_scores = [], []
    images = [*boxed, *normal]
    for number, one in enumerate(images):
        detections = _detections(network, one.radiograph, one.lungs)
        for box in one.boxes:
            scores = [detection.score for detection in detections if hits(detection, box)]
            lesion_images.append(number)
            lesion_scores.append(max(scores, default=-np.inf))
        false = [each for each in detections if not any(hits(each, box) for box in one.boxes)]
        false_images += [number] * len(false)
        false_scores += [detection.score for detection in false]
    marks = stats.Marks(
        len(images),
        np.array(lesion_images, np.intp),
        np.array(lesion_scores, np.float64),
        np.array(false_images, np.intp),
        np.array(false_scores, np.float64),
    )
    found = stats.froc(marks, [one.group for one in images])
    cells = " | ".join(str(value) for value in found.values())
    rates = " | ".join(f"{rate:g}" for rate in found)
    return (
        f"Detections of the bundle's own maps ({GRAPH}) within the lungs, on {len(boxed)} images "
        f"with {len(lesion_images)} boxes and {len(normal)} of NIH without findings: share of the "
        "boxes that a detection marks (its centre inside, or an overlap of a tenth), at so many "
        f"false detections an image.\n\n| {rates} |\n" + "| --- " * len(found) + f"|\n| {cells} |"
    )


def _scored(
    network: Network,
    method: Method,
    sets: dict[str, list[Marked]],
    shuffled: TrainedNetwork,
) -> Iterator[str]:
    """Yields the cells of a method."""
    model = network.serving(method)
    maps: dict[str, list[NDArray[np.float32]]] = {}
    start = time.process_time()
    for name, images in sets.items():
        maps[name] = [_map(model, method, one) for one in images]
    seconds = (time.process_time() - start) / sum(map(len, sets.values()))
    yield from _located(network, sets, maps)
    images = [one for images in sets.values() for one in images]
    drawn = [values for each in maps.values() for values in each]
    curves = [
        deletion_insertion(_probability(network.bundle, one), _input(network, one), values)
        for one, values in zip(images, drawn, strict=True)
    ]
    groups = [one.group for one in images]
    yield str(stats.mean([curve.deletion for curve in curves], groups, bounds=(0, 1)))
    yield str(stats.mean([curve.insertion for curve in curves], groups, bounds=(0, 1)))
    generator = np.random.default_rng(0)
    few = list(zip(images, drawn, strict=True))[:: max(1, len(images) // FEW)][:FEW]
    noisy = [stability(values, _map(model, method, _noisy(one, generator))) for one, values in few]
    yield _short(noisy)
    yield _short([_unlike(shuffled, method, one, network) for one, _ in few])
    yield f"{seconds:.2g}"


def _baseline(
    network: Network,
    draw: Callable[[Network, Marked], NDArray[np.float32]],
    sets: dict[str, list[Marked]],
) -> Iterator[str]:
    maps = {name: [draw(network, one) for one in images] for name, images in sets.items()}
    yield from _located(network, sets, maps)
    yield from ["-"] * 5


def _located(
    network: Network,
    sets: dict[str, list[Marked]],
    maps: dict[str, list[NDArray[np.float32]]],
) -> Iterator[str]:
    """Yields where maps lie: pointing and overlap of each set, and the share inside the lungs."""
    pairs = {
        name: [
            (one.group, *_on_square(network, one, values))
            for one, values in zip(images, maps[name], strict=True)
        ]
        for name, images in sets.items()
    }
    for rows in pairs.values():
        found = [(group, pointing(values, marked)) for group, values, marked, _ in rows]
        yield str(_proportion([(group, bool(hit)) for group, hit in found]))
    for rows in pairs.values():
        # A map without evidence overlaps with nothing.
        shares = [overlap(values, marked) or 0.0 for _, values, marked, _ in rows]
        yield str(stats.mean(shares, [row[0] for row in rows], bounds=(0, 1)))
    inside = [
        (group, share)
        for rows in pairs.values()
        for group, values, _, lungs in rows
        if lungs.any() and (share := evidence_share(values, lungs)) is not None
    ]
    yield str(stats.mean([share for _, share in inside], [g for g, _ in inside], bounds=(0, 1)))


def _proportion(found: Sequence[tuple[str, bool]]) -> Estimate:
    return stats.proportion([hit for _, hit in found], [group for group, _ in found])


def _map(model: ImagePredictor, method: Method, one: Marked) -> NDArray[np.float32]:
    """Returns a method's map of the abnormal class with the highest probability."""
    given = model.to_input(one.radiograph)
    label = _abnormal(model, given)
    found: NDArray[np.float32] = method.maps(model, given[None], np.array([label])).values[0]
    return found


def _abnormal(model: ImagePredictor, given: Pixels) -> int:
    shares = probabilities(model.run(given[None]).logits, model.card.temperature)[0]
    normal = model.card.labels.order.index("normal")
    return int(np.argmax(np.where(np.arange(len(shares)) == normal, -1, shares)))


def _probability(model: Predictor, one: Marked) -> Callable[[Pixels], NDArray[np.float64]]:
    label = _abnormal(model, model.to_input(one.radiograph))

    def probability(images: Pixels) -> NDArray[np.float64]:
        return probabilities(model.run(images).logits, model.card.temperature)[:, label]

    return probability


def _input(network: Network, one: Marked) -> Pixels:
    return network.bundle.to_input(one.radiograph)


def _on_square(
    network: Network, one: Marked, values: NDArray[np.float32]
) -> tuple[NDArray[np.float32], Mask, Mask]:
    """Returns a map, the marks and the lungs on the input square, [size, size] each."""
    shape = network.bundle.card.input

    def placed(mask: Mask) -> Mask:
        return to_input(mask.astype(np.float32), shape.size, shape.aspect) > 127

    size = (shape.size, shape.size)
    resized = cv2.resize(values, size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(resized, np.float32), placed(one.marked), placed(one.lungs)


def _noisy(one: Marked, generator: np.random.Generator) -> Marked:
    pixels = one.radiograph.pixels
    noise = generator.normal(0, NOISE / 255, pixels.shape)
    changed = np.clip(pixels + noise, 0, 1).astype(np.float32)
    radiograph = Radiograph(changed, one.radiograph.sha256, one.radiograph.facts)
    return Marked(radiograph, one.group, one.marked, one.boxes, one.lungs)


def _shuffled(run: TrainedNetwork) -> TrainedNetwork:
    """Returns a network whose weights are in another order (Adebayo et al. 2018)."""
    classifier = copy.deepcopy(run.classifier)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weights in classifier.parameters():
            order = torch.randperm(weights.numel(), generator=generator)
            weights.copy_(weights.flatten()[order].reshape(weights.shape))
    return TrainedNetwork(classifier, run.card)


def _unlike(shuffled: TrainedNetwork, method: Method, one: Marked, network: Network) -> float:
    """Returns the rank correlation of the maps of the trained and of the shuffled network."""
    given = network.run.to_input(one.radiograph)
    label = np.array([_abnormal(network.run, given)])
    quick = type(method).quick()
    maps = [quick.maps(model, given[None], label).values[0] for model in (network.run, shuffled)]
    return stability(*maps)


def _short(values: Sequence[float]) -> str:
    defined = [value for value in values if np.isfinite(value)]
    return f"{np.median(defined):.2f}" if defined else "-"


def _detections(network: Network, radiograph: Radiograph, lungs: Mask) -> list[Detection]:
    """Returns all detections at the card's edge of the abnormal class, whatever their score."""
    label = _abnormal(network.bundle, network.bundle.to_input(radiograph))
    card = network.bundle.card
    edge = card.activation.detections[card.labels.order[label]].outline
    evidence = _graph_map(network, radiograph)
    within = _at(lungs, radiograph, evidence.shape) if lungs.any() else None
    return detect(evidence, DetectionRule(outline=edge, least=edge), within)


def _graph_map(network: Network, radiograph: Radiograph) -> NDArray[np.float32]:
    """Returns the graph's map of the abnormal class on the image, at most 256 pixels a side."""
    given = network.bundle.to_input(radiograph)
    values = network.bundle.run(given[None]).activation[0, _abnormal(network.bundle, given)]
    scale = 256 / max(radiograph.pixels.shape)
    height, width = (max(2, round(side * scale)) for side in radiograph.pixels.shape)
    return to_image(values, (height, width), network.bundle.card.input.aspect)


def _lungs_map(network: Network, one: Marked) -> NDArray[np.float32]:
    """Returns a map that is high in the middle of each lung and knows nothing else."""
    shape = network.bundle.card.input
    lungs = to_input(one.lungs.astype(np.float32), shape.size, shape.aspect) > 127
    depth = cv2.distanceTransform(lungs.astype(np.uint8), cv2.DIST_L2, 5)
    return np.asarray(depth, np.float32)


def _middle_map(network: Network, one: Marked) -> NDArray[np.float32]:
    """Returns a map that is high in the middle of the image."""
    del one
    size = network.bundle.card.input.size
    along = np.linspace(-1, 1, size)
    return np.asarray(np.exp(-4 * (along[:, None] ** 2 + along**2)), np.float32)


def _with_lungs(one: Marked) -> Marked:
    lungs = shipped_finder().find(one.radiograph).mask
    return Marked(one.radiograph, one.group, one.marked, one.boxes, lungs)


def _at(mask: Mask, radiograph: Radiograph, shape: tuple[int, ...] | None = None) -> Mask:
    """Returns a mask resampled to the shape of an image, or to another one."""
    height, width = (shape or radiograph.pixels.shape)[:2]
    return np.asarray(
        cv2.resize(mask.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST), bool
    )


def _boxes_mask(boxes: Sequence[Box], shape: tuple[int, ...]) -> Mask:
    height, width = shape
    marked = np.zeros((height, width), bool)
    for box in boxes:
        top, left = round(box.top * height), round(box.left * width)
        bottom = round((box.top + box.height) * height)
        marked[top:bottom, left : round((box.left + box.width) * width)] = True
    return marked


def _some(images: Sequence[Marked], count: int) -> list[Marked]:
    """Returns at most so many images, spread over all."""
    step = max(1, len(images) // count)
    return list(images[::step][:count])


if __name__ == "__main__":
    main()
