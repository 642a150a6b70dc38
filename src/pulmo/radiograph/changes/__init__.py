"""The changes of images, one file each, for training and for audits.

A file holds up to two registered things: an `Augmentation`, which draws how much each image of a
batch of torch tensors changes, and a `Disturbance`, which changes bytes by a given strength. They
are two implementations on purpose: an audit runs where torch is not installed, and training changes
a batch on the GPU where it lies. The tests compare the two. torch is imported only where a training
batch is changed.
"""

from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pulmo.core.choices import Choice, Choices
from pulmo.core.registry import Registry
from pulmo.core.sections import Number

if TYPE_CHECKING:
    from torch import Generator, Tensor


class Augmentation(Choice):
    """A random change of training images. Its field `strength` is how strong; 0 turns it off.

    Attributes:
        words: what it does at most, with a place for the strength, as a report says it.
        draw_order: its place among the draws of a batch, which come from one generator one after
            the other; a new one comes last, so that it leaves the draws of all others as they are.
        always_draws: whether it draws although it is off, so that those after it draw the same.
        apply_order: its place among the changes.
    """

    words: ClassVar[str]
    draw_order: ClassVar[int] = 100
    always_draws: ClassVar[bool] = False
    apply_order: ClassVar[int] = 100

    strength: Annotated[Number, Field(ge=0)] = 0.0
    """How strong the change is at most."""

    def __str__(self) -> str:
        """Returns what it does, for people."""
        return self.words.format(self.strength)

    @abstractmethod
    def draw(self, shape: tuple[int, int, int, int], generator: "Generator") -> "Tensor":
        """Draws how a batch changes, [n, ...], one entry an image.

        Args:
            shape: of the batch, [n, 1, height, width].
            generator: source of the randomness.
        """


class Affine(NamedTuple):
    """Where the pixels of changed images come from: coordinates in [-1, 1], (x, y).

    The place in the old image is `turn @ (x, y) + shift`.

    Attributes:
        turn: float [n, 2, 2].
        shift: float [n, 2].
    """

    turn: "Tensor"
    shift: "Tensor"


class Movement(Augmentation):
    """A change of where things are; all of a batch's movements are one resampling."""

    @abstractmethod
    def move(self, affine: Affine, drawn: "Tensor") -> Affine:
        """Returns where the pixels come from, with this movement.

        Args:
            affine: the movements so far.
            drawn: what `draw` gave.
        """


class Regrade(Augmentation):
    """A change of what the pixels show, after the movements.

    Attributes:
        in_range: whether it needs greys in [0, 1]; else those of the change before it may be
            outside.
    """

    in_range: ClassVar[bool] = False

    @abstractmethod
    def apply(self, images: "Tensor", drawn: "Tensor") -> "Tensor":
        """Returns images float [n, 1, height, width], changed; what is outside [0, 1] is cut off.

        Args:
            images: float [n, 1, height, width], black 0 and white 1.
            drawn: what `draw` gave, on the device of the images.
        """


AUGMENTATIONS: Final = Choices[Augmentation]("augmentation", "pulmo.radiograph.changes")


def uniform(n: int, largest: float, generator: "Generator") -> "Tensor":
    """Draws float [n] uniformly between -largest and largest."""
    import torch

    return (torch.rand(n, generator=generator) * 2 - 1) * largest


Images = NDArray[np.uint8]
"""uint8 [n, size, size], as the network gets them."""

Change = Callable[[Images], Images]

Make = Callable[[float, np.random.Generator], Change]
"""Makes a change of a strength; what it draws follows from the generator when it is made."""


class Disturbance(NamedTuple):
    """A change that an audit makes at set strengths to the network's input.

    So what is blurred or lost is measured in the pixels that the network sees.

    Attributes:
        words: what a sentence calls images that underwent it, with a place for the strength.
        unit: what its strength is, for an axis.
        strengths: those that are tried, in order.
        harmless: those of them that leave everything on an image that a reader needs.
        make: makes the change of a strength.
    """

    words: str
    unit: str
    strengths: tuple[float, ...]
    harmless: tuple[float, ...]
    make: Make


DISTURBANCES: Final = Registry[Disturbance]("disturbance", "pulmo.radiograph.changes")


def disturbance(
    name: str,
    *,
    words: str,
    unit: str,
    strengths: tuple[float, ...],
    harmless: tuple[float, ...],
) -> Callable[[Make], Make]:
    """Returns a decorator that registers what makes a change; see `Disturbance`."""

    def decorate(make: Make) -> Make:
        DISTURBANCES.register(name)(Disturbance(words, unit, strengths, harmless, make))
        return make

    return decorate


def one_by_one(change: Callable[[Images], "cv2.typing.MatLike"]) -> Change:
    """Returns what changes the images of a batch one by one."""
    return lambda images: np.stack([np.asarray(change(each), np.uint8) for each in images])


def resized(image: Images, size: int) -> Images:
    """Returns an image with another side, averaged where it shrinks."""
    way = cv2.INTER_AREA if size < len(image) else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (size, size), interpolation=way), np.uint8)


def to_bytes(greys: NDArray[np.floating]) -> Images:
    """Returns greys of 0 to 255 rounded, and cut off outside."""
    rounded: Images = np.rint(np.clip(greys, 0, 255)).astype(np.uint8)
    return rounded


def seed_of(generator: np.random.Generator) -> int:
    """Draws a seed, so that a change that is made once changes each batch alike."""
    return int(generator.integers(2**32))
