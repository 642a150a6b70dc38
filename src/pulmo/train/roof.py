"""What bounds the speed of a step: the network's work, and how fast the machine multiplies."""

import time
from collections.abc import Sequence
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode, conv_flop_count

_PRODUCTS: Final = 8


def matrix_rate(device: torch.device) -> float:
    """Returns the floating-point operations a second of products of float32 matrices.

    The matrices are large enough that nothing but the multiplication counts, and as fast as torch
    multiplies without being asked for less than float32.
    """
    side = 8192 if device.type == "cuda" else 1024
    one, other = torch.rand(2, side, side, device=device)
    begun = time.perf_counter()
    for _ in range(_PRODUCTS):
        product = one @ other
    # Reading a number waits for the device.
    product[0, 0].item()
    return _PRODUCTS * 2.0 * side**3 / (time.perf_counter() - begun)


def picture_flops(network: nn.Module, films: Tensor) -> float:
    """Returns the floating-point operations of a step for one film, forward and backward.

    Of what is frozen, only what a step does is counted. Only products are: of convolutions and
    matrices, a multiplication and an addition each.

    Args:
        network: in the modes of training.
        films: float [n, 1, size, size], two or more, for batch normalisation.
    """
    ours = {torch.ops.aten.convolution_backward: _backward}
    counter = FlopCounterMode(display=False, custom_mapping=ours)
    with counter:
        network(films).sum().backward()
    network.zero_grad()
    return counter.get_total_flops() / len(films)


def _backward(
    gradient: Sequence[int],
    films: Sequence[int],
    weight: Sequence[int],
    _bias: Any,  # noqa: ANN401 - as torch gives them
    _stride: Any,  # noqa: ANN401
    _padding: Any,  # noqa: ANN401
    _dilation: Any,  # noqa: ANN401
    transposed: bool,  # noqa: FBT001
    _output_padding: Any,  # noqa: ANN401
    _groups: int,
    wanted: Sequence[bool],
    out_shape: Any,  # noqa: ANN401, ARG001
) -> int:
    """Counts a convolution's gradients: each of the films' and the weights' is as much work as it.

    torch's own count does not divide the weights' by the groups.
    """
    once = conv_flop_count(list(films), list(weight), list(gradient), transposed=transposed)
    return sum(wanted[:2]) * once
