"""Batch normalisation over the batch of all processes of a team."""

from typing import Any, NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor
from torch.autograd import Function
from torch.nn.functional import batch_norm
from torch.overrides import TorchFunctionMode


class _Sum(Function):
    """The sum over the processes, which gradients pass through."""

    @staticmethod
    def forward(_context: Any, values: Tensor) -> Tensor:  # noqa: ANN401 - torch's context
        """Returns the sum of all processes' values."""
        total = values.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(_context: Any, gradient: Tensor) -> Tensor:  # noqa: ANN401 - torch's context
        """Returns the sum of all processes' gradients: each value moves every process's result."""
        total = gradient.clone()
        dist.all_reduce(total)
        return total


class WholeBatch(TorchFunctionMode):
    """Replaces batch normalisation, in whatever layer, by one over the whole team's batch.

    torch's own SyncBatchNorm runs on GPUs only, and replaces plain layers only.
    """

    def __torch_function__(
        self,
        function: Any,  # noqa: ANN401 - torch's signature
        _types: Any,  # noqa: ANN401 - likewise
        args: Any = (),  # noqa: ANN401 - likewise
        kwargs: Any = None,  # noqa: ANN401 - likewise
    ) -> Any:  # noqa: ANN401 - likewise
        """Calls `function`, or the replacement of batch normalisation in training."""
        if function is batch_norm:
            names = {"input": "inputs"}
            given = _Arguments(*args, **{names.get(k, k): v for k, v in (kwargs or {}).items()})
            if given.training:
                return _normalised(given)
        return function(*args, **(kwargs or {}))


class _Arguments(NamedTuple):
    """The arguments of `torch.nn.functional.batch_norm`."""

    inputs: Tensor
    running_mean: Tensor
    running_var: Tensor
    weight: Tensor
    bias: Tensor
    training: bool = False
    momentum: float = 0.1
    eps: float = 1e-5


def _normalised(given: _Arguments) -> Tensor:
    """Returns what batch normalisation would of the whole team's batch [n, channels, ...]."""
    values = given.inputs.float()
    others = tuple(dim for dim in range(values.ndim) if dim != 1)
    count = torch.full_like(given.running_mean, values.numel() / values.shape[1])
    sums = torch.cat([values.sum(others), values.square().sum(others), count])
    total: Tensor = _Sum.apply(sums)
    first, second, count = total.view(3, -1)
    mean = first / count
    variance = second / count - mean.square()
    with torch.no_grad():
        given.running_mean.lerp_(mean, given.momentum)
        given.running_var.lerp_(variance * count / (count - 1), given.momentum)
    scale = (variance + given.eps).rsqrt() * given.weight
    shift = given.bias - mean * scale
    shape = (-1, *(1 for _ in others[1:]))
    outputs: Tensor = values * scale.view(shape) + shift.view(shape)
    return outputs.to(given.inputs.dtype)
