"""The speed of the training loop compared with a bare loop, in each precision and below a bound."""

import statistics
import time
from collections.abc import Callable
from typing import Final, Literal, NamedTuple

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from pulmo.core.recipe import Recipe
from pulmo.datasets.cache import Images
from pulmo.datasets.manifest import Manifest
from pulmo.datasets.phantom import PHANTOM_LABELS, draw
from pulmo.lungs.framing import finder_for, framed_input
from pulmo.models.classifier import make_classifier
from pulmo.models.layers import unfreeze
from pulmo.radiograph import radiograph_from_array
from pulmo.train.callbacks import Callbacks
from pulmo.train.checkpoint import Progress
from pulmo.train.engine import Engine, begin_stage
from pulmo.train.loop import train_epoch
from pulmo.train.optimise import learning, use_bfloat16
from pulmo.train.throughput import image_flops, matrix_rate
from pulmo.train.training_data import TrainingData

Precision = Literal["fp32", "bf16"]
PRECISIONS: Final[tuple[Precision, ...]] = ("fp32", "bf16")

_DRAWN: Final = 64
"""Different images that are drawn; more are these again."""


class Amount(NamedTuple):
    """How much is measured.

    Attributes:
        steps: of a turn of a loop.
        rounds: in each of which every loop has its turn; medians are over them.
        both_precisions: measure float32 and bfloat16, and not only what the recipe takes.
        bound: measure the throughput bound too.
    """

    steps: int = 8
    rounds: int = 5
    both_precisions: bool = False
    bound: bool = False


class Speed(NamedTuple):
    """The loops in one precision, medians over the rounds.

    Attributes:
        pulmo: images a second of `train_epoch`.
        bare: images a second of the bare loop.
        of_bare: the first over the second, within a round.
        of_bound: the first over the throughput bound of its round; None if that is not measured.
    """

    pulmo: float
    bare: float
    of_bare: float
    of_bound: float | None = None


class Bound(NamedTuple):
    """The images a second of a machine that did nothing but multiply.

    Attributes:
        flops: operations for an image, forward and backward.
        matrix_rate: operations a second of a product of float32 matrices, the median.
        speed: images a second if every operation ran at that rate, the median.
    """

    flops: float
    matrix_rate: float
    speed: float


class SpeedReport(NamedTuple):
    """What was measured, and on what.

    Attributes:
        recipe: its name.
        backbone: its network.
        size: side of the images in pixels.
        batch: images a step.
        trains: what learns, as the recipe's first stage says.
        device: cpu or cuda.
        threads: of torch.
        amount: how much was measured.
        speeds: precision -> speed.
        auto: what `train.precision = "auto"` chooses here.
        gain: pulmo's speed in bf16 over that in fp32, within a round, the median; None if only one
            was measured.
        bound: the throughput bound; None if it was not measured.
    """

    recipe: str
    backbone: str
    size: int
    batch: int
    trains: str | int
    device: str
    threads: int
    amount: Amount
    speeds: dict[Precision, Speed]
    auto: Precision
    gain: float | None = None
    bound: Bound | None = None


class _Round(NamedTuple):
    """Images a second of the loops by precision, and operations a second if measured."""

    pulmo: dict[Precision, float]
    bare: dict[Precision, float]
    matrix_rate: float | None = None


def measure_training(
    recipe: Recipe, data: TrainingData, device: torch.device, amount: Amount
) -> SpeedReport:
    """Measures the first stage of a recipe.

    Whatever else the machine does slows all that is compared: the loops take turns in each round,
    and ratios are taken within it. A turn before the first is not counted. A frozen base runs in
    each step, whatever `views` says, and the network starts at random.

    Args:
        recipe: the experiment.
        data: its images; `phantom_data` or `part_of` gives the right number.
        device: where the network is.
        amount: how much is measured.
    """
    engine = _engine(recipe, data, device)
    precisions = PRECISIONS if amount.both_precisions else (_name(bfloat16=engine.bfloat16),)
    engines = {name: engine._replace(bfloat16=name == "bf16") for name in precisions}
    unfreeze(engine.classifier, learning(engine.classifier, engine.stage, 0))
    flops = None
    if amount.bound:
        size = recipe.image.size
        flops = image_flops(engine.classifier, torch.rand(2, 1, size, size, device=device))
    _round(engines, bound=False)
    rounds = [_round(engines, bound=amount.bound) for _ in range(amount.rounds)]
    auto = recipe.train.model_copy(update={"precision": "auto"})
    return SpeedReport(
        recipe=recipe.name,
        backbone=recipe.model.backbone,
        size=recipe.image.size,
        batch=recipe.train.batch,
        trains=engine.stage.trains,
        device=device.type,
        threads=torch.get_num_threads(),
        amount=amount,
        speeds={name: _speed(rounds, name, flops) for name in precisions},
        auto=_name(bfloat16=use_bfloat16(engine.classifier, auto, device)),
        gain=_gain(rounds) if amount.both_precisions else None,
        bound=None if flops is None else _bound(rounds, flops),
    )


