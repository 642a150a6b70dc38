"""Export: a finished run becomes a bundle, proved equal to the network that was trained."""

import base64
import copy
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnxscript.optimizer import fold_constants, remove_unused_nodes
from safetensors.torch import load
from torch import Tensor, nn

from pulmo.bundle.card import FINDER_KEY, Card, WeightFormat, read_card
from pulmo.bundle.held_out import list_of_test
from pulmo.bundle.model_card import model_card
from pulmo.bundle.predictor import CARD_KEY, OUTPUTS, Predictor
from pulmo.bundle.seen import seen_by
from pulmo.core.begun import check_finished
from pulmo.core.errors import InputError, RefusedError
from pulmo.core.files import read_bytes, sha256, write_atomically
from pulmo.core.folders import BundleFolder, RunFolder
from pulmo.core.recipe import load_recipe
from pulmo.datasets.manifest import read_manifest
from pulmo.lungs import LungFinder
from pulmo.lungs.framing import open_finder
from pulmo.models.classifier import Classifier, make_classifier
from pulmo.models.stored_weights import LEAST, store_fp16, store_int8, stored_weights

OPSET = 18
TOLERANCE = 1e-4

Arrays = tuple[NDArray[np.float32], ...]
"""The outputs of a network, in the order of `OUTPUTS`."""


