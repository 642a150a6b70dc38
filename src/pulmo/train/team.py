"""Team: the processes that train one run together, one a GPU or one a machine (torchrun)."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from pulmo.train.sync_batch_norm import SyncBatchNorm


class Team(NamedTuple):
    """The processes of a run.

    Attributes:
        rank: this process, from 0; the first one writes the files.
        size: all of them.
    """

    rank: int = 0
    size: int = 1

    def part(self, count: int) -> NDArray[np.intp]:
        """Returns which of `count` things this process works on: every `size`-th."""
        return np.arange(self.rank, count, self.size)

    def sum(self, values: Tensor) -> Tensor:
        """Returns the sum of the processes' tensors."""
        if self.size > 1:
            values = values.clone()
            dist.all_reduce(values)
        return values

    def gather(self, part: NDArray[np.float32], count: int) -> NDArray[np.float32]:
        """Returns [count, ...], the results of all processes for their `part` of the things."""
        if self.size == 1:
            return part
        parts: list[Any] = [None] * self.size
        dist.all_gather_object(parts, part)
        whole = np.empty((count, *part.shape[1:]), part.dtype)
        for rank, rows in enumerate(parts):
            whole[rank :: self.size] = rows
        return whole

    @contextmanager
    def leader_first(self) -> Iterator[None]:
        """Lets the first process do the block, then the others, which find what it left."""
        if self.rank:
            self.wait()
        yield
        if not self.rank:
            self.wait()

    def wait(self) -> None:
        """Waits until all processes are here."""
        if self.size > 1:
            dist.barrier()

    def spread(self, network: nn.Module) -> nn.Module:
        """Returns the network with its gradients averaged over the processes."""
        return DistributedDataParallel(network) if self.size > 1 else network

    @contextmanager
    def one_batch(self) -> Iterator[None]:
        """Lets batch normalisation see the batches of all processes as one in the block."""
        if self.size == 1:
            yield
            return
        with SyncBatchNorm():
            yield


ALONE: Final = Team()
"""A process of its own."""


@contextmanager
def joined_team(device: torch.device) -> Iterator[Team]:
    """Joins the processes that torchrun started; a process of its own is a team of one."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield ALONE
        return
    if device.type == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Team(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()
