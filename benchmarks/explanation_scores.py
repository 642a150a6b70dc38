"""The scores of heat maps on marked images, kept a line each so that a long run can go on."""

import copy
import os
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import cv2
import numpy as np
import torch
from marked_images import Map, Marked, Pixels, Seen, see
from numpy.typing import NDArray
from pydantic import ValidationError

from pulmo.bundle.image_predictor import ImagePredictor
from pulmo.bundle.outcome import probabilities
from pulmo.bundle.predictor import Predictor
from pulmo.core.files import write_atomically
from pulmo.core.folders import BundleFolder, RunFolder
from pulmo.core.record import Record
from pulmo.explain.faithfulness import deletion_insertion, stability
from pulmo.explain.location import evidence_share, overlap, pointing
from pulmo.explain.methods import METHODS, Method
from pulmo.explain.trained.network import TrainedNetwork, open_run

NOISE: Final = 2.0
"""Standard deviation of the noise in grey levels of 255, under which maps should not change."""

LUNGS: Final = "the lungs alone"
MIDDLE: Final = "the middle"


class Scores(Record):
    """The scores of one method on one image.

    Attributes:
        network: SHA-256 of the bundle's network.
        method: with its parameters.
        image: SHA-256 of its file.
        label: the class that is explained.
        pointing: whether the highest value lies on what was marked; None without evidence.
        overlap: of the marks and as many of the highest values; None without evidence.
        inside: share of the evidence in the lungs; None without evidence, or if none were found.
        deletion: mean probability while the most important pixels are blurred first.
        insertion: mean probability while they are shown first.
        seconds: of one processor.
        checked: whether `noise` and `random` were tried.
        noise: rank correlation with the map under noise; None if a map is the same everywhere.
        random: rank correlation with the map of shuffled weights, likewise.
    """

    network: str
    method: str
    image: str
    label: str
    pointing: bool | None
    overlap: float | None
    inside: float | None
    deletion: float | None = None
    insertion: float | None = None
    seconds: float | None = None
    checked: bool = False
    noise: float | None = None
    random: float | None = None


@dataclass(frozen=True)
class Network:
    """A trained network.

    Attributes:
        name: what the page calls it.
        scores: the file of its scores.
        run: its run, for the methods that look inside.
        bundle: its bundle, for the methods that only ask.
        shuffled: the run with its weights in another order.
    """

    name: str
    scores: Path
    run: TrainedNetwork
    bundle: Predictor
    shuffled: TrainedNetwork

    @classmethod
    def open(cls, name: str, folder: Path) -> Self:
        """Opens the run and the bundle in a folder."""
        run = open_run(RunFolder(folder / "run").root)
        bundle = Predictor.open(BundleFolder(folder / "bundle").root, threads=1)
        return cls(name, folder / "explanations.jsonl", run, bundle, _shuffled(run))


def score_all(
    network: Network,
    images: Sequence[Marked],
    checked: Collection[str],
    report: Callable[[int], None],
) -> list[Scores]:
    """Returns the scores of every method and of two maps that know nothing of the disease.

    Scores that the network's file has are taken from it; the others are appended, each as soon as
    it is known.

    Args:
        network: the network.
        images: the images.
        checked: SHA-256 of the images on which noise and shuffled weights are tried.
        report: called after each image with how many are done.
    """
    known = {(row.method, row.image): row for row in _kept(network)}
    found = []
    with network.scores.open("a", encoding="utf-8") as file:
        for number, image in enumerate(images, start=1):
            seen = see(network.bundle, image)
            for method in (kind() for kind in METHODS.values()):
                row = known.get((str(method), image.sha256))
                if row is None or (image.sha256 in checked and not row.checked):
                    row = _scores(network, method, seen, check=image.sha256 in checked)
                    file.write(row.model_dump_json() + "\n")
                    file.flush()
                    os.fsync(file.fileno())
                found.append(row)
            found += _uninformed(network, seen)
            report(number)
    return found


