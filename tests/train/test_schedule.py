import math

import pytest
from torch import nn
from torch.optim import SGD
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, OneCycleLR, StepLR

from pulmo.core.training import StageSection
from pulmo.train.schedule import learning_rate


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


@pytest.mark.parametrize(
    ("epochs", "steps", "warmup"), [(10, 10, 0.25), (1, 37, 0.3), (5, 100, 0.1)]
)
def test_one_cycle_is_torchs(epochs: int, steps: int, warmup: float) -> None:
    stage = StageSection(epochs=epochs, lr=0.01, warmup=warmup)
    scheduler = OneCycleLR(optimiser(), 0.01, total_steps=epochs * steps, pct_start=warmup)
    check(stage, steps, scheduler)


def test_cosine_is_torchs() -> None:
    stage = StageSection(epochs=4, lr=0.01, schedule="cosine")
    check(stage, 9, CosineAnnealingLR(optimiser(), 36))


def test_step_is_torchs() -> None:
    stage = StageSection(epochs=7, lr=0.01, schedule="step", step_epochs=2, step_factor=0.3)
    check(stage, 5, StepLR(optimiser(), 2, 0.3), every=5)


def test_inverse_time_halves_when_decay_times_steps_is_one() -> None:
    stage = StageSection(epochs=4, lr=0.01, schedule="inverse-time", decay=1 / 25)
    assert learning_rate(stage, 0, 40) == 0.01
    assert learning_rate(stage, 25, 40) == pytest.approx(0.005)
    assert learning_rate(stage, 75, 40) == pytest.approx(0.0025)


@pytest.mark.parametrize("total", [1, 2, 3, 4])
def test_one_cycle_of_few_steps_is_a_rate(total: int) -> None:
    for step in range(total):
        rate = learning_rate(StageSection(epochs=1, lr=0.01), step, total)
        assert math.isfinite(rate)
        assert 0 < rate <= 0.01


def test_a_constant_rate_is_constant() -> None:
    stage = StageSection(lr=0.01, schedule="constant")
    assert {learning_rate(stage, step, 1) for step in range(9)} == {0.01}
