"""Randomness that leaves the process's generators as they were."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Lends torch's generators a seed for the block, and puts their state back after it.

    Layers such as dropout, and the initial weights, can draw from those generators only.
    """
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        yield