def _engine(recipe: Recipe, data: TrainingData, device: torch.device) -> Engine:
    """Returns what a run's first stage works with, with a network that starts at random."""
    # As in a run; numbers near zero slow depthwise networks down tenfold.
    torch.set_flush_denormal(True)
    model = recipe.model.model_copy(update={"weights": "none"})
    labels, size = recipe.labels.order, recipe.image.size
    classifier = make_classifier(model, labels, recipe.train.seed, size=size).classifier
    classifier = classifier.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload] # torch's stub lacks this form
    if recipe.train.compile:
        classifier.compile()
    return begin_stage(recipe, recipe.train.plan[0], data, classifier)


def phantom_data(recipe: Recipe, steps: int) -> TrainingData:
    """Returns phantoms for so many steps of a recipe, as the run's inputs, in memory.

    A class that cannot be drawn has images of another; no speed depends on what they show.
    """
    count, labels, image = steps * recipe.train.batch, recipe.labels.order, recipe.image
    kinds = [label if label in PHANTOM_LABELS else PHANTOM_LABELS[0] for label in labels]
    inputs, finder = [], finder_for(image)
    for number in range(min(count, _DRAWN)):
        drawn = draw(kinds[number % len(kinds)], number, np.random.default_rng(number))
        radiograph = radiograph_from_array(drawn.pixels, (0, 1), "A drawing")
        inputs.append(framed_input(radiograph, image, finder).pixels)
    rows = np.arange(count)
    images = Images((np.stack(inputs),), np.zeros_like(rows), rows % len(inputs))
    return TrainingData(Manifest.empty(), images, rows % len(labels), rows, rows[:1])


def part_of(data: TrainingData, count: int) -> TrainingData:
    """Returns data with `count` of its training images at most, the classes in turn."""
    truth = data.truth[data.train]
    place = np.empty(len(truth), np.intp)
    for number in np.unique(truth):
        members = np.flatnonzero(truth == number)
        place[members] = np.arange(len(members))
    order = np.lexsort((truth, place))
    return data._replace(train=data.train[order[:count]])


def _name(*, bfloat16: bool) -> Precision:
    return "bf16" if bfloat16 else "fp32"


def _speed(rounds: list[_Round], name: Precision, flops: float | None) -> Speed:
    rates = [(part.pulmo[name], part.matrix_rate) for part in rounds]
    shares = [speed * flops / rate for speed, rate in rates if flops is not None and rate]
    return Speed(
        pulmo=statistics.median(part.pulmo[name] for part in rounds),
        bare=statistics.median(part.bare[name] for part in rounds),
        of_bare=statistics.median(part.pulmo[name] / part.bare[name] for part in rounds),
        of_bound=statistics.median(shares) if shares else None,
    )


def _gain(rounds: list[_Round]) -> float:
    return statistics.median(part.pulmo["bf16"] / part.pulmo["fp32"] for part in rounds)


def _bound(rounds: list[_Round], flops: float) -> Bound:
    rates = [part.matrix_rate for part in rounds if part.matrix_rate is not None]
    rate = statistics.median(rates)
    return Bound(flops, rate, rate / flops)


def _round(engines: dict[Precision, Engine], *, bound: bool) -> _Round:
    """Gives each loop its turn."""
    rate = matrix_rate(next(iter(engines.values())).device) if bound else None
    pulmo: dict[Precision, float] = {}
    bare: dict[Precision, float] = {}
    for name, engine in engines.items():
        bare[name] = _timed(lambda engine=engine: _bare_epoch(engine))  # type: ignore[misc] # mypy sees no defaults of a lambda
        pulmo[name] = _timed(lambda engine=engine: _epoch(engine))  # type: ignore[misc] # likewise
    return _Round(pulmo, bare, rate)


def _timed(loop: Callable[[], int]) -> float:
    """Returns the images a second of a loop that returns its images."""
    begun = time.perf_counter()
    return loop() / (time.perf_counter() - begun)


def _epoch(engine: Engine) -> int:
    """Makes an epoch's steps as a run does."""
    progress = Progress(recipe_sha256="", manifest_sha256="", weights="none")
    train_epoch(engine, progress, Callbacks())
    return progress.seen


def _bare_epoch(engine: Engine) -> int:
    """Makes as many steps with nothing about them, on one batch in memory."""
    section, size, network = engine.recipe.train, engine.recipe.image.size, engine.classifier
    images = torch.rand(section.batch, 1, size, size, device=engine.device)
    images = images.contiguous(memory_format=torch.channels_last)
    truth = torch.arange(section.batch, device=engine.device) % len(engine.recipe.labels.order)
    unfreeze(network, learning(network, engine.stage, 0))
    for _ in range(engine.steps):
        with torch.autocast(engine.device.type, torch.bfloat16, enabled=engine.bfloat16):
            logits = network(images)
        loss = cross_entropy(logits.float(), truth)
        engine.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
        engine.optimiser.step()
        loss.item()
    return engine.steps * section.batch
