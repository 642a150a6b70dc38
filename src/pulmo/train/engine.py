"""Engine: what a step of a stage works with, and the network in evaluation mode."""

from collections.abc import Iterator
from typing import NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel

from pulmo.core.errors import DivergedError, UsageError
from pulmo.core.recipe import Recipe
from pulmo.core.training import StageSection
from pulmo.models.classifier import Classifier
from pulmo.train.balance import SourceCells, cell_factors
from pulmo.train.checkpoint import Learner
from pulmo.train.criterion import Criterion, criterion_of
from pulmo.train.optimise import make_average, make_optimiser, use_bfloat16
from pulmo.train.team import ALONE, Team
from pulmo.train.training_data import (
    Sampling,
    TrainingData,
    epoch_length,
    repeats,
    resident_images,
)


class Features(NamedTuple):
    """What the head reads of a frozen base.

    Attributes:
        train: float32 [views, n, ...], of the training images, each view augmented anew.
        val: float32 [m, ...], of the validation images.
    """

    train: NDArray[np.float32]
    val: NDArray[np.float32]


class Engine(NamedTuple):
    """What a step works with.

    Attributes:
        recipe: the experiment.
        stage: the stage of it that is under way.
        data: its images.
        classifier: the network, changed by each step.
        optimiser: its optimiser, likewise.
        average: the average of its weights, likewise; None if the recipe wants none.
        device: where the network is.
        bfloat16: whether convolutions are computed in bfloat16.
        features: what the frozen base gives, if the stage trains on that; else None.
        team: the processes that train together.
        resident: the data's images in a GPU's memory; None if they are read as they come.
        cells: the training images by source and class, if the recipe asks; else None.
        criterion: what an epoch is chosen by; None for the loss on all validation images.
    """

    recipe: Recipe
    stage: StageSection
    data: TrainingData
    classifier: Classifier
    optimiser: Optimizer
    average: AveragedModel | None
    device: torch.device
    bfloat16: bool
    features: Features | None = None
    team: Team = ALONE
    resident: Tensor | None = None
    cells: SourceCells | None = None
    criterion: Criterion | None = None

    @property
    def sampling(self) -> Sampling:
        """How often each training image is shown an epoch."""
        section = self.recipe.train
        if self.cells is not None and section.balance_by == "sampling":
            factors = cell_factors(self.cells.counts, section.balance)
            return Sampling(self.cells.number, factors.ravel())
        return Sampling(self.truth, repeats(self.truth, self.recipe.kinds, section))

    @property
    def truth(self) -> NDArray[np.int64]:
        """The kind of each training image (`Recipe.kinds`), int64 [n]."""
        return self.data.truth[self.data.train]

    @property
    def steps(self) -> int:
        """Steps an epoch."""
        images = epoch_length(self.sampling)
        # Batch normalisation needs two images in a batch.
        return min(-(-images // self.recipe.train.batch), images // 2)

    @property
    def learner(self) -> Learner:
        """What a step changes."""
        return Learner(self.classifier, self.optimiser, self.average)

    @property
    def validated(self) -> Classifier:
        """The network that is validated and kept."""
        return cast("Classifier", self.learner.validated)


class Forward(nn.Module):
    """A classifier from images, or from the features of its frozen base, to logits."""

    def __init__(self, engine: Engine) -> None:
        """Takes the classifier of an engine, whose base is skipped if its features are computed."""
        super().__init__()
        self.classifier = engine.classifier
        self._pooled = engine.features is not None

    def forward(self, inputs: Tensor) -> Tensor:
        """Returns logits [n, classes]."""
        network = self.classifier
        logits: Tensor = network.head.logits(inputs) if self._pooled else network(inputs)
        return logits


def begin_stage(
    recipe: Recipe,
    stage: StageSection,
    data: TrainingData,
    classifier: Classifier,
    team: Team = ALONE,
) -> Engine:
    """Makes the engine of a stage, with a new optimiser and a new average.

    Raises:
        UsageError: the stage's rates do not fit the network's layer groups, or the batch is smaller
            than the team.
        InputError: the validation images are not those that the epoch is to be chosen by.
    """
    section = recipe.train
    if section.batch < team.size:
        raise UsageError(
            "batch-too-small",
            f"A batch of {section.batch} images cannot be divided among {team.size} processes. "
            "Increase train.batch or start fewer processes.",
        )
    device = next(classifier.parameters()).device
    return Engine(
        recipe,
        stage,
        data,
        classifier,
        make_optimiser(classifier, section, stage),
        make_average(classifier, section),
        device,
        use_bfloat16(classifier, section, device),
        team=team,
        resident=resident_images(data.images, device),
        cells=source_cells(recipe, data),
        criterion=criterion_of(recipe, data),
    )


def source_cells(recipe: Recipe, data: TrainingData) -> SourceCells | None:
    """Returns the training images by source and class; None if the recipe does not need them."""
    if not recipe.train.by_source:
        return None
    rows = data.manifest.frame.iloc[data.train]
    return SourceCells.of(rows, data.truth[data.train], recipe.kinds)


def images_of(engine: Engine, rows: NDArray[np.intp]) -> Tensor:
    """Returns float [n, 1, size, size] in [0, 1], the images of rows of the data."""
    if engine.resident is not None:
        return engine.resident[torch.from_numpy(rows).to(engine.device), None].float() / 255
    images = torch.from_numpy(engine.data.images.take(rows)[:, None])
    return images.to(engine.device).float() / 255


def infer(
    engine: Engine, rows: NDArray[np.intp]
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Runs the network in evaluation mode, in float32, on some rows, a batch at a time.

    Yields:
        Logits float32 [n, classes] and class activation maps float32 [n, classes, rows, columns].

    Raises:
        DivergedError: a logit is not a finite number.
    """
    network = engine.validated.eval()
    parts = -(-len(rows) // engine.recipe.train.batch)
    # TensorFloat-32 would differ from the bundle in the third digit.
    with torch.no_grad(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        for batch in np.array_split(rows, parts):
            images = images_of(engine, batch)
            logits, maps = (part.cpu().numpy() for part in network.explain(images))
            check_finite(logits, "network's result on a validation image")
            yield logits, maps


def check_finite(values: NDArray[np.floating], what: str) -> None:
    """Checks that all values are numbers; `what` is what the message calls them.

    Raises:
        DivergedError: one is not.
    """
    if not np.isfinite(values).all():
        raise DivergedError(
            "training-diverged",
            f"The {what} is not a finite number. The learning rate may be too high.",
        )
