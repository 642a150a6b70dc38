"""The card of the network that finds the lungs: what it is, how it decides, what it was shown."""

from pulmo.core.record import Record
from pulmo.lungs.rule import LungRule

LUNGS_KEY = "pulmo.lungs"
"""The key of the card in the ONNX file's metadata."""


class LungCard(Record):
    """What a network of the lungs is.

    Attributes:
        size: side of its input in pixels.
        threshold: probability from which on a pixel is lung.
        rule: what tells lungs from what is none.
        images: source -> training images with a lung mask.
        without: training images without lungs.
        validation: validation images with a lung mask, and without lungs.
        val_dice: mean Dice coefficient of the validation images with a mask, at the threshold.
        val_refused: validation images with a mask in which no lungs were found.
        val_invented: validation images without lungs in which some were found.
        licences: licences of the training images, as far as their sources state them.
        settings_sha256: how it was trained.
        manifest_sha256: on which images.
        pulmo: the version that made it.
    """

    size: int
    threshold: float
    rule: LungRule
    images: dict[str, int]
    without: int
    validation: tuple[int, int]
    val_dice: float
    val_refused: int
    val_invented: int
    licences: tuple[str, ...]
    settings_sha256: str
    manifest_sha256: str
    pulmo: str
