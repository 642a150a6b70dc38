"""The sections of a recipe that say how a network is trained."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from pulmo.core.choices import Choice, OneOf, StrengthOfEach
from pulmo.core.errors import UsageError
from pulmo.core.sections import Count, Fraction, Number, Positive, Section, Whole

Augmentations = Annotated[
    Mapping[str, Choice], StrengthOfEach("pulmo.radiograph.changes:AUGMENTATIONS")
]
"""Name of an augmentation -> the augmentation; all of them, most of them off."""


Balance = Literal["none", "within-source", "source-and-class"]
"""What of the training images counts alike."""


class StageSection(Section):
    """What one stage of training does. A stage starts from the best weights of those before it."""

    epochs: Count = 10
    """Passes over the training images, at most."""
    lr: Positive = 1e-3
    """Peak learning rate, that of the head."""
    lr_first: Positive | None = None
    """Peak learning rate of the first layer group; those between are spaced evenly in the
    logarithm up to `lr`, as fastai's slice(lr_first, lr)."""
    lr_divisors: tuple[Positive, ...] = ()
    """What `lr` is divided by for each layer group, from the stem to the head."""
    trains: Literal["all", "head", "gradual"] | Count = "all"
    """all; head: the base is frozen; gradual: one more layer group each epoch, from the head
    (Howard and Ruder 2018); N: the last N layers with weights, the head's among them."""
    schedule: Annotated[Choice, OneOf("pulmo.train.schedules:SCHEDULES", "one-cycle")] = Field(
        default="one-cycle", validate_default=True
    )
    """How the learning rate changes over the steps of a stage."""
    patience: Count | None = None
    """Epochs without a better one (choose_by) after which the stage ends; absent: never."""
    views: Annotated[Whole, Field(ge=0, le=64)] = 0
    """With trains = "head": compute the frozen base's features once, for so many augmented views
    of each image, and train on these; an epoch takes the views in turn. 0: run the base."""

    @model_validator(mode="after")
    def _rates_and_views_make_sense(self) -> Self:
        if self.lr_first is not None and self.lr_divisors:
            raise UsageError(
                "learning-rates-contradict",
                "Both lr_first and lr_divisors set the learning rates of the layer groups. Use "
                "one of them.",
            )
        if self.views and self.trains != "head":
            raise UsageError(
                "frozen-views-contradict",
                f"The setting views = {self.views} needs the features of a frozen base, but "
                f'trains = {self.trains!r}. Set trains = "head" or views = 0.',
            )
        return self


