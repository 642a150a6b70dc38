"""The network that finds the lungs, opened. It needs no torch."""

from functools import cache
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pulmo.core.errors import InputError
from pulmo.core.files import read_bytes, sha256
from pulmo.core.onnx_session import open_session
from pulmo.core.record import parse_record
from pulmo.lungs.card import LUNGS_KEY, LungCard
from pulmo.lungs.mask import LungMask
from pulmo.lungs.parts import Parts, measure, nearer_left, parts_of
from pulmo.radiograph import Note, Radiograph
from pulmo.radiograph.facts import FRONTAL
from pulmo.radiograph.image_source import ImageSource, ValueRange, name_of, open_image

SHIPPED: Final = Path(__file__).with_name("lungs.onnx")
"""The network that comes with pulmo."""

_SIDES: Final = Note(
    "sides",
    "The view is not stated. The lung on the left of the image counts as the patient's right lung, "
    "as on a PA or AP image that is not mirrored.",
)


class LungFinder:
    """A network of the lungs, opened.

    Attributes:
        card: what it is.
        model: the content of its file.
        sha256: of its file.
    """

    def __init__(self, model: bytes, origin: str, threads: int = 1) -> None:
        """Opens a network with its card; `shipped_finder` gives the usual one.

        Args:
            model: the content of the ONNX file.
            origin: its name, for messages.
            threads: threads of the network; 0 takes all cores.

        Raises:
            InputError: it is no network of the lungs.
        """
        self._session = open_session(model, origin, threads)
        metadata = self._session.get_modelmeta().custom_metadata_map
        if LUNGS_KEY not in metadata:
            raise InputError(
                "card-missing", f"{origin} contains no card of a network of the lungs."
            )
        self.card = parse_record(
            metadata[LUNGS_KEY], LungCard, origin=origin, what="a card of a network of the lungs"
        )
        self.model, self.sha256 = model, sha256(model)

    def probabilities(self, inputs: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Returns the probability of lung of each pixel, float32 [n, size, size].

        Args:
            inputs: uint8 [n, size, size], squashed to a square.
        """
        (found,) = self._session.run(None, {"radiograph": inputs[:, None]})
        result: NDArray[np.float32] = found
        return result

    def find(self, radiograph: Radiograph) -> LungMask:
        """Returns the lungs on an image, or why none were found."""
        return self.mask(radiograph, self.look(radiograph))

    def look(self, radiograph: Radiograph) -> NDArray[np.float32]:
        """Returns the probability of lung on an image that is squashed, float32 [size, size]."""
        (found,) = self.probabilities(radiograph.squashed(self.card.size)[None])
        return np.asarray(found, np.float32)

    def mask(self, radiograph: Radiograph, probability: NDArray[np.float32]) -> LungMask:
        """Returns the lungs that `look` has seen on an image, at its size."""
        height, width = radiograph.pixels.shape
        notes = () if radiograph.facts.view in FRONTAL else (_SIDES,)
        return self.decide(probability, (height, width), notes)

    def decide(
        self, probability: NDArray[np.float32], shape: tuple[int, int], notes: tuple[Note, ...] = ()
    ) -> LungMask:
        """Returns the lungs that probabilities mean, at the size of their image.

        Args:
            probability: float32 [size, size].
            shape: height and width of the image.
            notes: what was assumed about it.
        """
        parts = parts_of(probability >= self.card.threshold)
        measured = measure(probability, parts)
        reasons = self.card.rule.lacks(measured)
        if reasons:
            empty = np.zeros(shape, np.bool_)
            return LungMask(probability, empty, empty, reasons, measured, notes)
        on_left, on_right = self._at_size(probability, parts, shape)
        return LungMask(probability, on_left, on_right, (), measured, notes)

    def _at_size(
        self, probability: NDArray[np.float32], parts: Parts, shape: tuple[int, int]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Returns the lungs on the left and on the right of an image of some shape."""
        kept = np.where(parts.stray, np.float32(0), probability)
        mask = _resized(kept, shape) >= self.card.threshold
        nearer = cv2.resize(
            nearer_left(parts).astype(np.uint8), shape[::-1], interpolation=cv2.INTER_NEAREST
        ).astype(np.bool_)
        return mask & nearer, mask & ~nearer


@cache
def shipped_finder(threads: int = 1) -> LungFinder:
    """Returns the network that comes with pulmo, opened once."""
    return LungFinder(read_bytes(SHIPPED), SHIPPED.name, threads)


def segment(image: ImageSource, *, value_range: ValueRange | None = None) -> LungMask:
    """Finds the lungs on an image with the network that comes with pulmo.

    It was trained on frontal X-rays of children and adults (`docs/how-to/find-lungs.md`). On an
    image of another kind it is to find no lungs.

    Args:
        image: a file, its bytes, an image of Pillow, an array [height, width], or an image that was
            read.
        value_range: of an array, the values that are shown black and white, such as (0, 255).

    Raises:
        InputError: the file is missing or damaged.
        RefusedError: it is readable, but not one grey image within the limits.
        UsageError: an array has no value range or does not fit it.
    """
    return shipped_finder().find(open_image(image, name_of(image, "The image"), value_range))


def _resized(probability: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
    height, width = shape
    return np.asarray(
        cv2.resize(probability, (width, height), interpolation=cv2.INTER_LINEAR), np.float32
    )
