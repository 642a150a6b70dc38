"""JPEG artefacts."""

from typing import TYPE_CHECKING, Annotated, ClassVar

import cv2
import numpy as np
from pydantic import Field

from pulmo.core.sections import Whole
from pulmo.radiograph.changes import (
    AUGMENTATIONS,
    Change,
    Images,
    Regrade,
    disturbance,
    one_by_one,
)

if TYPE_CHECKING:
    from torch import Generator, Tensor


@AUGMENTATIONS.register("jpeg")
class Jpeg(Regrade):
    """JPEG artefacts."""

    words: ClassVar = "loss of JPEG quality up to {:g}"
    draw_order: ClassVar = 12
    apply_order: ClassVar = 13
    in_range: ClassVar = True

    strength: Annotated[Whole, Field(ge=0, le=95)] = 0
    """Largest loss of JPEG quality: the quality is drawn from 100 - jpeg to 100."""

    def draw(self, shape: tuple[int, int, int, int], generator: "Generator") -> "Tensor":
        """Draws the quality of each image; 100 leaves it as it is."""
        import torch

        return torch.randint(100 - self.strength, 101, (shape[0],), generator=generator)

    def apply(self, images: "Tensor", drawn: "Tensor") -> "Tensor":
        """Returns images as JPEG gives them back."""
        import torch

        stored = (images[:, 0] * 255).round().to(torch.uint8).cpu().numpy()
        pairs = zip(stored, drawn.tolist(), strict=True)
        back = np.stack([_stored(image, quality) for image, quality in pairs])
        lossy = torch.from_numpy(back)[:, None].to(images) / 255
        return torch.where(drawn.eq(100).view(-1, 1, 1, 1), images, lossy)


@disturbance(
    "JPEG",
    words="stored as JPEG of quality {:g}",
    unit="quality",
    strengths=(10.0, 25.0, 50.0),
    harmless=(50.0,),
)
def jpeg(quality: float, _: np.random.Generator) -> Change:
    """Stores each image as JPEG of a quality from 1 to 100 and reads it back."""
    return one_by_one(lambda image: _stored(image, int(quality)))


def _stored(image: Images, quality: int) -> Images:
    _, file = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(file, cv2.IMREAD_GRAYSCALE), np.uint8)
