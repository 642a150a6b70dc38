"""Predictor: the one path from a radiograph to a result. It needs no torch."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple, Self

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from pulmo.bundle.card import Card, parse_card, read_card
from pulmo.bundle.gate import check_appearance
from pulmo.bundle.held_out import HeldOut
from pulmo.bundle.outcome import Outcome, Outputs, outcomes
from pulmo.bundle.scope import check_scope
from pulmo.core.errors import InputError
from pulmo.core.files import read_bytes, sha256
from pulmo.core.folders import BundleFolder
from pulmo.radiograph import Note, Radiograph, pixels_sha256
from pulmo.radiograph.geometry import to_input

CARD_KEY: Final = "pulmo.card"
"""The key of the card in the ONNX file's metadata."""
OUTPUTS: Final = ("logits", "activation", "features")
"""The names of the network's outputs; a bundle without the last is as good but for an audit."""

_DRAWINGS: Final = Note(
    "drawings", "The model was trained on drawings: its result says nothing about a patient."
)
_SEEN: Final = Note(
    "seen",
    "The model was trained or chosen on this image: its result does not show how "
    "it performs on a new one.",
)


class Prepared(NamedTuple):
    """An image that the model was meant for, as its network takes it.

    Attributes:
        input: uint8 [size, size].
        notes: what the reader assumed about the image or did to it, and what the model has to do
            with it.
    """

    input: NDArray[np.uint8]
    notes: tuple[Note, ...]


class Predictor:
    """A bundle, opened.

    Attributes:
        card: what the model is.
        model: the content of `model.onnx`, which the session keeps anyway.
        sha256: its SHA-256.
        threads: threads of the network; 0 if all cores.
        seen: SHA-256 of the files and of the pixels of the images that it was trained and chosen
            on; empty if the bundle does not say.
        notes: what a user must know of the model, whatever the image.
        held_out: the images of its test.
    """

    def __init__(self, model: bytes, origin: str, threads: int = 0) -> None:
        """Opens a network with its card; `open` is the usual way.

        Args:
            model: the content of `model.onnx`.
            origin: its file, for messages.
            threads: threads of the network; 0 takes all cores.

        Raises:
            InputError: it is not an ONNX network with a card of pulmo.
        """
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                model, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's errors share no narrower base
            raise InputError(
                "onnx-invalid", f"{origin} is not a usable ONNX network: {str(error).rstrip('.')}."
            ) from error
        metadata = self._session.get_modelmeta().custom_metadata_map
        if CARD_KEY not in metadata:
            raise InputError(
                "card-missing", f"{origin} contains no card, so it was not exported by pulmo."
            )
        self.card: Card = parse_card(metadata[CARD_KEY], origin)
        self.model, self.sha256, self.threads = model, sha256(model), threads
        self.seen: frozenset[str] = frozenset()
        self.notes: tuple[Note, ...] = (_DRAWINGS,) if self.card.has_drawings else ()
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
        predictor.seen = frozenset(contents.get(folder.seen.name, b"").decode().split())
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

    def to_input(self, radiograph: Radiograph) -> NDArray[np.uint8]:
        """Returns a radiograph's input, uint8 [size, size]."""
        shape = self.card.input
        return to_input(radiograph.pixels, shape.size, shape.aspect, shape.grey)

    def predict(self, radiograph: Radiograph, name: str = "The image") -> Outcome:
        """Returns the result for one radiograph.

        Args:
            radiograph: the image.
            name: what messages call the image.

        Raises:
            InputError: the network gave a value that is not a number.
            RefusedError: the header says that the model was not meant for the image, or it looks
                so where no modality is stated.
        """
        return self.predict_prepared([self.prepare(radiograph, name)])[0]

    def prepare(self, radiograph: Radiograph, name: str = "The image") -> Prepared:
        """Returns a radiograph as the network takes it, if the model was meant for it.

        Args:
            radiograph: the image.
            name: what messages call the image.

        Raises:
            RefusedError: the header says that the model was not meant for the image, or it looks
                so where no modality is stated.
        """
        scope = check_scope(self.card, radiograph.facts, name)
        scope += check_appearance(self.card, radiograph, name)
        known = self._familiarity(radiograph)
        notes = (*radiograph.facts.notes, *scope, *self.notes, *known)
        return Prepared(self.to_input(radiograph), notes)

    def predict_prepared(self, images: Sequence[Prepared]) -> list[Outcome]:
        """Returns the results of one or more images that are prepared.

        Raises:
            InputError: the network gave a value that is not a number.
        """
        found = outcomes(self.card, self.run(np.stack([each.input for each in images])))
        return [
            outcome._replace(notes=image.notes)
            for outcome, image in zip(found, images, strict=True)
        ]

    def _familiarity(self, radiograph: Radiograph) -> tuple[Note, ...]:
        """Returns a note if the model was trained or chosen on the image."""
        if not self.seen:
            return ()
        known = radiograph.sha256 in self.seen or pixels_sha256(radiograph.pixels) in self.seen
        return (_SEEN,) if known else ()
