import pytest
import torch
from torch import nn

from pulmo.core.training import TrainSection
from pulmo.train.optimise import average_epoch, average_step, make_average


def network(value: float) -> nn.Linear:
    made = nn.Linear(1, 1, bias=False)
    nn.init.constant_(made.weight, value)
    return made


def test_none_is_wanted() -> None:
    assert make_average(network(1), TrainSection()) is None
    average_step(None, network(1), TrainSection())
    average_epoch(None, network(1), TrainSection(), 1.0)


def test_an_exponential_average_of_the_steps() -> None:
    section = TrainSection(average="ema", ema_decay=0.9)
    moving = network(0)
    average = make_average(moving, section)
    assert average is not None
    for value in (1.0, 2.0, 3.0):
        nn.init.constant_(moving.weight, value)
        average_step(average, moving, section)
        average_epoch(average, moving, section, 1.0)
    expected = 0.9 * (0.9 * 1.0 + 0.1 * 2.0) + 0.1 * 3.0
    assert average.module.state_dict()["weight"].item() == pytest.approx(expected)


def test_a_mean_over_the_last_quarter_of_the_epochs() -> None:
    section = TrainSection(average="swa")
    moving = network(0)
    average = make_average(moving, section)
    assert average is not None
    for epoch in range(8):
        nn.init.constant_(moving.weight, float(epoch))
        average_step(average, moving, section)
        average_epoch(average, moving, section, (epoch + 1) / 8)
        assert int(average.n_averaged) == max(0, epoch - 5)
    assert average.module.state_dict()["weight"].item() == pytest.approx((6 + 7) / 2)


def test_the_statistics_of_normalisation_are_averaged_too() -> None:
    section = TrainSection(average="ema", ema_decay=0.5)
    norm = nn.BatchNorm1d(1)
    average = make_average(norm, section)
    assert average is not None
    for value in (2.0, 4.0):
        norm.running_mean = torch.tensor([value])
        average_step(average, norm, section)
    assert average.module.state_dict()["running_mean"].tolist() == [3.0]
