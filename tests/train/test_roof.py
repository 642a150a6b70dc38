"""Operations of a step, counted by hand, and the machine's rate."""

import time

import numpy as np
import pytest
import torch
from torch import nn

from pulmo.train.roof import matrix_rate, picture_flops


@pytest.mark.parametrize("groups", [1, 4])
def test_a_convolution_and_a_linear_layer_are_counted_by_hand(groups: int) -> None:
    network = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.Conv2d(8, 8, 3, stride=2, padding=1, groups=groups),
        nn.Flatten(),
        nn.Linear(8 * 4 * 4, 3),
    )
    first, second, linear = 8 * 8 * 8 * 9, 4 * 4 * 8 * 9 * 8 // groups, 8 * 16 * 3
    # The gradient by the films themselves is not wanted.
    expected = 2 * (2 * first + 3 * second + 3 * linear)
    assert picture_flops(network, torch.rand(2, 1, 8, 8)) == expected
    assert all(parameter.grad is None for parameter in network.parameters())


def test_what_is_frozen_goes_forward_only() -> None:
    base, head = nn.Conv2d(1, 8, 3), nn.Sequential(nn.Flatten(), nn.Linear(8 * 36, 3))
    base.requires_grad_(requires_grad=False)
    expected = 2 * (36 * 8 * 9 + 2 * 8 * 36 * 3)
    assert picture_flops(nn.Sequential(base, head), torch.rand(2, 1, 8, 8)) == expected


def test_a_product_takes_the_time_that_its_rate_says() -> None:
    torch.set_num_threads(1)
    one = np.random.default_rng(0).random((512, 512), np.float32)
    torch_one = torch.from_numpy(one)
    rates, seconds = [], []
    for _ in range(3):
        rates.append(matrix_rate(torch.device("cpu")))
        begun = time.perf_counter()
        _ = torch_one @ torch_one
        seconds.append(time.perf_counter() - begun)
    # Other work on the machine may slow either down.
    assert 0.2 < max(rates) * min(seconds) / (2 * 512**3) < 5
