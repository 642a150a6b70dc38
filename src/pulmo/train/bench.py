"""The speed of the training loop: beside a bare loop, in both precisions, and below the roof."""

import statistics
import time
from collections.abc import Callable
from typing import Final, Literal, NamedTuple

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from pulmo.core.recipe import Recipe
from pulmo.datasets.cache import Pictures
from pulmo.datasets.manifest import Manifest
from pulmo.datasets.phantom import PHANTOM_LABELS, draw
from pulmo.models.classifier import make_classifier
from pulmo.models.layers import unfreeze
from pulmo.radiograph.geometry import to_input
from pulmo.train.checkpoint import Progress
from pulmo.train.engine import Engine, begin_stage
from pulmo.train.loop import train_epoch
from pulmo.train.material import Material
from pulmo.train.optimise import use_bfloat16
from pulmo.train.roof import matrix_rate, picture_flops
from pulmo.train.unfreezing import learning
from pulmo.train.watch import Watch

Precision = Literal["fp32", "bf16"]
PRECISIONS: Final[tuple[Precision, ...]] = ("fp32", "bf16")

_DRAWN: Final = 64
"""Different films that are drawn; more are these again."""


class Amount(NamedTuple):
    """How much is measured.

    Attributes:
        steps: of a turn of a loop.
        rounds: in each of which every loop has its turn; medians are over them.
    """

    steps: int = 8
    rounds: int = 5


class Speed(NamedTuple):
    """The loops in one precision, medians over the rounds.

    Attributes:
        pulmo: pictures a second of `train_epoch`.
        bare: pictures a second of the bare loop.
        of_bare: the first over the second, within a round.
        of_roof: the first over the roof of its round.
    """

    pulmo: float
    bare: float
    of_bare: float
    of_roof: float


class SpeedReport(NamedTuple):
    """What was measured, and on what.

    Attributes:
        recipe: its name.
        backbone: its network.
        size: side of the films in pixels.
        batch: pictures a step.
        trains: what learns, as the recipe's first stage says.
        device: cpu or cuda.
        threads: of torch.
        amount: how much was measured.
        flops: operations for a picture, forward and backward.
        matrix_rate: operations a second of a product of float32 matrices, the median.
        roof: pictures a second if every operation ran at that rate, the median.
        speeds: precision -> speed.
        gain: pulmo's speed in bf16 over that in fp32, within a round, the median.
        auto: what `train.precision = "auto"` chooses here.
    """

    recipe: str
    backbone: str
    size: int
    batch: int
    trains: str | int
    device: str
    threads: int
    amount: Amount
    flops: float
    matrix_rate: float
    roof: float
    speeds: dict[Precision, Speed]
    gain: float
    auto: Precision


class _Round(NamedTuple):
    """Operations a second, and pictures a second of the loops by precision."""

    matrix_rate: float
    pulmo: dict[Precision, float]
    bare: dict[Precision, float]


def measure_training(
    recipe: Recipe, material: Material, device: torch.device, amount: Amount
) -> SpeedReport:
    """Measures the first stage of a recipe.

    Whatever else the machine does slows all that is compared: the loops take turns in each round,
    and ratios are taken within it. A turn before the first is not counted. A frozen base runs in
    each step, whatever `views` says, and the network starts at random.

    Args:
        recipe: the experiment.
        material: its pictures; `drawn_material` or `part_of` gives the right number.
        device: where the network is.
        amount: how much is measured.
    """
    # As in a run; numbers near zero slow depthwise networks down tenfold.
    torch.set_flush_denormal(True)
    model = recipe.model.model_copy(update={"weights": "none"})
    labels, size = recipe.labels.order, recipe.image.size
    classifier = make_classifier(model, labels, recipe.train.seed, size=size).classifier
    classifier = classifier.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload] # torch's stub lacks this form
    if recipe.train.compile:
        classifier.compile()
    engine = begin_stage(recipe, recipe.train.plan[0], material, classifier)
    engines = {name: engine._replace(bfloat16=name == "bf16") for name in PRECISIONS}
    unfreeze(classifier, learning(classifier, engine.stage, 0))
    flops = picture_flops(classifier, torch.rand(2, 1, size, size, device=device))
    _round(engines)
    rounds = [_round(engines) for _ in range(amount.rounds)]
    return SpeedReport(
        recipe=recipe.name,
        backbone=model.backbone,
        size=size,
        batch=recipe.train.batch,
        trains=engine.stage.trains,
        device=device.type,
        threads=torch.get_num_threads(),
        amount=amount,
        flops=flops,
        matrix_rate=statistics.median(part.matrix_rate for part in rounds),
        roof=statistics.median(part.matrix_rate / flops for part in rounds),
        speeds={name: _speed(rounds, name, flops) for name in PRECISIONS},
        gain=statistics.median(part.pulmo["bf16"] / part.pulmo["fp32"] for part in rounds),
        auto=_auto(engine),
    )


