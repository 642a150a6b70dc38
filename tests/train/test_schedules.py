"""Each schedule against torch's, and what all of them keep."""

import math

import pytest
from torch import nn
from torch.optim import SGD
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, OneCycleLR, StepLR

from pulmo.core.training import StageSection
from pulmo.train.optimise import learning_rate
from pulmo.train.schedules import SCHEDULES, Schedule, Span
from pulmo.train.schedules.constant import Constant
from pulmo.train.schedules.cosine import Cosine
from pulmo.train.schedules.inverse_time import InverseTime
from pulmo.train.schedules.one_cycle import OneCycle
from pulmo.train.schedules.step import Step

ENDS = {
    OneCycle(warmup=0.1): (0.01 / 25, 0.01 / 250_000),
    # The last step is one before the end of the half cosine.
    Cosine(): (0.01, 0.01 * (1 - math.cos(math.pi / 40)) / 2),
    Step(epochs=2, factor=0.1): (0.01, 0.0001),
    InverseTime(decay=1 / 39): (0.01, 0.005),
    Constant(): (0.01, 0.01),
}
"""A schedule -> its first and its last rate over 5 epochs of 8 steps."""


def check(stage: StageSection, steps: int, scheduler: LRScheduler, *, every: int = 1) -> None:
    """Compares each step's rate with that of torch's scheduler, stepped every so many steps."""
    total = stage.epochs * steps
    for step in range(total):
        assert learning_rate(stage, step, steps) == pytest.approx(scheduler.get_last_lr()[0])
        scheduler.optimizer.step()
        if (step + 1) % every == 0 and step < total - 1:
            scheduler.step()


def optimiser() -> SGD:
    return SGD(nn.Linear(1, 1).parameters(), lr=0.01)


def test_every_schedule_has_its_ends() -> None:
    assert {schedule.name for schedule in ENDS} == set(SCHEDULES)


@pytest.mark.parametrize("schedule", ENDS)
def test_a_schedule_starts_and_ends_where_it_says(schedule: Schedule) -> None:
    rates = [schedule.rate(0.01, step, Span(5, 8)) for step in range(40)]
    assert (rates[0], rates[-1]) == pytest.approx(ENDS[schedule])


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("total", [1, 2, 3, 4, 60])
def test_a_rate_is_positive_and_no_higher_than_the_peak(name: str, total: int) -> None:
    for step in range(total):
        rate = SCHEDULES[name]().rate(0.01, step, Span(1, total))
        assert math.isfinite(rate)
        assert 0 < rate <= 0.01
        assert SCHEDULES[name]().rate(0.02, step, Span(1, total)) == pytest.approx(2 * rate)


@pytest.mark.parametrize(
    ("epochs", "steps", "warmup"), [(10, 10, 0.25), (1, 37, 0.3), (5, 100, 0.1)]
)
def test_one_cycle_is_torchs(epochs: int, steps: int, warmup: float) -> None:
    stage = StageSection(epochs=epochs, lr=0.01, schedule=OneCycle(warmup=warmup))
    scheduler = OneCycleLR(optimiser(), 0.01, total_steps=epochs * steps, pct_start=warmup)
    check(stage, steps, scheduler)


def test_cosine_is_torchs() -> None:
    stage = StageSection(epochs=4, lr=0.01, schedule=Cosine())
    check(stage, 9, CosineAnnealingLR(optimiser(), 36))


def test_step_is_torchs() -> None:
    stage = StageSection(epochs=7, lr=0.01, schedule=Step(epochs=2, factor=0.3))
    check(stage, 5, StepLR(optimiser(), 2, 0.3), every=5)


def test_inverse_time_halves_when_decay_times_steps_is_one() -> None:
    stage = StageSection(epochs=4, lr=0.01, schedule=InverseTime(decay=1 / 25))
    assert learning_rate(stage, 0, 40) == 0.01
    assert learning_rate(stage, 25, 40) == pytest.approx(0.005)
    assert learning_rate(stage, 75, 40) == pytest.approx(0.0025)


def test_a_constant_rate_is_constant() -> None:
    stage = StageSection(lr=0.01, schedule=Constant())
    assert {learning_rate(stage, step, 1) for step in range(9)} == {0.01}
