"""How the network of the lungs is trained, and how far a training is."""

from typing import Annotated, Final

from pydantic import BaseModel, Field

from pulmo.core.choices import Choice, StrengthOfEach
from pulmo.core.files import sha256
from pulmo.core.record import Record
from pulmo.core.sections import Count, Number

AUGMENT: Final = {
    "rotate": 15,
    "scale": 0.3,
    "translate": 0.12,
    "shear": 8,
    "flip": 0.5,
    "brightness": 0.1,
    "contrast": 0.4,
    "gamma": 0.4,
    "noise": 0.03,
    "blur": 1.0,
    "erase": 0.06,
}
"""How training images change: lungs of any size, place and exposure. A flip is right here, since a
mirrored chest has its lungs where the mirror shows them."""


class LungSettings(Record):
    """How the network of the lungs is trained; a training resumes only with the same ones."""

    size: Annotated[int, Field(ge=32, le=512, multiple_of=32)] = 192
    """Side of the input in pixels; an image is squashed to a square."""
    epochs: Count = 80
    cycle: Count = 64
    """Epochs of the cycle that the learning rate follows until it cools down."""
    cooldown: Annotated[Number, Field(gt=0, le=1)] = 0.5
    """Share of the epochs, the last ones, in which the rate falls to 0."""
    batch: Count = 16
    lr: Annotated[Number, Field(gt=0)] = 4e-3
    """Peak learning rate of AdamW."""
    weight_decay: Annotated[Number, Field(ge=0)] = 1e-2
    ema_decay: Annotated[Number, Field(ge=0, lt=1)] = 0.995
    """Decay of the average of the weights, a step."""
    seed: Annotated[int, Field(ge=0)] = 0
    drawn: Annotated[int, Field(ge=0)] = 112
    """Drawn images without lungs."""
    elsewhere: Annotated[int, Field(ge=0)] = 80
    """Parts of training images that show no lung."""
    invert: Annotated[Number, Field(ge=0, le=1)] = 0.1
    """Probability that an image is shown inverted."""
    augment: Annotated[
        dict[str, Choice], StrengthOfEach("pulmo.radiograph.changes:AUGMENTATIONS")
    ] = Field(default=AUGMENT, validate_default=True)

    @property
    def sha256(self) -> str:
        """The SHA-256 of all settings."""
        return sha256(self.model_dump_json().encode())


class LungEpoch(Record):
    """One epoch of a training, a line of `history.jsonl`."""

    epoch: int
    train_loss: float
    val_dice: float
    """Mean Dice coefficient of the validation images with lungs, at a probability of one half."""
    seconds: float

    def __str__(self) -> str:
        return (
            f"epoch {self.epoch}: training loss {self.train_loss:.4f}, validation Dice "
            f"{self.val_dice:.4f}, {self.seconds:.0f} s"
        )


class LungProgress(BaseModel):
    """How far a training has come; with weights and optimiser it decides all that follows.

    Attributes:
        settings_sha256: the settings of the training.
        manifest_sha256: its images.
        history: the finished epochs.
        best_epoch: the one with the highest Dice coefficient, from 1; 0 before the first.
    """

    settings_sha256: str
    manifest_sha256: str
    history: list[LungEpoch] = []
    best_epoch: int = 0

    @property
    def best_dice(self) -> float:
        """The highest Dice coefficient so far; below any before the first epoch."""
        return self.history[self.best_epoch - 1].val_dice if self.best_epoch else -1.0