def drawn_material(recipe: Recipe, steps: int) -> Material:
    """Returns phantoms for so many steps of a recipe, as the run's inputs, in memory.

    A class that cannot be drawn has films of another; no speed depends on what they show.
    """
    count, labels, image = steps * recipe.train.batch, recipe.labels.order, recipe.image
    kinds = [label if label in PHANTOM_LABELS else PHANTOM_LABELS[0] for label in labels]
    films = []
    for number in range(min(count, _DRAWN)):
        drawn = draw(kinds[number % len(kinds)], number, np.random.default_rng(number))
        films.append(to_input(drawn.pixels, image.size, image.aspect, image.grey))
    rows = np.arange(count)
    pictures = Pictures((np.stack(films),), np.zeros_like(rows), rows % len(films))
    return Material(Manifest.empty(), pictures, rows % len(labels), rows, rows[:1])


def part_of(material: Material, count: int, classes: int) -> Material:
    """Returns material with `count` of its training pictures at most, the classes in turn."""
    truth = material.truth[material.train]
    place = np.empty(len(truth), np.intp)
    for number in range(classes):
        members = np.flatnonzero(truth == number)
        place[members] = np.arange(len(members))
    order = np.lexsort((truth, place))
    return material._replace(train=material.train[order[:count]])


def _auto(engine: Engine) -> Precision:
    section = engine.recipe.train.model_copy(update={"precision": "auto"})
    return "bf16" if use_bfloat16(engine.classifier, section, engine.device) else "fp32"


def _speed(rounds: list[_Round], name: Precision, flops: float) -> Speed:
    return Speed(
        pulmo=statistics.median(part.pulmo[name] for part in rounds),
        bare=statistics.median(part.bare[name] for part in rounds),
        of_bare=statistics.median(part.pulmo[name] / part.bare[name] for part in rounds),
        of_roof=statistics.median(part.pulmo[name] * flops / part.matrix_rate for part in rounds),
    )


def _round(engines: dict[Precision, Engine]) -> _Round:
    """Gives each loop its turn."""
    rate = matrix_rate(next(iter(engines.values())).device)
    pulmo: dict[Precision, float] = {}
    bare: dict[Precision, float] = {}
    for name, engine in engines.items():
        bare[name] = _timed(lambda engine=engine: _bare_epoch(engine))  # type: ignore[misc] # mypy sees no defaults of a lambda
        pulmo[name] = _timed(lambda engine=engine: _epoch(engine))  # type: ignore[misc] # likewise
    return _Round(rate, pulmo, bare)


def _timed(loop: Callable[[], int]) -> float:
    """Returns the pictures a second of a loop that returns its pictures."""
    begun = time.perf_counter()
    return loop() / (time.perf_counter() - begun)


def _epoch(engine: Engine) -> int:
    """Makes an epoch's steps as a run does."""
    progress = Progress(recipe_sha256="", manifest_sha256="", weights="none")
    train_epoch(engine, progress, Watch())
    return progress.seen


def _bare_epoch(engine: Engine) -> int:
    """Makes as many steps with nothing about them, on one batch in memory."""
    section, size, network = engine.recipe.train, engine.recipe.image.size, engine.classifier
    films = torch.rand(section.batch, 1, size, size, device=engine.device)
    films = films.contiguous(memory_format=torch.channels_last)
    truth = torch.arange(section.batch, device=engine.device) % len(engine.recipe.labels.order)
    unfreeze(network, learning(network, engine.stage, 0))
    for _ in range(engine.steps):
        with torch.autocast(engine.device.type, torch.bfloat16, enabled=engine.bfloat16):
            logits = network(films)
        loss = cross_entropy(logits.float(), truth)
        engine.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
        engine.optimiser.step()
        loss.item()
    return engine.steps * section.batch
