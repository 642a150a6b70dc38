"""The sections of a recipe: frozen, typed, with their ranges."""

from typing import Annotated, ClassVar, Literal, Self

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

Outside = Literal["kept", "black", "mean"]
"""What becomes of the pixels outside the lungs, where the network sees the lungs alone."""

Margin = Annotated[Number, Field(ge=0, le=1)]

Frame = Literal["box", "moments"]
"""What of the lungs' mask decides the rectangle that is cut out around them."""

Spread = Annotated[Number, Field(ge=1, le=5)]

Normalise = Literal["none", "lungs"]
"""By which pixels the grey values are made comparable between images."""

Look = Literal[
    "looks like CT",
    "looks like no radiograph",
    "looks lateral",
    "looks turned",
    "looks inverted",
    "looks cut",
    "looks like several",
]
"""What an image may look like that a model for frontal chest X-rays was not meant for."""

Accepted = Literal["for processing", "lateral", "oblique", "decubitus", "other body part", Look]
"""What the header of an image, or its looks, may say against its use."""


class Section(Record):
    """A part of a recipe."""

    # What is below a field is its description, which `pulmo recipes show` prints.
    model_config = ConfigDict(use_attribute_docstrings=True)

    later_fields: ClassVar[frozenset[str]] = frozenset()
    """Fields that recipes did not always have. At its default such a field does what was done
    before there was one, and so it is no part of a recipe's hash."""

    @property
    def unused_fields(self) -> set[str]:
        """The later fields that are at their defaults."""
        known = type(self).model_fields
        usual = {n: known[n].get_default(call_default_factory=True) for n in self.later_fields}
        return {name for name, value in usual.items() if getattr(self, name) == value}


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
    """black, mean: of the rectangle only the lungs are kept, with a border as wide as the margin of
    the shorter side of the lungs' box; the rest becomes black, or as grey as the lungs on average.
    """
    frame: Frame = "box"
    """Which rectangle it is. box: the smallest one around the lungs, with the margin. moments: the
    mean place of the lungs' pixels and `spread` of their standard deviations to each side, which
    few stray pixels hardly move; it may stick out of the image."""
    spread: Spread = 2.1
    """With frame = "moments": standard deviations from the middle to each edge. An even rectangle
    ends at 1.73 of them."""
    normalise: Normalise = "none"
    """lungs: the mean grey of the lungs' pixels becomes 128 of 255 and one standard deviation 40;
    what is below 0 or above 255 is cut off. An image without lungs stays as it is."""

    later_fields = frozenset({"frame", "spread", "normalise"})

    @model_validator(mode="after")
    def _what_is_of_the_lungs_needs_them(self) -> Self:
        usual = {"outside": "kept", "frame": "box", "normalise": "none"}
        for name, value in usual.items():
            if self.region == "all" and getattr(self, name) != value:
                raise UsageError(
                    "setting-without-region",
                    f"The setting image.{name} is {getattr(self, name)}, but the whole image is "
                    "shown. It needs image.region lungs.",
                )
        if self.normalise == "lungs" and self.grey.name != "plain":
            raise UsageError(
                "grey-scales-contradict",
                f"Both image.grey {self.grey.name} and image.normalise lungs set the grey scale. "
                "Use one of them.",
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
    """none: random. timm: timm's pretrained weights, downloaded. pulmo: those of the model that
    comes with pulmo, of the same network. Else a safetensors file."""
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
