"""Predictor: a bundle that was opened, and runs in ONNX Runtime. It needs no torch."""

import base64
import binascii
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import numpy as np
from numpy.typing import NDArray

from pulmo.bundle.card import FINDER_KEY, Card, parse_card, read_card
from pulmo.bundle.held_out import HeldOut
from pulmo.bundle.image_predictor import ImagePredictor
from pulmo.bundle.outcome import Outputs
from pulmo.bundle.seen import SeenImages
from pulmo.core.errors import InputError
from pulmo.core.files import read_bytes, sha256
from pulmo.core.folders import BundleFolder
from pulmo.core.onnx_session import open_session
from pulmo.lungs.framing import finder_for, parse_finder

if TYPE_CHECKING:
    from pulmo.lungs.finder import LungFinder

CARD_KEY: Final = "pulmo.card"
"""The key of the card in the ONNX file's metadata."""
OUTPUTS: Final = ("logits", "activation", "features")
"""The names of the network's outputs; a bundle without the last is as good but for an audit."""


class Predictor(ImagePredictor):
    """A bundle, opened.

    Attributes:
        model: the content of `model.onnx`, which the session keeps anyway.
        sha256: its SHA-256.
        threads: threads of the network; 0 if all cores.
        held_out: the images of its test.
    """

    sha256: str

    def __init__(self, model: bytes, origin: str, threads: int = 0) -> None:
        """Opens a network with its card; `open` is the usual way.

        Args:
            model: the content of `model.onnx`.
            origin: its file, for messages.
            threads: threads of the network; 0 takes all cores.

        Raises:
            InputError: it is not an ONNX network with a card of pulmo, or lacks the network of the
                lungs that its card names.
        """
        self._session = open_session(model, origin, threads)
        metadata = self._session.get_modelmeta().custom_metadata_map
        if CARD_KEY not in metadata:
            raise InputError(
                "card-missing", f"{origin} contains no card, so it was not exported by pulmo."
            )
        card = parse_card(metadata[CARD_KEY], origin)
        super().__init__(card, _finder(card, metadata, origin))
        self.model, self.sha256, self.threads = model, sha256(model), threads
        self.held_out = HeldOut()
        size, classes = self.card.input.size, len(self.card.labels.order)
        shapes = [part.shape[1:] for part in self._session.get_inputs()]
        outputs = self._session.get_outputs()
        self._has_features = len(outputs) == len(OUTPUTS)
        fit = [part.shape[1] for part in outputs[:2]] == [classes, classes]
        if shapes != [[1, size, size]] or not fit:
            raise InputError(
                "network-not-of-card", f"{origin} is not the network that its card describes."
            )

    @classmethod
    def open(cls, path: str | os.PathLike[str], threads: int = 0) -> Self:
        """Opens a bundle's folder, or its `model.onnx` alone.

        Args:
            path: the folder or the file.
            threads: threads of the network; 0 takes all cores.

        Raises:
            InputError: a file is missing, was changed after the export, or is not what it should
                be.
        """
        path = Path(path)
        if not path.is_dir():
            return cls(read_bytes(path), str(path), threads)
        folder = BundleFolder(path)
        card, model, text = read_card(folder.card), folder.model.name, folder.text.name
        if set(card.files) - {folder.seen.name, folder.test.name} != {model, text}:
            raise InputError(
                "bundle-hash-missing",
                f"{folder.card} must state the SHA-256 of {model} and {text}, and of nothing else.",
            )
        contents = {name: read_bytes(path / name) for name in card.files}
        for name, data in contents.items():
            if sha256(data) != card.files[name]:
                raise InputError(
                    "bundle-file-changed",
                    f"{path / name} was changed after the export.",
                )
        predictor = cls(contents[model], str(folder.model), threads)
        if card.model_copy(update={"files": {}}) != predictor.card:
            raise InputError(
                "card-differs",
                f"{folder.card} differs from the card inside {model}.",
            )
        predictor.seen = SeenImages.parse(contents.get(folder.seen.name, b""))
        predictor.held_out = HeldOut.parse(contents.get(folder.test.name, b""))
        return predictor

    def run(self, inputs: NDArray[np.uint8]) -> Outputs:
        """Runs the network on n inputs, uint8 [n, size, size], as `to_input` gives them."""
        logits, activation = self._session.run(OUTPUTS[:2], {"radiograph": inputs[:, None]})
        return Outputs(logits, activation)

    def features(self, inputs: NDArray[np.uint8]) -> NDArray[np.float32] | None:
        """Returns what the network makes of n inputs before its head decides.

        Args:
            inputs: uint8 [n, size, size], as `to_input` gives them.

        Returns:
            float32 [n, channels], the means of the last feature maps; None if the bundle does
            not give them.
        """
        if not self._has_features:
            return None
        (found,) = self._session.run([OUTPUTS[2]], {"radiograph": inputs[:, None]})
        result: NDArray[np.float32] = found
        return result


def _finder(card: Card, metadata: Mapping[str, str], origin: str) -> "LungFinder | None":
    """Returns the network of the lungs that a card names, if any.

    It is in the metadata of the ONNX file, but where it is the one that comes with pulmo, as the
    bundle that comes with pulmo has it.
    """
    if card.input.lungs is None:
        return None
    own = None if FINDER_KEY in metadata else finder_for(card.input.image)
    if own is not None and own.sha256 == card.input.lungs:
        return own
    try:
        model = base64.b64decode(metadata.get(FINDER_KEY, ""), validate=True)
    except binascii.Error:
        model = b""
    if sha256(model) != card.input.lungs:
        raise InputError(
            "lungs-network-missing",
            f"{origin} does not contain the network of the lungs that its card names.",
        )
    return parse_finder(model, f"The network of the lungs in {origin}")
