"""The throughput bound: how much a device multiplies, and how much a network asks for an image."""

import time
from collections.abc import Sequence
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode, conv_flop_count

_PRODUCTS: Final = 8
"""Products of matrices of each size; the fastest counts, since other work only slows one down."""


def matrix_rate(device: torch.device) -> float:
    """Returns the most floating-point operations a second that products of matrices reach.

    The matrices are float32, square, and large enough that nothing but the multiplication counts.
    It is no law of nature: convolutions can beat it, where the processor's library multiplies badly
    or the algorithm needs fewer operations (Winograd; Lavin and Gray 2016).
    """
    sides = (4096, 8192) if device.type == "cuda" else (512, 1024)
    return max(_product_rate(side, device) for side in sides for _ in range(_PRODUCTS))


def _product_rate(side: int, device: torch.device) -> float:
    one, other = torch.rand(2, side, side, device=device)
    # Reading a number waits for the device.
    one[0, 0].item()
    begun = time.perf_counter()
    (one @ other)[0, 0].item()
    return 2.0 * side**3 / (time.perf_counter() - begun)


def image_flops(network: nn.Module, images: Tensor) -> float:
    """Returns the floating-point operations of a step for one image, forward and backward.

    Of what is frozen, only what a step does is counted. Only products are: of convolutions and
    matrices, a multiplication and an addition each.

    Args:
        network: in the modes of training.
        images: float [n, 1, size, size], two or more, for batch normalisation.
    """
    ours = {torch.ops.aten.convolution_backward: _backward}
    counter = FlopCounterMode(display=False, custom_mapping=ours)
    with counter:
        network(images).sum().backward()
    network.zero_grad()
    return counter.get_total_flops() / len(images)


def _backward(
    gradient: Sequence[int],
    images: Sequence[int],
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
    """Counts a convolution's gradients: each of the images' and the weights' is as much work as it.

    torch's own count does not divide the weights' by the groups.
    """
    once = conv_flop_count(list(images), list(weight), list(gradient), transposed=transposed)
    return sum(wanted[:2]) * once
