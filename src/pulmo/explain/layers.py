"""Layers of a network by name: which give maps, what they give, and a network left as it was."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Final, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from pulmo.core.errors import InputError, UsageError

_LISTED: Final = 6
"""Names that the message about an unknown layer lists."""


class Layer(NamedTuple):
    """A layer that gives maps.

    Attributes:
        name: its name below the network, such as `layer1.0.conv1`.
        kind: the name of its class, such as `Conv2d`.
        channels: number of maps.
        rows: of each map.
        columns: of each map.
        convolution: whether it is a convolution.
    """

    name: str
    kind: str
    channels: int
    rows: int
    columns: int
    convolution: bool


@contextmanager
def resting(network: nn.Module) -> Iterator[None]:
    """Puts a network into evaluation mode without gradients of its weights, for the block.

    After it, and after an error, each module has its mode again and each parameter its
    `requires_grad`.
    """
    modes = [(module, module.training) for module in network.modules()]
    wanted = [(parameter, parameter.requires_grad) for parameter in network.parameters()]
    try:
        network.eval()
        network.requires_grad_(requires_grad=False)
        yield
    finally:
        for module, training in modes:
            module.training = training
        for parameter, required in wanted:
            parameter.requires_grad_(required)


@contextmanager
def captured(
    network: nn.Module, names: Sequence[str], keep: Callable[[Tensor], Tensor] = torch.clone
) -> Iterator[dict[str, Tensor]]:
    """Gives what named modules give, as soon as the network has run within the block.

    The hooks are removed at its end, and after an error too. Of a module that runs several times
    the last result is kept.

    Args:
        network: names are those of its `named_modules`.
        names: which modules.
        keep: makes what is kept of a result. The default copies it, because a layer that works in
            place would change it.
    """
    modules, outputs = dict(network.named_modules()), dict[str, Tensor]()

    def note(name: str) -> Callable[[nn.Module, object, Tensor], None]:
        def hook(_module: nn.Module, _inputs: object, output: Tensor) -> None:
            outputs[name] = keep(output)

        return hook

    handles = [modules[name].register_forward_hook(note(name)) for name in names]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()


def map_layers(network: nn.Module, run: Callable[[], object]) -> tuple[Layer, ...]:
    """Returns the modules that give maps of more than one position, in the order in which they end.

    Args:
        network: names are those of its `named_modules`; itself it is not among them.
        run: runs the network on one image or more.
    """
    found: dict[str, Layer] = {}

    def note(name: str) -> Callable[[nn.Module, object, object], None]:
        def hook(module: nn.Module, _inputs: object, output: object) -> None:
            if isinstance(output, Tensor) and output.ndim == 4 and output[0, 0].numel() > 1:
                channels, rows, columns = output.shape[1:]
                kind, convolution = type(module).__name__, isinstance(module, nn.Conv2d)
                found[name] = Layer(name, kind, channels, rows, columns, convolution)

        return hook

    modules = [(name, module) for name, module in network.named_modules() if name]
    handles = [module.register_forward_hook(note(name)) for name, module in modules]
    try:
        with torch.no_grad():
            run()
    finally:
        for handle in handles:
            handle.remove()
    return tuple(found.values())


def choose_layers(layers: Sequence[Layer], names: Sequence[str], count: int) -> tuple[Layer, ...]:
    """Returns the layers of some names, or without names convolutions spread over the depth.

    Args:
        layers: those that give maps, in order.
        names: the names of those that are wanted, in any order.
        count: how many convolutions without names; the first and the last are among them.

    Raises:
        UsageError: no layer has such a name.
        InputError: no layer gives maps, or without names no convolution does.
    """
    known = {layer.name: layer for layer in layers}
    convolutions = [layer for layer in layers if layer.convolution]
    if not (layers if names else convolutions):
        raise InputError(
            "network-without-maps",
            "The network has no convolution that gives maps of more than one position, so there "
            "is nothing to show.",
        )
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=_LISTED, cutoff=0.3)
            listed = near or [layer.name for layer in convolutions[:_LISTED]]
            raise UsageError(
                "layer-unknown",
                f"The network has no layer {name!r} that gives maps. Near it: {', '.join(listed)}.",
            )
    if names:
        return tuple(layer for layer in layers if layer.name in names)
    places = np.linspace(0, len(convolutions) - 1, min(count, len(convolutions)))
    return tuple(convolutions[place] for place in np.rint(places).astype(int))
