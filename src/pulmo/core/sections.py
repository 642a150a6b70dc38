"""The sections of a recipe: frozen, typed, with their ranges."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

# Strict, so that `true` and "3" are not numbers.
Number = Annotated[float, Field(strict=True)]
Whole = Annotated[int, Field(strict=True)]
Fraction = Annotated[Number, Field(ge=0, lt=1)]
Positive = Annotated[Number, Field(gt=0)]
Count = Annotated[Whole, Field(ge=1)]


class Section(BaseModel):
    """A part of a recipe: frozen, and it refuses keys that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class DataSection(Section):
    """Which pictures of the manifest take part; empty means all."""

    sources: tuple[str, ...] = ()
    views: tuple[str, ...] = ()
    modalities: tuple[str, ...] = ()
    """Empty: all, and they must be of one modality. Naming several mixes them on purpose."""


class ImageSection(Section):
    """How a radiograph becomes the network's square input."""

    size: Annotated[Whole, Field(ge=28, le=1024)] = 224
    """Side of the input in pixels."""
    aspect: Literal["squash", "pad", "crop"] = "pad"
    """squash ignores the aspect ratio, pad adds black borders, crop takes the central square."""


class ModelSection(Section):
    """The network and where its weights start."""

    backbone: str
    """A timm name, or a network of `pulmo.models.zoo`."""
    head: Literal["linear", "mlp"] = "linear"
    """linear: pool, linear. mlp: pool, linear, ReLU, dropout, linear."""
    hidden: Count = 512
    """Width of the mlp head's hidden layer."""
    dropout: Fraction = 0.0
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


class AugmentSection(Section):
    """Random changes of training pictures, drawn uniformly; 0 turns one off.

    There is no left-right flip: it moves the heart to the other side and mirrors the markers.
    """

    rotate: Annotated[Number, Field(ge=0, le=45)] = 0.0
    """Largest rotation either way, in degrees."""
    scale: Annotated[Number, Field(ge=0, le=0.5)] = 0.0
    """Largest enlargement or reduction, as a fraction."""
    translate: Annotated[Number, Field(ge=0, le=0.5)] = 0.0
    """Largest shift either way, as a fraction of the side."""
    brightness: Annotated[Number, Field(ge=0, le=0.5)] = 0.0
    """Largest value added or subtracted, of the range [0, 1]."""
    contrast: Annotated[Number, Field(ge=0, lt=1)] = 0.0
    """Largest change of the contrast about the picture's mean, as a fraction."""
    gamma: Annotated[Number, Field(ge=0, lt=1)] = 0.0
    """Largest change of the exponent about 1."""
    noise: Annotated[Number, Field(ge=0, le=0.5)] = 0.0
    """Largest standard deviation of added Gaussian noise, of the range [0, 1]."""


class TrainSection(Section):
    """The training loop."""

    epochs: Count = 10
    batch: Annotated[Whole, Field(ge=2)] = 32
    lr: Positive = 1e-3
    """Peak learning rate."""
    schedule: Literal["one-cycle", "constant"] = "one-cycle"
    """one-cycle: Smith and Topin 2018, cosine up over `warmup` and down to lr / 10000."""
    warmup: Annotated[Number, Field(gt=0, lt=1)] = 0.25
    """Fraction of the steps over which one-cycle rises."""
    optimiser: Literal["adam", "adamw", "sgd"] = "adamw"
    weight_decay: Annotated[Number, Field(ge=0)] = 0.01
    class_weights: Literal["none", "balanced"] = "none"
    """balanced: a class weighs n / (classes * n of the class) in the loss."""
    label_smoothing: Fraction = 0.0
    patience: Count | None = None
    """Epochs without a lower validation loss after which training stops; absent: never."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """auto: bfloat16 on a GPU, and on a processor that has it unless the network is depthwise."""
    seed: Annotated[Whole, Field(ge=0)] = 0


class DecisionSection(Section):
    """When the result counts as positive."""

    positive: tuple[str, ...]
    """Classes whose summed probability is compared with the threshold."""
    sensitivity: Annotated[Number, Field(gt=0, lt=1)] = 0.95
    """The threshold is chosen to reach this sensitivity on the validation pictures, and no more."""
