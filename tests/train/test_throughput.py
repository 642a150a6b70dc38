"""Operations of a step, counted by hand, and the machine's rate."""

import time

import pytest
import torch
from torch import nn

from pulmo.train.throughput import image_flops, matrix_rate


@pytest.mark.parametrize("groups", [1, 4])
def test_a_convolution_and_a_linear_layer_are_counted_by_hand(groups: int) -> None:
    network = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.Conv2d(8, 8, 3, stride=2, padding=1, groups=groups),
        nn.Flatten(),
        nn.Linear(8 * 4 * 4, 3),
    )
    first, second, linear = 8 * 8 * 8 * 9, 4 * 4 * 8 * 9 * 8 // groups, 8 * 16 * 3
    # The gradient by the images themselves is not wanted.
    expected = 2 * (2 * first + 3 * second + 3 * linear)
    assert image_flops(network, torch.rand(2, 1, 8, 8)) == expected
    assert all(parameter.grad is None for parameter in network.parameters())


def test_what_is_frozen_goes_forward_only() -> None:
    base, head = nn.Conv2d(1, 8, 3), nn.Sequential(nn.Flatten(), nn.Linear(8 * 36, 3))
    base.requires_grad_(requires_grad=False)
    expected = 2 * (36 * 8 * 9 + 2 * 8 * 36 * 3)
    assert image_flops(nn.Sequential(base, head), torch.rand(2, 1, 8, 8)) == expected


def test_the_fastest_product_of_all_sizes_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    # Seconds of each product, first those of side 512, then those of side 1024.
    seconds = [0.5, 0.25, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 4.0, 1.5, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0]
    ticks = iter([tick for duration in seconds for tick in (10.0, 10.0 + duration)])
    monkeypatch.setattr(time, "perf_counter", lambda: next(ticks))
    assert matrix_rate(torch.device("cpu")) == 2 * 1024**3 / 1.5
    assert next(ticks, None) is None