class TrainSection(StageSection):
    """The training. The settings of a stage stand for all `stages` that do not say otherwise."""

    batch: Annotated[Whole, Field(ge=2)] = 32
    """Images of a step."""
    optimiser: Annotated[Choice, OneOf("pulmo.train.optimisers:OPTIMISERS", "adamw")] = Field(
        default="adamw", validate_default=True
    )
    """What makes the steps."""
    weight_decay: Annotated[Number, Field(ge=0)] = 0.01
    """Not of biases and normalisation layers."""
    loss: Annotated[Choice, OneOf("pulmo.train.losses:LOSSES", "cross-entropy")] = Field(
        default="cross-entropy", validate_default=True
    )
    """What the steps lower."""
    class_weights: Literal["none", "balanced"] | dict[str, Positive] = "none"
    """balanced: a class weighs n / (classes * n of the class) in the loss. Or class -> weight."""
    oversample: Literal["none", "balanced"] | dict[str, Annotated[Number, Field(ge=1)]] = "none"
    """Times that a class's images are shown an epoch, each time augmented anew. balanced: every
    class as often as the commonest. Or class -> times; a fraction is drawn each epoch."""
    balance: Balance = "none"
    """What counts alike. within-source: the classes of a source, whose images count together as
    many as they are. source-and-class: each class of each source. Images that state no source are
    one source. A class weight that is given multiplies it."""
    balance_by: Literal["weights", "sampling"] = "weights"
    """How. weights: what an image counts in the loss. sampling: how often an epoch shows it, and
    as many images are shown as there are; of a share below 1 some are drawn each epoch."""
    source_prior: Annotated[Number, Field(ge=0, le=10)] = 0.0
    """tau: the loss sees logits + tau log p(class | source), a prediction the logits alone (logit
    adjustment, Menon et al. 2021, equation 10; a product of experts, Clark et al. 2019). p is
    that of the training images as they count, by Laplace's rule; 1 leaves nothing to learn from
    the source alone; 0: off."""
    coarse_labels: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    """Label of the manifest -> the classes of which an image with it is one, and nobody says which,
    as pneumonia = ["bacterial", "viral"]. Such training images lower -log of the summed probability
    of these classes (superset learning, Cour et al. 2011). They take no part in the validation."""
    label_smoothing: Fraction = 0.0
    """Share of the true class's probability that is spread over all classes."""
    mixup: Annotated[Number, Field(ge=0)] = 0.0
    """Parameter of the symmetric beta distribution of mixup (Zhang et al. 2018); 0: off."""
    choose_by: Literal["loss", "within-source-auc"] = "loss"
    """What of the validation images the epoch that is kept is best at. loss: the lowest
    cross-entropy. within-source-auc: the highest mean, over the sources that have two classes with
    5 images or more, of the mean AUC over the pairs of these classes (Hand and Till 2001)."""
    choose_on: tuple[str, ...] = ()
    """Only validation images of these sources choose the epoch; empty: all do."""
    average: Literal["none", "ema", "swa"] = "none"
    """Weights that are validated and kept. ema: exponential moving average over the steps. swa:
    mean over the ends of the last quarter of a stage's epochs (Izmailov et al. 2018)."""
    ema_decay: Fraction = 0.99
    """Of ema: the weight of the past at each step."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """auto: bfloat16 on a GPU, and on a processor that has it unless the network is depthwise."""
    compile: bool = False
    """Whether torch.compile translates the network first; slow to start."""
    seed: Annotated[Whole, Field(ge=0)] = 0
    """Of all that is drawn: first weights, order, augmentation, dropout."""
    stages: tuple[StageSection, ...] = ()
    """Stages one after the other; without any, the training is one stage."""

    @model_validator(mode="before")
    @classmethod
    def _complete_stages(cls, values: Any) -> Any:  # noqa: ANN401 - whatever a recipe holds
        """Gives each stage the settings that it leaves out: a recipe is whole as it is written."""
        if not isinstance(values, Mapping) or not isinstance(values.get("stages"), list | tuple):
            return values
        shared = {name: values[name] for name in StageSection.model_fields if name in values}
        stages = [
            {**shared, **stage} if isinstance(stage, Mapping) else stage
            for stage in values["stages"]
        ]
        return {**values, "stages": stages}

    later_fields = frozenset({
        "balance", "balance_by", "source_prior", "coarse_labels", "choose_by", "choose_on",
    })  # fmt: skip

    @model_validator(mode="after")
    def _images_are_weighed_once(self) -> Self:
        for name, wrong in (
            ("class_weights", self.class_weights == "balanced"),
            ("oversample", self.oversample != "none"),
        ):
            if self.balance != "none" and wrong:
                raise UsageError(
                    "balance-contradicts",
                    f"Both train.balance {self.balance} and train.{name} decide what the images of "
                    f"a class count. Use one of them.",
                )
        if self.source_prior and self.mixup:
            raise UsageError(
                "source-prior-contradicts",
                "The setting train.source_prior needs the source of each image, but train.mixup "
                "mixes images of several sources. Use one of them.",
            )
        return self

    @model_validator(mode="after")
    def _coarse_labels_are_not_weighed_by_class(self) -> Self:
        for name, wrong in (
            ("class_weights", self.class_weights != "none"),
            ("mixup", self.mixup > 0),
        ):
            if self.coarse_labels and wrong:
                raise UsageError(
                    "coarse-labels-contradict",
                    f"The setting train.{name} needs the class of each image, which "
                    "train.coarse_labels leaves open. Use one of them.",
                )
        return self

    @property
    def by_source(self) -> bool:
        """Whether it matters which source a training image is from."""
        return self.balance != "none" or self.source_prior > 0

    @property
    def plan(self) -> tuple[StageSection, ...]:
        """The stages; the section itself is the only one if it names none."""
        return self.stages or (self,)