class ExportWrapper(nn.Module):
    """A classifier from the bytes of a grey image to what a bundle gives."""

    def __init__(self, classifier: Classifier) -> None:
        """Wraps a trained classifier."""
        super().__init__()
        self.classifier = classifier

    def forward(self, radiograph: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Returns logits, activation maps and features [n, channels] of uint8 [n, 1, size, size].

        The features are the means of the feature maps, which is what a head that pools reads.
        """
        images = radiograph.to(self.classifier.mean.dtype) / 255
        maps, head = self.classifier.features(images), self.classifier.head
        return head(maps), head.activation(maps), maps.mean(dim=(2, 3))


class _Graph(ExportWrapper):
    """The same, in the order of sums that takes ONNX Runtime the least time."""

    def forward(self, radiograph: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Returns the same but for rounding."""
        maps = self.classifier.features(radiograph.to(self.classifier.mean.dtype) / 255)
        return *self.classifier.head.explained(maps), maps.mean(dim=(2, 3))


def export_run(run: RunFolder, folder: Path, weight_format: WeightFormat = "fp32") -> Card:
    """Writes a bundle: `model.onnx`, `MODEL_CARD.md`, `training.sha256` and `card.json`, at once.

    Args:
        run: a finished training run.
        folder: the bundle's folder, which must not exist.
        weight_format: how the weights are stored.

    Raises:
        InputError: the run is unfinished or damaged, or the folder exists.
        RefusedError: the exported network differs by more than 1e-4 from the trained one, whose
            weights are rounded as they are stored.
    """
    if folder.exists():
        raise InputError(
            "bundle-exists", f"{folder} exists already. A bundle is never overwritten."
        )
    check_finished(run)
    card = read_card(run.card)
    classifier = trained_classifier(run, card)
    network = card.network.model_copy(update={"weight_format": weight_format})
    card = card.model_copy(update={"files": {}, "network": network})
    model = to_onnx(classifier, card, open_finder(card.input.image, run.finder, card.input.lungs))
    draft = BundleFolder(folder.with_name(f".{folder.name}.{secrets.token_hex(4)}"))
    exported = Predictor(model, draft.model.name)
    stored = _as_stored(classifier, model, weight_format)
    check_parity(ExportWrapper(stored), _everything(exported), card.input.size)
    parts = {
        draft.model: model,
        draft.text: model_card(card).encode(),
        draft.seen: seen_by(run).listed(),
        draft.test: list_of_test(read_manifest(run.manifest)),
    }
    vouched = {path.name: sha256(data) for path, data in parts.items()}
    shipped = card.model_copy(update={"files": vouched})
    try:
        for path, data in parts.items():
            write_atomically(path, data)
        write_atomically(draft.card, shipped.to_json().encode())
        draft.root.rename(folder)
    finally:
        shutil.rmtree(draft.root, ignore_errors=True)
    return shipped


def load_classifier(run: str | os.PathLike[str]) -> Classifier:
    """Returns the network of a finished training run, in evaluation mode, to go on with in torch.

    Raises:
        InputError: the run is unfinished or damaged.
    """
    folder = RunFolder(Path(run))
    check_finished(folder)
    return trained_classifier(folder, read_card(folder.card))


def trained_classifier(run: RunFolder, card: Card) -> Classifier:
    """Returns the network of a run with its trained weights, in evaluation mode.

    Raises:
        InputError: the weights or the recipe are not those that the card was written for.
    """
    recipe, weights = load_recipe(str(run.recipe)), read_bytes(run.model)
    if sha256(weights) != card.files.get(run.model.name):
        raise InputError(
            "run-file-changed", f"{run.model} is not the file that {run.card} describes."
        )
    if recipe.sha256 != card.training.recipe_sha256:
        raise InputError("run-file-changed", f"{run.recipe} was changed after the training.")
    size, labels = recipe.image.size, recipe.labels.order
    made = make_classifier(recipe.model, labels, seed=0, size=size, initial=False)
    made.classifier.load_state_dict(load(weights))
    return made.classifier.eval()


def to_onnx(classifier: Classifier, card: Card, finder: LungFinder | None = None) -> bytes:
    """Returns the ONNX file of a classifier, with its card in the metadata.

    If it sees the lungs, the network that finds them is there too. The batch size is free; the
    input is uint8 [n, 1, size, size] and is named `radiograph`; the outputs are `logits`,
    `activation` and `features`. The weights are stored as the card says.
    """
    size, store = card.input.size, _STORE.get(card.network.weight_format)
    example = torch.zeros(2, 1, size, size, dtype=torch.uint8)
    with tempfile.TemporaryDirectory() as folder, _out_of_place(classifier):
        file = Path(folder, "network.onnx")
        torch.onnx.export(
            _Graph(classifier).eval(),
            (example,),
            file,
            dynamo=True,
            external_data=False,
            opset_version=OPSET,
            input_names=["radiograph"],
            output_names=list(OUTPUTS),
            dynamic_shapes={"radiograph": {0: torch.export.Dim("n")}},
            verbose=False,
            optimize=store is None,
        )
        network = onnx.load(file)
    if store is not None:
        # The torch network's own weights, normalisation apart, so that training can start from
        # them. No tensor that is stored in another way is part of a constant that is folded.
        fold_constants(network, input_size_limit=LEAST - 1)
        remove_unused_nodes(network)
        store(network)
    metadata = {CARD_KEY: card.to_json()}
    if finder is not None:
        metadata[FINDER_KEY] = base64.b64encode(finder.model).decode()
    onnx.helper.set_model_props(network, metadata)
    onnx.checker.check_model(network)
    data: bytes = network.SerializeToString()
    return data


_STORE: Final[Mapping[WeightFormat, Callable[[onnx.ModelProto], None]]] = {
    "fp16": store_fp16,
    "int8": store_int8,
}
"""How weights are stored -> what stores them so in an ONNX network; nothing for 32 bits."""


def _as_stored(classifier: Classifier, model: bytes, weight_format: WeightFormat) -> Classifier:
    """Returns a trained network with the weights that its ONNX file computes with."""
    if weight_format == "fp32":
        return classifier
    stored = stored_weights(onnx.load_from_string(model))
    rounded = copy.deepcopy(classifier)
    own = rounded.state_dict()
    found = {name: stored[f"classifier.{name}"] for name in own if f"classifier.{name}" in stored}
    rounded.load_state_dict(own | {name: torch.tensor(each) for name, each in found.items()})
    return rounded


@contextmanager
def _out_of_place(network: nn.Module) -> Iterator[None]:
    """Lets no layer write over its input: the results are the same, and torch traces it faster."""
    layers: list[Any] = [each for each in network.modules() if getattr(each, "inplace", False)]
    for layer in layers:
        layer.inplace = False
    try:
        yield
    finally:
        for layer in layers:
            layer.inplace = True


def check_parity(
    trained: nn.Module, exported: Callable[[NDArray[np.uint8]], Arrays], size: int
) -> float:
    """Compares an exported network with the trained one on drawn inputs.

    Deep networks may be so sensitive that rounding alone makes a larger difference; then the
    exported one must be about as near to the exact result as the trained one, which is computed in
    double precision.

    Args:
        trained: gives logits and further outputs of uint8 [n, 1, size, size], in its own precision.
        exported: gives the same of uint8 [n, size, size].
        size: side of the input.

    Returns:
        The largest difference.

    Raises:
        RefusedError: it is above 1e-4 and not due to rounding.
    """
    images = drawn_images(4, size)
    expected, found = _answer(trained, images), exported(images)
    if [part.shape for part in found] != [part.shape for part in expected]:
        raise RefusedError(
            "export-shape-differs",
            "The outputs of the exported network have another shape than those of the trained "
            "network. No bundle was made.",
        )
    worst = _distance(expected, found)
    # `not <=` refuses a NaN, where `>` would not.
    if not worst <= TOLERANCE:
        exact = _answer(copy.deepcopy(trained).double(), images)
        if not _distance(exact, found) <= 2 * _distance(exact, expected):
            raise RefusedError(
                "export-result-differs",
                "The outputs of the exported network differ from those of the trained network by "
                f"{worst:.2g}; at most {TOLERANCE:g} is allowed. No bundle was made.",
            )
    return worst


def _everything(predictor: Predictor) -> Callable[[NDArray[np.uint8]], Arrays]:
    """Returns what gives all outputs of a new bundle."""

    def answer(images: NDArray[np.uint8]) -> Arrays:
        parts = (*predictor.run(images), predictor.features(images))
        return tuple(part for part in parts if part is not None)

    return answer


def _answer(network: nn.Module, images: NDArray[np.uint8]) -> Arrays:
    """Returns what a torch network gives for images uint8 [n, size, size]."""
    with torch.no_grad():
        return tuple(part.numpy() for part in network(torch.from_numpy(images[:, None])))


def _distance(one: Arrays, other: Arrays) -> float:
    """Returns the largest difference, NaN if there is one, relative to values above one.

    Those are each logit's own, and of maps and features the largest of an image, because a small
    value of them is the difference of large ones.
    """
    logits, *others = (np.abs(part) for part in one)
    tops = (part.max(axis=tuple(range(1, part.ndim)), keepdims=True) for part in others)
    pairs = zip(one, other, (logits, *tops), strict=True)
    return float(np.max([(np.abs(a - b) / np.maximum(1, top)).max() for a, b, top in pairs]))


def drawn_images(count: int, size: int) -> NDArray[np.uint8]:
    """Returns uint8 [count, size, size]: smooth random shades with a little noise, as images have.

    White noise is so unlike images that deep networks answer it with huge values, whose rounding
    hides a fault or looks like one.
    """
    generator = np.random.default_rng(0)
    images = np.empty((count, size, size), np.uint8)
    for image in images:
        shades = generator.uniform(0, 255, (7, 7)).astype(np.float32)
        smooth = cv2.resize(shades, (size, size), interpolation=cv2.INTER_CUBIC)
        noisy = smooth + generator.normal(0, 4, (size, size))
        image[:] = noisy.clip(0, 255).round().astype(np.uint8)
    return images
