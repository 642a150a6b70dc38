"""The learning rate finder: rates from small to large, one a step (Smith 2017)."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from pulmo.core.errors import InputError
from pulmo.core.recipe import Recipe
from pulmo.datasets.manifest import Manifest
from pulmo.models.classifier import check_weights, make_classifier
from pulmo.models.layers import unfreeze
from pulmo.train.checkpoint import Progress
from pulmo.train.device import choose_device
from pulmo.train.engine import Engine, Forward, begin_stage
from pulmo.train.loop import make_step
from pulmo.train.loss import weights_of
from pulmo.train.optimise import learning, set_rate
from pulmo.train.run import Place
from pulmo.train.training_data import epoch_rows, gather

# fastai's: the weight of the past in the smoothed loss, and how far above its lowest value it may
# rise before there is nothing more to see.
_MEMORY = 0.98
_DIVERGED = 4.0
# Fewer points than these have no slope worth the name.
_MIN_RATES = 10


class Sweep(NamedTuple):
    """How the loss changed while the rate rose.

    Attributes:
        rates: float [n], the head's learning rate at each step.
        losses: float [n], the loss of each batch.
        smoothed: float [n], its exponential average, corrected for its start.
    """

    rates: NDArray[np.float64]
    losses: NDArray[np.float64]
    smoothed: NDArray[np.float64]

    @property
    def steepest(self) -> float:
        """The rate at which the smoothed loss falls fastest over the logarithm of the rate."""
        falling = slice(0, int(self.smoothed.argmin()) + 1)
        slopes = np.gradient(self.smoothed, np.log(self.rates))[falling]
        return float(self.rates[falling][slopes.argmin()])

    @property
    def highest(self) -> float:
        """A tenth of the rate with the lowest smoothed loss, which is close to divergence."""
        return float(self.rates[self.smoothed.argmin()]) / 10


def find_rate(
    recipe: Recipe,
    manifest: Manifest,
    place: Place,
    span: tuple[float, float, int] = (1e-7, 1.0, 200),
    on_progress: Callable[[int, int], None] | None = None,
) -> Sweep:
    """Trains the first stage of a recipe for some steps while its learning rate rises.

    Nothing of it is kept. The sweep ends early where the loss has diverged.

    Args:
        recipe: the experiment.
        manifest: images with their split; only the training images are used.
        place: cache and device; the folder is left alone.
        span: the first and the last rate, and the number of steps between them.
        on_progress: called with the steps done and the steps in all.

    Raises:
        InputError: the loss diverged too soon, or the data cannot be used.
        UsageError: the stage's rates do not fit the network's layer groups.
        WeightsError: the published weights that the network starts from are not available.
    """
    device = choose_device(place.device)
    torch.set_flush_denormal(True)
    check_weights(recipe.model)
    data = gather(recipe, manifest, place.cache)
    section, labels = recipe.model, recipe.labels.order
    made = make_classifier(section, labels, recipe.train.seed, size=recipe.image.size)
    classifier = made.classifier.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload] # torch's stub lacks this form
    # The features of a frozen base would cost more than the sweep.
    stage = recipe.train.plan[0].model_copy(update={"views": 0})
    engine = begin_stage(recipe, stage, data, classifier)
    unfreeze(classifier, learning(classifier, stage, 0))
    rates = np.geomspace(*span)
    losses: list[float] = []
    smoothed: list[float] = []
    for loss in _losses(engine, rates):
        losses.append(loss)
        past = smoothed[-1] * (1 - _MEMORY ** len(smoothed)) if smoothed else 0.0
        mean = _MEMORY * past + (1 - _MEMORY) * loss
        smoothed.append(mean / (1 - _MEMORY ** len(losses)))
        if on_progress:
            on_progress(len(losses), len(rates))
        if not smoothed[-1] <= _DIVERGED * min(smoothed):
            break
    usable = np.isfinite(smoothed)
    if usable.sum() < _MIN_RATES:
        raise InputError(
            "loss-diverged",
            f"The loss diverged after {len(losses)} steps, at a learning rate of "
            f"{rates[len(losses) - 1]:.1e}. Begin with a lower one.",
        )
    taken = rates[: len(losses)][usable]
    return Sweep(taken, np.array(losses)[usable], np.array(smoothed)[usable])


def _losses(engine: Engine, rates: NDArray[np.float64]) -> Iterator[float]:
    """Makes a step at each rate and yields the batch's loss."""
    section, weights = engine.recipe.train, weights_of(engine)
    progress = Progress(recipe_sha256="", manifest_sha256="", weights="")
    network = Forward(engine)
    batches: list[NDArray[np.intp]] = []
    for rate in rates:
        if progress.step == len(batches):
            generator = np.random.default_rng([section.seed, progress.epoch])
            rows = epoch_rows(engine.sampling, generator)
            batches += np.array_split(rows, engine.steps)
            progress.epoch += 1
        set_rate(engine.optimiser, float(rate))
        yield make_step(engine, network, batches[progress.step], progress, weights).loss
        progress.step += 1
