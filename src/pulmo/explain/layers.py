"""Layers of a network by name: what they give, how logits depend on it, and a network at rest."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pulmo.core.errors import InputError, UsageError

if TYPE_CHECKING:
    from pulmo.explain.trained.network import TrainedNetwork

Hook = Callable[[str, nn.Module, object], object]
"""Called with a layer's name, the layer and what it gives; what it returns, if anything, goes on
through the network instead."""


class Activations(NamedTuple):
    """What a layer gives for images, and how a logit depends on it.

    Attributes:
        maps: the feature maps, float32 [n, channels, rows, columns].
        gradients: the derivative of each image's logit by them, of the same shape.
    """

    maps: NDArray[np.float32]
    gradients: NDArray[np.float32]


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
def hooked(network: nn.Module, names: Iterable[str], hook: Hook) -> Iterator[None]:
    """Calls a hook each time one of the named layers has run, within the block.

    Args:
        network: names are those of its `named_modules`.
        names: which layers.
        hook: is called; it is removed at the end of the block, and after an error too.
    """
    modules = dict(network.named_modules())

    def called(name: str) -> Callable[[nn.Module, object, object], object]:
        return lambda module, _inputs, output: hook(name, module, output)

    handles = [modules[name].register_forward_hook(called(name)) for name in names]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def activations(
    model: "TrainedNetwork", name: str, images: NDArray[np.uint8], classes: NDArray[np.intp]
) -> Activations:
    """Returns what a layer gives for images, and the gradient of each image's logit by it.

    Args:
        model: the network.
        name: of the layer.
        images: uint8 [n, size, size].
        classes: the number of each image's class, [n].

    Raises:
        UsageError: there is no such layer, or it gives no maps.
        InputError: it gives values that are not finite.
    """
    network = model.classifier
    check_name(network, name)
    given: list[Tensor] = []

    def keep(_name: str, _module: nn.Module, output: object) -> object:
        if not isinstance(output, Tensor):
            return output
        given.append(output.detach().requires_grad_())
        # A copy goes on, since the next layer may work in place.
        return given[-1].clone()

    with at_rest(network), torch.enable_grad(), hooked(network, (name,), keep):
        logits = network(model.images(images))
        maps = as_maps(given[-1], patch_grid(network)) if given else None
        if maps is None:
            shape = f"gives {list(given[-1].shape)}" if given else "was not called"
            raise UsageError(
                "layer-without-maps",
                f"The layer {name!r} {shape} for {len(images)} images. Feature maps with rows and "
                f"columns were expected, as those of {model.last_layer!r}.",
            )
        chosen = logits[torch.arange(len(images)), torch.as_tensor(classes)].sum()
        found = torch.zeros_like(given[-1])
        if chosen.requires_grad:  # else no logit depends on the layer
            (found,) = torch.autograd.grad(chosen, given[-1], materialize_grads=True)
    gradients = as_maps(found, patch_grid(network))
    if gradients is None or not torch.isfinite(maps).all() or not torch.isfinite(found).all():
        raise InputError(
            "layer-not-finite",
            f"The layer {name!r} gives values or gradients that are not finite, so the network is "
            "damaged.",
        )
    return Activations(maps.detach().cpu().numpy(), gradients.cpu().numpy())


def check_name(network: nn.Module, name: str) -> None:
    """Refuses the name of a layer that a network does not have.

    Raises:
        UsageError: there is none; the message has the nearest names.
    """
    layers = [layer for layer, _ in network.named_modules() if layer]
    if name not in layers:
        near = nearest(name, layers, 3)
        hint = f" Near it: {', '.join(near)}." if near else ""
        raise UsageError("layer-unknown", f"The network has no layer {name!r}.{hint}")


def nearest(name: str, layers: Sequence[str], count: int) -> list[str]:
    """Returns the names of layers that a wrong name may mean, the likeliest first."""
    ends = [layer for layer in layers if layer.endswith(f".{name}")]
    close = get_close_matches(name, layers, n=count, cutoff=0.4)
    return list(dict.fromkeys([*ends, *close]))[:count]


def last_layer(network: nn.Module, size: int) -> str:
    """Returns the name of the last layer whose maps have more than one position.

    Of these it takes the last one that the logits depend on: those of a vision transformer that
    reads its class token do not depend on the other tokens of the last block.

    Args:
        network: from [n, 1, size, size] to logits.
        size: side of the images in pixels.

    Raises:
        UsageError: there is none.
    """
    given: dict[str, Tensor] = {}
    grid = patch_grid(network)
    # An uneven image, so that no layer is dead by accident; drawn without the process's generator.
    grey = torch.rand(1, 1, size, size, generator=torch.Generator().manual_seed(0))

    def keep(name: str, _module: nn.Module, output: object) -> object:
        if not isinstance(output, Tensor) or as_maps(output, grid) is None:
            return output
        given.pop(name, None)  # of two calls the last counts, in its place
        given[name] = output
        return output.clone()

    # Queries, keys and values of an attention come from linear layers.
    names = [
        name
        for name, module in network.named_modules()
        if name and not isinstance(module, nn.Linear | nn.Identity)
    ]
    with at_rest(network), torch.enable_grad(), hooked(network, names, keep):
        logits = network(grey.to(next(network.parameters(), grey)).requires_grad_())
        if not given:
            raise UsageError(
                "network-without-maps",
                "No layer of the network gives maps with rows and columns, which this method "
                "reads. Methods that change the image need none.",
            )
        # Unlike factors, since the logits of a softmax may sum to a constant.
        factors = torch.arange(1, logits.shape[1] + 1).to(logits)
        outputs = list(given.values())
        gradients = torch.autograd.grad((logits * factors).sum(), outputs, allow_unused=True)
    maps = [None if gradient is None else as_maps(gradient, grid) for gradient in gradients]
    read = [name for name, part in zip(given, maps, strict=True) if part is not None and part.any()]
    # A head of zeros, as of a network that was not trained, depends on nothing.
    return (read or list(given))[-1]


def patch_grid(network: nn.Module) -> tuple[int, int, int] | None:
    """Returns rows and columns of a network of patches and the tokens before them, as timm says.

    None if it has no patches.
    """
    named = [getattr(part, "num_prefix_tokens", None) for part in network.modules()]
    prefix = next((number for number in named if isinstance(number, int)), 0)
    for part in network.modules():
        grid: Any = getattr(part, "grid_size", None)
        if isinstance(grid, tuple) and len(grid) == 2:
            return (int(grid[0]), int(grid[1]), prefix)
    return None


def as_maps(output: Tensor, grid: tuple[int, int, int] | None) -> Tensor | None:
    """Returns what a layer gives as maps [n, channels, rows, columns]; None if it has none.

    Maps of a square image are square. They may have their channels last, or be tokens of a grid of
    patches (`patch_grid`).
    """
    if output.ndim == 4 and output.shape[2] == output.shape[3] > 1:
        return output
    if output.ndim == 4 and output.shape[1] == output.shape[2] > 1:
        return output.permute(0, 3, 1, 2)
    if output.ndim == 3 and grid is not None:
        rows, columns, prefix = grid
        if output.shape[1] == prefix + rows * columns and rows * columns > 1:
            tokens = output[:, prefix:].transpose(1, 2)
            return tokens.reshape(len(output), -1, rows, columns)
    return None
