"""Left-right flip."""

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from pulmo.core.sections import Number
from pulmo.radiograph.changes import AUGMENTATIONS, Affine, Images, Movement

if TYPE_CHECKING:
    from torch import Generator, Tensor


@AUGMENTATIONS.register("flip")
class Flip(Movement):
    """Left-right flip."""

    words: ClassVar = "left-right flip with probability {:g}"
    draw_order: ClassVar = 9
    apply_order: ClassVar = 5

    strength: Annotated[Number, Field(ge=0, le=1)] = 0.0
    """Probability of a left-right flip; off, because it moves the heart to the other side and
    mirrors the side marker, so that the network sees images that do not exist."""

    def draw(self, shape: tuple[int, int, int, int], generator: "Generator") -> "Tensor":
        """Draws whether each image is flipped."""
        import torch

        return torch.rand(shape[0], generator=generator) < self.strength

    def move(self, affine: Affine, drawn: "Tensor") -> Affine:
        """Returns the movement with the flip."""
        import torch

        across = torch.where(drawn[:, None, None], torch.tensor([-1.0, 1]), 1.0)
        return affine._replace(turn=affine.turn * across)


def mirror(images: Images) -> Images:
    """Shows left as right."""
    return images[:, :, ::-1].copy()
