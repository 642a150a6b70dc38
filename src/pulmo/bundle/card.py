"""The card: what a model is, what it was shown, and how its numbers are to be read.

It is the only place that spells the class order. It is next to the network as `card.json` and in
the ONNX file's own metadata, so that the file alone is a complete model.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pulmo.core.errors import UsageError
from pulmo.core.files import read_bytes
from pulmo.core.labels import DRAWN, LABELS, LabelScheme
from pulmo.core.record import Record, parse_record
from pulmo.core.sections import (
    Accepted,
    Frame,
    GreyScaleField,
    ImageSection,
    Margin,
    Normalise,
    Outside,
    Region,
    Spread,
)
from pulmo.predictions.decision_rule import DecisionRule
from pulmo.predictions.operating_point import Bands, OperatingPoint, PredictionSets
from pulmo.radiograph.facts import AgeGroup

RESEARCH_ONLY = "For research, not diagnosis."

FINDER_KEY = "pulmo.finder"
"""The key of the network of the lungs in the ONNX file's metadata, an ONNX file in Base64, if the
model sees the lungs. In the bundle that comes with pulmo it is not repeated if pulmo has it."""


class Input(Record):
    """The network's input: unsigned bytes [n, 1, size, size], 0 black."""

    size: Annotated[int, Field(ge=28, le=1024)]
    """Side in pixels."""
    aspect: Literal["squash", "pad", "crop"]
    """How an image that is not square becomes square."""
    grey: GreyScaleField = Field(default="plain", validate_default=True)
    """How its grey scale is changed (`pulmo.radiograph.grey`)."""
    mean: float
    """Subtracted, inside the network, from the grey value in [0, 1]."""
    std: float
    """Divides it, inside the network."""
    region: Region = "all"
    """all: the whole image. lungs: the rectangle around the lungs, or the whole image where none
    are found."""
    margin: Margin = 0.05
    """What is added to that rectangle on each side, as a share of its height or width."""
    outside: Outside = "kept"
    """black, mean: of the rectangle only the lungs are kept, with a border; the rest is black, or
    as grey as the lungs on average."""
    frame: Frame = "box"
    """box: the rectangle is the smallest one around the lungs, with the margin. moments: the mean
    place of their pixels and `spread` standard deviations to each side; it may stick out of the
    image."""
    spread: Spread = 2.1
    """Of the frame by moments."""
    normalise: Normalise = "none"
    """lungs: the lungs' mean grey is 128 of 255 and one standard deviation 40."""
    lungs: str | None = None
    """SHA-256 of the network that finds the lungs, which is in the ONNX file's metadata; None where
    the region is all."""

    @model_validator(mode="after")
    def _lungs_are_found_by_a_network(self) -> Self:
        if (self.region == "all") != (self.lungs is None):
            raise ValueError("input.lungs does not fit input.region")
        try:
            _ = self.image
        except UsageError as error:
            raise ValueError(str(error)) from error
        return self

    @property
    def shown(self) -> str:
        """What of an image the network sees, as the end of a sentence."""
        if self.region == "all":
            return "the whole image"
        part = (
            f"the rectangle around the lungs with a margin of {100 * self.margin:g} % of its sides"
        )
        if self.frame == "moments":
            part = (
                f"the rectangle {self.spread:g} standard deviations to each side of the middle of "
                "the lungs"
            )
        outside = {
            "kept": "",
            "black": "black outside the lungs",
            "mean": "as grey outside the lungs as they are on average",
        }
        normalised = {"none": "", "lungs": "the lungs' mean grey at 128 and their deviation at 40"}
        said = [part, outside[self.outside], normalised[self.normalise]]
        parts = [each for each in said if each]
        comma = "," if parts[1:] else ""
        return f"{', '.join(parts)}{comma} or the whole image where no lungs are found"

    @property
    def image(self) -> ImageSection:
        """How an image becomes the input, as a recipe says it."""
        return ImageSection(**{name: getattr(self, name) for name in ImageSection.model_fields})


class Decision(OperatingPoint):
    """When a result counts as positive."""

    positive: tuple[str, ...]
    """Classes whose summed probability is compared with the threshold."""


class DetectionRule(Record):
    """What makes a detection of a map: a box about evidence for a class, in the map's unit."""

    outline: float
    """The evidence at the edge of a detection."""
    least: float
    """The highest evidence that it needs."""


class Activation(Record):
    """The class activation maps [n, classes, rows, columns], in units of the logit.

    A map's mean over the image is its class's logit but for a constant (Zhou et al. 2016, and
    Selvaraju et al. 2017 for the gradient weights of a deeper head).
    """

    rows: int
    columns: int
    scale: Annotated[float, Field(gt=0)]
    """99th percentile of the decided class's positive values on the validation images: the fixed
    end of the colour scale, so that a map without evidence looks like one."""
    detections: Mapping[str, DetectionRule] = {}
    """Class -> what makes a detection, fitted on validation images of the other classes, so that
    they have at most one false detection in two images; empty in older cards."""


WeightFormat = Literal["fp32", "fp16", "int8"]
"""How weights are stored: float32, float16, or 8-bit integers with a scale for each channel."""


