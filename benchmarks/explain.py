"""What explaining costs: the map of a bundle's graph, beyond prediction alone, and every method.

Processor time on one thread. The graph's map is measured in pairs, one after the other, of the
network of a bundle and of the same network without its outputs for maps and features. So are
untrained networks with other backbones and heads, whose time does not depend on their weights;
without maps these are exported as they are trained. Shares are medians, with the middle half.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pulmo.bundle.card import Card
from pulmo.bundle.export import OPSET, drawn_images, to_onnx
from pulmo.bundle.image_predictor import ImagePredictor
from pulmo.bundle.predictor import OUTPUTS, Predictor
from pulmo.core.sections import ModelSection
from pulmo.explain.methods import METHODS, serves
from pulmo.models.classifier import Classifier, make_classifier
from pulmo.workflows.explain import open_predictor

NETWORKS = (
    ("mobilenetv2_100", "linear", 224),
    ("resnet18", "mlp", 224),
    ("compact", "linear", 128),
    ("mini-vggnet", "flatten-mlp", 96),
    ("capstone-baseline", "flatten", 128),
)
BATCHES = (1, 4, 32)
"""Images that a network is given at once."""


def session(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    """Opens a network on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model.SerializeToString(), options)


def alone(model: onnx.ModelProto) -> onnx.ModelProto:
    """Returns a network that gives logits and nothing else."""
    return onnx.utils.Extractor(model).extract_model(["radiograph"], ["logits"])


class FromBytes(nn.Module):
    """A classifier from the bytes of images to logits, as it is trained."""

    def __init__(self, classifier: Classifier) -> None:
        """Wraps a classifier."""
        super().__init__()
        self.classifier = classifier

    def forward(self, radiograph: Tensor) -> Tensor:
        """Returns logits of uint8 [n, 1, size, size]."""
        logits: Tensor = self.classifier(radiograph.to(self.classifier.mean.dtype) / 255)
        return logits


def plain(classifier: Classifier, size: int) -> onnx.ModelProto:
    """Returns a network that gives logits as the classifier does, which knows of no maps."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "network.onnx"
        torch.onnx.export(
            FromBytes(classifier).eval(),
            (torch.zeros(2, 1, size, size, dtype=torch.uint8),),
            file,
            dynamo=True,
            external_data=False,
            opset_version=OPSET,
            input_names=["radiograph"],
            output_names=["logits"],
            dynamic_shapes={"radiograph": {0: torch.export.Dim("n")}},
            verbose=False,
        )
        return onnx.load(file)


def seconds_of(work: Callable[[], object]) -> float:
    """Returns the processor time of some work in seconds."""
    start = time.process_time()
    work()
    return time.process_time() - start


class Pair(NamedTuple):
    """A network with its maps, and the same network without."""

    whole: onnx.ModelProto
    bare: onnx.ModelProto


def extra(pair: Pair, size: int, turns: int, batch: int) -> NDArray[np.float64]:
    """Returns by how much the map makes a prediction longer, as a share, in each turn."""
    whole, bare = session(pair.whole), session(pair.bare)
    given = {"radiograph": drawn_images(batch, size)[:, None]}
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
    columns = " | ".join(f"{batch} at once" for batch in BATCHES)
    print(f"| network | head | side | {columns} |\n|---|---|---|{'---|' * len(BATCHES)}")
    about = card.network
    network = onnx.load_model_from_string(model)
    own = Pair(network, alone(network))
    networks = [(f"{about.backbone} (the bundle)", about.head, card.input.size, own)]
    for backbone, head, size in NETWORKS:
        section = ModelSection.model_validate({"backbone": backbone, "head": head})
        made = make_classifier(section, card.labels.order, 0, size=size, initial=False)
        shape = card.input.model_copy(update={"size": size})
        exported = to_onnx(made.classifier.eval(), card.model_copy(update={"input": shape}))
        pair = Pair(onnx.load_model_from_string(exported), plain(made.classifier, size))
        networks.append((backbone, head, size, pair))
    for backbone, head, size, pair in networks:
        cells = []
        for batch in BATCHES:
            shares = 100 * extra(pair, size, turns, batch)
            low, middle, high = np.percentile(shares, [25, 50, 75])
            cells.append(f"{middle:.1f} % ({low:.1f} to {high:.1f})")
        print(f"| {backbone} | {head} | {size} | {' | '.join(cells)} |", flush=True)


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
