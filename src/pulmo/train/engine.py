"""Engine: what a step of a stage works with."""

from typing import NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel

from pulmo.core.errors import UsageError
from pulmo.core.recipe import Recipe
from pulmo.core.training import StageSection
from pulmo.models.classifier import Classifier
from pulmo.train.checkpoint import Learner
from pulmo.train.material import Material
from pulmo.train.optimise import make_average, make_optimiser, use_bfloat16
from pulmo.train.resident import resident_pictures
from pulmo.train.sampling import epoch_length, repeats
from pulmo.train.team import ALONE, Team


class Features(NamedTuple):
    """What the head reads of a frozen base.

    Attributes:
        train: float32 [views, n, ...], of the training pictures, each view augmented anew.
        val: float32 [m, ...], of the validation pictures.
    """

    train: NDArray[np.float32]
    val: NDArray[np.float32]


class Engine(NamedTuple):
    """What a step works with.

    Attributes:
        recipe: the experiment.
        stage: the stage of it that is under way.
        material: its pictures.
        classifier: the network, changed by each step.
        optimiser: its optimiser, likewise.
        average: the average of its weights, likewise; None if the recipe wants none.
        device: where the network is.
        bfloat16: whether convolutions are computed in bfloat16.
        features: what the frozen base gives, if the stage trains on that; else None.
        team: the processes that train together.
        resident: the material's pictures in a GPU's memory; None if they are read as they come.
    """

    recipe: Recipe
    stage: StageSection
    material: Material
    classifier: Classifier
    optimiser: Optimizer
    average: AveragedModel | None
    device: torch.device
    bfloat16: bool
    features: Features | None = None
    team: Team = ALONE
    resident: Tensor | None = None

    @property
    def times(self) -> NDArray[np.float64]:
        """How often a picture of each class is shown an epoch, float64 [classes]."""
        return repeats(self.truth, self.recipe.labels.order, self.recipe.train)

    @property
    def truth(self) -> NDArray[np.int64]:
        """The class of each training picture, int64 [n]."""
        return self.material.truth[self.material.train]

    @property
    def steps(self) -> int:
        """Steps an epoch."""
        pictures = epoch_length(self.truth, self.times)
        # Batch normalisation needs two pictures in a batch.
        return min(-(-pictures // self.recipe.train.batch), pictures // 2)

    @property
    def learner(self) -> Learner:
        """What a step changes."""
        return Learner(self.classifier, self.optimiser, self.average)

    @property
    def judged(self) -> Classifier:
        """The network that is validated and kept: the average once it has begun, else its own."""
        average = self.average
        if average is None or not average.n_averaged:
            return self.classifier
        return cast("Classifier", average.module)


def begin_stage(
    recipe: Recipe,
    stage: StageSection,
    material: Material,
    classifier: Classifier,
    team: Team = ALONE,
) -> Engine:
    """Makes the engine of a stage, with a new optimiser and a new average.

    Raises:
        UsageError: the stage's rates do not fit the network's layer groups, or the batch is smaller
            than the team.
    """
    section = recipe.train
    if section.batch < team.size:
        raise UsageError(
            f"A batch of {section.batch} pictures cannot be shared by {team.size} processes; set "
            "train.batch higher or start fewer."
        )
    device = next(classifier.parameters()).device
    return Engine(
        recipe,
        stage,
        material,
        classifier,
        make_optimiser(classifier, section, stage),
        make_average(classifier, section),
        device,
        use_bfloat16(classifier, section, device),
        team=team,
        resident=resident_pictures(material.pictures, device),
    )
