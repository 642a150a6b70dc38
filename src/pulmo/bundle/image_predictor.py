"""ImagePredictor: the one path from a radiograph to a result, whatever runs the network."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from pulmo.bundle.card import Card
from pulmo.bundle.gate import check_appearance
from pulmo.bundle.outcome import Outcome, Outputs, Prepared, outcomes
from pulmo.bundle.scope import check_scope
from pulmo.bundle.seen import SeenImages
from pulmo.core.errors import InputError
from pulmo.lungs.framing import framed_input
from pulmo.radiograph import Note, Radiograph, pixels_sha256

if TYPE_CHECKING:
    from pulmo.lungs.finder import LungFinder

_DRAWINGS: Final = Note(
    "drawings", "The model was trained on drawings: its result says nothing about a patient."
)
SEEN: Final = Note(
    "seen",
    "The model was trained or chosen on this image: its result does not show how "
    "it performs on a new one.",
)


class ImagePredictor(ABC):
    """A model that gives radiographs results, by its card.

    Attributes:
        card: what the model is.
        finder: the network that finds the lungs; None if the model sees whole images.
        seen: the images that it was trained and chosen on; empty if nothing says.
        notes: what a user must know of the model, whatever the image.
        sha256: of `model.onnx`; None of a run, which has none.
    """

    sha256: str | None = None

    def __init__(self, card: Card, finder: "LungFinder | None" = None) -> None:
        """Takes the card of a model, and the network that finds the lungs, if it sees those.

        Raises:
            InputError: that network is not the one of the card.
        """
        if (finder and finder.sha256) != card.input.lungs:
            raise InputError(
                "lungs-network-differs",
                f"The model {card.name} sees the part of an image that a network of the lungs with "
                f"the SHA-256 {card.input.lungs} finds; "
                f"{finder.sha256 if finder else 'no such network'} was given.",
            )
        self.card, self.finder = card, finder
        self.seen = SeenImages()
        self.notes: tuple[Note, ...] = (_DRAWINGS,) if card.has_drawings else ()

    @abstractmethod
    def run(self, inputs: NDArray[np.uint8]) -> Outputs:
        """Runs the network on n inputs, uint8 [n, size, size], as `to_input` gives them."""

    def to_input(self, radiograph: Radiograph) -> NDArray[np.uint8]:
        """Returns a radiograph's input, uint8 [size, size]."""
        return framed_input(radiograph, self.card.input.image, self.finder).pixels

    def predict(self, radiograph: Radiograph, name: str = "The image") -> Outcome:
        """Returns the result for one radiograph.

        Args:
            radiograph: the image.
            name: what messages call the image.

        Raises:
            InputError: the network gave a value that is not a number.
            RefusedError: the header says that the model was not meant for the image, or it looks
                so.
        """
        return self.predict_prepared([self.prepare(radiograph, name)])[0]

    def prepare(
        self, radiograph: Radiograph, name: str = "The image", *, described: bool = False
    ) -> Prepared:
        """Returns a radiograph as the network takes it, if the model was meant for it.

        Args:
            radiograph: the image.
            name: what messages call the image.
            described: whether a manifest describes the image, so that its looks are only noted.

        Raises:
            RefusedError: the header says that the model was not meant for the image, or it looks
                so.
        """
        scope = check_scope(self.card, radiograph.facts, name)
        shown = framed_input(radiograph, self.card.input.image, self.finder)
        scope += check_appearance(
            self.card, radiograph, name, lungs=shown.lungs, described=described
        )
        known = self._familiarity(radiograph)
        notes = (*radiograph.facts.notes, *scope, *shown.notes, *self.notes, *known)
        return Prepared(shown.pixels, notes, shown.box, shown.lungs)

    def predict_prepared(self, images: Sequence[Prepared]) -> list[Outcome]:
        """Returns the results of one or more images that are prepared.

        Raises:
            InputError: the network gave a value that is not a number.
        """
        found = outcomes(self.card, self.run(np.stack([each.input for each in images])))
        return [
            outcome._replace(notes=image.notes, prepared=image)
            for outcome, image in zip(found, images, strict=True)
        ]

    def _familiarity(self, radiograph: Radiograph) -> tuple[Note, ...]:
        """Returns a note if the model was trained or chosen on the image."""
        if not self.seen:
            return ()
        known = self.seen.has(radiograph.sha256, pixels_sha256(radiograph.pixels))
        return (SEEN,) if known else ()