def _kept(network: Network) -> Iterator[Scores]:
    """Yields the scores in a network's file, without what a killed run left half written."""
    if not network.scores.exists():
        return
    lines = []
    for line in network.scores.read_text(encoding="utf-8").splitlines():
        try:
            row = Scores.model_validate_json(line)
        except ValidationError:
            continue
        lines.append(line + "\n")
        if row.network == network.bundle.sha256:
            yield row
    write_atomically(network.scores, "".join(lines).encode())


def _scores(network: Network, method: Method, seen: Seen, *, check: bool) -> Scores:
    model: ImagePredictor = network.run if method.needs_run else network.bundle
    start = time.process_time()
    values = _map(model, method, seen.input, seen.label)
    seconds = time.process_time() - start
    curves = deletion_insertion(_probability(network.bundle, seen.label), seen.input, values)
    noise, random = _checks(network, method, seen) if check else (None, None)
    placed = _placed(network, str(method), seen, seen.on_image(values))
    return placed.model_copy(
        update={
            "deletion": curves.deletion,
            "insertion": curves.insertion,
            "seconds": seconds,
            "checked": check,
            "noise": noise,
            "random": random,
        }
    )


def _uninformed(network: Network, seen: Seen) -> Iterator[Scores]:
    """Yields the scores of a map of the lungs alone, and of one of the middle of the image."""
    depth = cv2.distanceTransform(seen.lungs.astype(np.uint8), cv2.DIST_L2, 5)
    yield _placed(network, LUNGS, seen, np.asarray(depth, np.float32))
    down, across = (np.linspace(-1, 1, side) for side in seen.marks.shape)
    middle = np.exp(-4 * (down[:, None] ** 2 + across**2))
    yield _placed(network, MIDDLE, seen, np.asarray(middle, np.float32))


def _placed(network: Network, method: str, seen: Seen, values: Map) -> Scores:
    """Returns where a map on the image lies."""
    return Scores(
        network=network.bundle.sha256,
        method=method,
        image=seen.image.sha256,
        label=network.bundle.card.labels.order[seen.label],
        pointing=pointing(values, seen.marks),
        overlap=overlap(values, seen.marks),
        inside=evidence_share(values, seen.lungs) if seen.lungs.any() else None,
    )


def _checks(network: Network, method: Method, seen: Seen) -> tuple[float | None, float | None]:
    """Returns how alike a map is to that under noise, and to that of shuffled weights."""
    quick = type(method).quick()
    generator = np.random.default_rng(int(seen.image.sha256[:8], 16))
    noisy = seen.input + generator.normal(0, NOISE, seen.input.shape)
    changed = np.asarray(np.clip(np.rint(noisy), 0, 255), np.uint8)
    own = _map(network.run, quick, seen.input, seen.label)
    others = (
        _map(network.run, quick, changed, seen.label),
        _map(network.shuffled, quick, seen.input, seen.label),
    )
    noise, random = (stability(own, other) for other in others)
    return (noise if np.isfinite(noise) else None, random if np.isfinite(random) else None)


def _map(model: ImagePredictor, method: Method, given: Pixels, label: int) -> Map:
    values: Map = method.maps(model, given[None], np.array([label])).values[0]
    return values


def _probability(model: Predictor, label: int) -> Callable[[Pixels], NDArray[np.float64]]:
    def probability(images: Pixels) -> NDArray[np.float64]:
        return probabilities(model.run(images).logits, model.card.temperature)[:, label]

    return probability


def _shuffled(run: TrainedNetwork) -> TrainedNetwork:
    """Returns a network whose weights are in another order (Adebayo et al. 2018)."""
    classifier = copy.deepcopy(run.classifier)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weights in classifier.parameters():
            order = torch.randperm(weights.numel(), generator=generator)
            weights.copy_(weights.flatten()[order].reshape(weights.shape))
    return TrainedNetwork(classifier, run.card, finder=run.finder)
