"""The sections of a recipe: frozen, typed, with their ranges."""

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from pulmo.core.choices import Choice, OneOf
from pulmo.core.errors import UsageError
from pulmo.core.record import Record

# Strict, so that `true` and "3" are not numbers.
Number = Annotated[float, Field(strict=True)]
Whole = Annotated[int, Field(strict=True)]
Fraction = Annotated[Number, Field(ge=0, lt=1)]
Positive = Annotated[Number, Field(gt=0)]
Count = Annotated[Whole, Field(ge=1)]


GreyScaleField = Annotated[Choice, OneOf("pulmo.radiograph.grey:GREY_SCALES", "plain")]

Region = Literal["all", "lungs"]
"""The part of an image that the network sees."""

Outside = Literal["kept", "black"]
"""What becomes of the pixels outside the lungs, where the network sees the lungs alone."""

Margin = Annotated[Number, Field(ge=0, le=1)]

Accepted = Literal[
    "for processing", "lateral", "oblique", "decubitus", "other body part", "looks like CT"
]
"""What the header of an image, or its looks, may say against its use."""


class Section(Record):
    """A part of a recipe."""

    # What is below a field is its description, which `pulmo recipes show` prints.
    model_config = ConfigDict(use_attribute_docstrings=True)


class DataSection(Section):
    """Which images of the manifest take part; empty means all."""

    sources: tuple[str, ...] = ()
    """Only these sources."""
    views: tuple[str, ...] = ()
    """Only these views, such as PA."""
    modalities: tuple[str, ...] = ()
    """Empty: all, and they must be of one modality. Naming several mixes them on purpose."""
    accepts: tuple[Accepted, ...] = ()
    """What a header, or the looks, may say against the use of the model, which then notes it and
    answers."""


class ImageSection(Section):
    """How a radiograph becomes the network's square input."""

    size: Annotated[Whole, Field(ge=28, le=1024)] = 224
    """Side of the input in pixels."""
    aspect: Literal["squash", "pad", "crop"] = "pad"
    """squash ignores the aspect ratio, pad adds black borders, crop takes the central square."""
    grey: GreyScaleField = Field(default="plain", validate_default=True)
    """How the grey scale is changed."""
    region: Region = "all"
    """all: the whole image. lungs: the rectangle around the lungs that pulmo's network finds; an
    image without lungs is taken whole and gets a note."""
    margin: Margin = 0.05
    """What is added to that rectangle on each side, as a share of its height or width."""
    outside: Outside = "kept"
    """black: of the rectangle only the lungs are kept, with a border as wide as the margin of its
    shorter side."""

    @model_validator(mode="after")
    def _nothing_is_outside_of_all(self) -> Self:
        if self.region == "all" and self.outside == "black":
            raise UsageError(
                "outside-without-region",
                "The setting image.outside is black, but the whole image is shown. It needs "
                "image.region lungs.",
            )
        return self


class ModelSection(Section):
    """The network and where its weights start."""

    backbone: str
    """A timm name, or a network of `pulmo.models.zoo`."""
    head: Annotated[Choice, OneOf("pulmo.models.heads:HEADS", "linear")] = Field(
        default="linear", validate_default=True
    )
    """What makes logits of the feature maps."""
    weights: str = "none"
    """none: random. timm: timm's pretrained weights, downloaded. Else a safetensors file."""
    weights_sha256: str | None = None
    """Expected SHA-256 of that file; a different file is refused."""
    weights_partial: bool = False
    """Whether the file may lack some of the network's tensors, which then start at random."""
    mean: Number = 0.449
    """Subtracted from the grey value in [0, 1]; the default is ImageNet's, averaged over RGB."""
    std: Positive = 0.226
    """Divides the grey value; the default is ImageNet's, averaged over RGB."""


class DecisionSection(Section):
    """When the result counts as positive."""

    positive: tuple[str, ...]
    """Classes whose summed probability is compared with the threshold."""
    sensitivity: Annotated[Number, Field(gt=0, lt=1)] = 0.95
    """The threshold is chosen to reach this sensitivity on the validation images, and no more."""
    guaranteed: Annotated[bool, Field(strict=True)] = False
    """Whether it is chosen to reach it on all images like these, with 95 % confidence, where the
    validation images suffice to say so; it is lower then, and calls more images positive."""
    specificity: Annotated[Number, Field(gt=0, lt=1)] = 0.95
    """The band `positive` of the triage begins where this specificity is reached; its band
    `negative` ends where the sensitivity is."""
    coverage: Annotated[Number, Field(gt=0, lt=1)] = 0.9
    """Share of the images whose conformal set of classes is to hold the true one."""