class Network(Record):
    """The network and where its weights came from."""

    backbone: str
    head: str
    parameters: int
    weights: str
    """Where training started: `none`, `timm`, or a file's name with its SHA-256."""
    sha256: str
    """SHA-256 of the trained tensors."""
    weight_format: WeightFormat = "fp32"
    """How `model.onnx` stores them. What was fitted on validation, the temperature and the
    thresholds, was fitted with float32."""


class Epoch(Record):
    """One epoch of training, a line of `history.jsonl`."""

    epoch: int
    stage: int = 1
    lr: float
    train_loss: float
    train_accuracy: float | None = None
    """Of the training images as each step saw them, changed at random and before the step learnt
    from them, as `train_loss`; None where they were mixed, or of a run that did not count."""
    val_loss: float
    val_score: float | None = None
    """What the epoch is chosen by, as `Training.chosen_by` names it; None if that is `val_loss`."""
    val_accuracy: float
    val_balanced_accuracy: float
    seconds: float
    images_per_second: float


class Training(Record):
    """What the model was shown."""

    recipe: str
    recipe_sha256: str
    manifest_sha256: str
    seed: int
    best_epoch: int
    chosen_by: str = ""
    """What the best epoch is best at, on which validation images; blank: the loss on all."""
    history: tuple[Epoch, ...]
    counts: dict[str, dict[str, int]]
    """Split -> class -> images."""
    sources: dict[str, dict[str, int]]
    """Class -> source -> images, of the training split."""
    modalities: tuple[str, ...] = ()
    """Modalities of the images, sorted; empty if none was stated."""
    views: tuple[str, ...] = ()
    """Views of the images, sorted; empty if none was stated."""
    ages: Mapping[AgeGroup, int] = {}
    """Age group -> training images that state such an age; empty if none states one, or of an older
    card."""
    accepts: tuple[Accepted, ...] = ()
    """What a header, or the looks, may say against the use of the model: it is then noted and not
    refused."""
    without_lungs: Mapping[str, Mapping[str, int]] = {}
    """Split -> class -> images in which no lungs were found, which were shown whole; empty if all
    images were."""
    weighed: Mapping[str, Mapping[str, int]] = {}
    """Source -> class -> training images, where the recipe's `train.balance` or
    `train.source_prior` goes by the source; parts of a source whose origins share no class are
    sources. Images that state none are one source. Empty if it does not go by the source."""
    coarse: Mapping[str, int] = {}
    """Label -> training images with it, which says that they are of one of several classes, and not
    of which (the recipe's `train.coarse_labels`)."""
    plugins: Mapping[str, str] = {}
    """Name -> SHA-256 of the plugins that were loaded when it was trained: code that is not
    pulmo's, which may have defined its network, loss, changes of images or grey scale."""
    seen_before: Mapping[str, int] = {}
    """Split -> images that the model whose weights the training started from was trained or chosen
    on; empty if it started from none that comes with pulmo."""
    drawings: int = 0
    """Training images that `pulmo data phantom` drew."""
    recipe_toml: str = ""
    """The whole recipe, with every setting, as TOML; a file of weights without its folder. Empty in
    a card from before it was kept."""


class Card(Record):
    """Everything that a reader of the model's numbers must know."""

    format: Literal[1] = 1
    name: str
    description: str
    created: str
    """Date and time in UTC, ISO 8601."""
    pulmo: str
    """Version of pulmo that trained the model."""
    license: str
    notice: str = RESEARCH_ONLY
    labels: LabelScheme
    input: Input
    temperature: Annotated[float, Field(gt=0)]
    """Logits are divided by it before the softmax (Guo et al. 2017), fitted on validation."""
    decision: Decision
    bands: Bands | None = None
    sets: PredictionSets | None = None
    activation: Activation
    network: Network
    training: Training
    files: Mapping[str, str] = {}
    """Name -> SHA-256 of the other files of the bundle; empty in the ONNX file's own copy."""

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        if not set(self.decision.positive) < set(self.labels.order):
            raise ValueError("decision.positive is not a part of labels.order")
        if not 1 <= self.training.best_epoch <= len(self.training.history):
            raise ValueError("training.best_epoch is not in training.history")
        return self

    @property
    def has_drawings(self) -> bool:
        """Whether drawings are among the training images; a card from before names the source."""
        sources = self.training.sources.values()
        return self.training.drawings > 0 or any(DRAWN in named for named in sources)

    def decision_rule(self, fitted: OperatingPoint | None = None) -> DecisionRule:
        """Returns how probabilities become results, by the card's threshold or one `fitted`."""
        return DecisionRule(
            self.labels.order,
            self.labels.merge,
            self.decision.positive,
            (fitted or self.decision).threshold,
            LABELS,
            fitted,
            self.bands,
            self.sets,
        )

    def to_json(self) -> str:
        """Returns the card as JSON that `parse_card` reads."""
        return self.model_dump_json(indent=2)


def parse_card(text: str | bytes, origin: str) -> Card:
    """Makes a card of JSON; `origin` names it in errors.

    Raises:
        InputError: it is not a card of this version of pulmo.
    """
    return parse_record(text, Card, origin=origin, what="a model card")


def read_card(path: Path) -> Card:
    """Reads a card.

    Raises:
        InputError: the file is missing or is not a card.
    """
    return parse_card(read_bytes(path), str(path))
