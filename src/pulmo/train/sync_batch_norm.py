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


class SyncBatchNorm(TorchFunctionMode):
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
    """Returns what batch normalisation would of the whole team's batch [n, channels, ...].

    The variance is that of the corrected two-pass algorithm (Chan, Golub and LeVeque 1983), which
    keeps its digits where the mean is large: the mean of the squares less the square of the mean
    does not, and may be negative.
    """
    values = given.inputs.float()
    others = tuple(dim for dim in range(values.ndim) if dim != 1)
    shape = (-1, *(1 for _ in others[1:]))
    count = torch.full_like(given.running_mean, values.numel() / values.shape[1])
    total: Tensor = _Sum.apply(torch.stack([values.sum(others), count]))
    rough, count = total[0] / total[1], total[1]
    centred = values - rough.view(shape)
    moments: Tensor = _Sum.apply(torch.stack([centred.sum(others), centred.square().sum(others)]))
    # What the rounding of the mean left over.
    rest = moments[0] / count
    mean, variance = rough + rest, moments[1] / count - rest.square()
    with torch.no_grad():
        given.running_mean.lerp_(mean, given.momentum)
        given.running_var.lerp_(variance * count / (count - 1), given.momentum)
    scale = (variance + given.eps).rsqrt() * given.weight
    shift = given.bias - rest * scale
    outputs: Tensor = centred * scale.view(shape) + shift.view(shape)
    return outputs.to(given.inputs.dtype)
