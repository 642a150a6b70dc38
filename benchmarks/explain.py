"""What explaining costs: the map of a bundle's graph, beyond prediction alone, and every method.

Processor time on one thread. The graph's map is measured in pairs, one after the other, of the
network of a bundle and of the same network without its outputs for maps and features; so are
untrained networks with other backbones and heads, whose time does not depend on their weights.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from pulmo.bundle.card import Card
from pulmo.bundle.export import drawn_images, to_onnx
from pulmo.bundle.image_predictor import ImagePredictor
from pulmo.bundle.predictor import OUTPUTS, Predictor
from pulmo.core.sections import ModelSection
from pulmo.explain.methods import METHODS, serves
from pulmo.models.classifier import make_classifier
from pulmo.workflows.explain import open_predictor

NETWORKS = (
    ("mobilenetv2_100", "linear", 224),
    ("resnet18", "mlp", 224),
    ("compact", "linear", 128),
    ("mini-vggnet", "flatten-mlp", 96),
    ("capstone-baseline", "flatten", 128),
)
BATCH = 4


def session(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    """Opens a network on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model.SerializeToString(), options)


def alone(model: onnx.ModelProto) -> onnx.ModelProto:
    """Returns a network that gives logits and nothing else."""
    return onnx.utils.Extractor(model).extract_model(["radiograph"], ["logits"])


def seconds_of(work: Callable[[], object]) -> float:
    """Returns the processor time of some work in seconds."""
    start = time.process_time()
    work()
    return time.process_time() - start


def extra(model: bytes, size: int, turns: int) -> NDArray[np.float64]:
    """Returns by how much the map makes a prediction longer, as a share, in each turn."""
    network = onnx.load_model_from_string(model)
    whole, bare = session(network), session(alone(network))
    given = {"radiograph": drawn_images(BATCH, size)[:, None]}
    both: tuple[Any, ...] = (
        lambda: bare.run(["logits"], given),
        lambda: whole.run(list(OUTPUTS[:2]), given),
    )
    for work in both:
        work()
    found = np.empty(turns)
    for turn in range(turns):
        order = (0, 1) if turn % 2 else (1, 0)  # neither is always the second
        spent = {number: seconds_of(both[number]) for number in order}
        found[turn] = spent[1] / spent[0] - 1
    return found


def print_extra(card: Card, model: bytes, turns: int) -> None:
    """Prints what the map costs, for the bundle and for other networks with its classes."""
    print("| network | head | side | the map costs (median; middle half) |\n|---|---|---|---|")
    about = card.network
    networks = [(f"{about.backbone} (the bundle)", about.head, card.input.size, model)]
    for backbone, head, size in NETWORKS:
        section = ModelSection.model_validate({"backbone": backbone, "head": head})
        made = make_classifier(section, card.labels.order, 0, size=size, initial=False)
        shape = card.input.model_copy(update={"size": size})
        exported = to_onnx(made.classifier.eval(), card.model_copy(update={"input": shape}))
        networks.append((backbone, head, size, exported))
    for backbone, head, size, exported in networks:
        shares = 100 * extra(exported, size, turns)
        low, middle, high = np.percentile(shares, [25, 50, 75])
        print(f"| {backbone} | {head} | {size} | {middle:.1f} % ({low:.1f} to {high:.1f}) |")


def print_methods(models: dict[str, ImagePredictor], images: int) -> None:
    """Prints the seconds that each method takes for an image, on each model that serves it."""
    print(f"\n| method | {' | '.join(models)} |\n|---|{'---|' * len(models)}")
    for name, kind in METHODS.items():
        cells = []
        for model in models.values():
            method = kind()
            if not serves(model, method):
                cells.append("-")
                continue
            given = drawn_images(images, model.card.input.size)
            classes = np.zeros(images, np.intp)
            method.check(model)
            spent = seconds_of(
                lambda method=method, model=model, given=given, classes=classes: method.maps(  # type: ignore[misc]
                    model, given, classes
                )
            )
            cells.append(f"{spent / images:.3g}")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("run", type=Path, help="the run that the bundle was exported from")
    parser.add_argument("--turns", type=int, default=60)
    parser.add_argument("--images", type=int, default=2)
    arguments = parser.parse_args()
    bundle = Predictor.open(arguments.bundle, threads=1)
    print_extra(bundle.card, bundle.model, arguments.turns)
    print_methods({"bundle": bundle, "run": open_predictor(arguments.run)}, arguments.images)


if __name__ == "__main__":
    main()
