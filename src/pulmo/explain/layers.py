"""Layers of a network by name: which give maps, what they give, and a network left as it was."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from pulmo.core.errors import InputError, UsageError
from pulmo.explain.features.shown import Layer

_LISTED: Final = 6
"""Names that the message about an unknown layer lists."""


@contextmanager
def at_rest(network: nn.Module) -> Iterator[None]:
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
    the first result is kept.

    Args:
        network: names are those of its `named_modules`.
        names: which modules.
        keep: makes what is kept of a result. The default copies it, because a layer that works in
            place would change it.
    """
    modules, outputs = dict(network.named_modules()), dict[str, Tensor]()

    def note(name: str) -> Callable[[nn.Module, object, Tensor], None]:
        def hook(_module: nn.Module, _inputs: object, output: Tensor) -> None:
            if name not in outputs:
                outputs[name] = keep(output)

        return hook

    handles = [modules[name].register_forward_hook(note(name)) for name in names]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()


class _Reached(Exception):  # noqa: N818 - no error, but the way out of a network's forward pass
    """The layer that is asked for has given its result."""


def output_of(network: nn.Module, name: str, run: Callable[[], object]) -> Tensor:
    """Returns what a named module gives; the network runs no further than that.

    Args:
        network: names are those of its `named_modules`.
        name: a module that the network runs; if it does so several times, the first one counts.
        run: runs the network.
    """
    found: list[Tensor] = []

    def hook(_module: nn.Module, _inputs: object, output: Tensor) -> None:
        found.append(output)
        raise _Reached

    handle = dict(network.named_modules())[name].register_forward_hook(hook)
    try:
        run()
    except _Reached:
        pass
    finally:
        handle.remove()
    return found[0]


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
                found.setdefault(name, Layer(name, kind, channels, rows, columns, convolution))

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
            "network-without-convolutions",
            "The network has no convolution that gives maps of more than one position, so there "
            "is nothing to show.",
        )
    for name in names:
        if name not in known:
            near = [each for each in known if each.endswith(f".{name}")]
            near += get_close_matches(name, known, n=_LISTED, cutoff=0.3)
            near = near or [layer.name for layer in convolutions]
            listed = ", ".join(list(dict.fromkeys(near))[:_LISTED])
            raise UsageError(
                "layer-unknown",
                f"The network has no layer {name!r} that gives maps. Near it: {listed}.",
            )
    if names:
        return tuple(layer for layer in layers if layer.name in names)
    places = np.linspace(0, len(convolutions) - 1, min(count, len(convolutions)))
    return tuple(convolutions[place] for place in np.rint(places).astype(int))
