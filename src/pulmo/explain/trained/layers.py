"""Layers: which one a method reads, and what it gives for images."""

from contextlib import ExitStack
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pulmo.core.errors import InputError, UsageError
from pulmo.explain.layers import at_rest

if TYPE_CHECKING:
    from pulmo.explain.trained.network import TrainedNetwork


class Activations(NamedTuple):
    """What a layer gives for images, and how a logit depends on it.

    Attributes:
        maps: the feature maps, float32 [n, channels, rows, columns].
        gradients: the derivative of each image's logit by them, of the same shape.
    """

    maps: NDArray[np.float32]
    gradients: NDArray[np.float32]


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
    layer = named_layer(network, name)
    given: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: object, output: object) -> object:
        if not isinstance(output, Tensor):
            return output
        given.append(output.detach().requires_grad_())
        # A copy goes on, since the next layer may work in place.
        return given[-1].clone()

    with at_rest(network), torch.enable_grad(), ExitStack() as hooks:
        hooks.callback(layer.register_forward_hook(keep).remove)
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


def named_layer(network: nn.Module, name: str) -> nn.Module:
    """Returns the layer of a network that is called `name`.

    Raises:
        UsageError: there is none; the message has the nearest names.
    """
    layers: dict[str, nn.Module] = dict(network.named_modules())
    if not name or name not in layers:
        near = [layer for layer in layers if layer.endswith(f".{name}")][:3]
        near = near or get_close_matches(name, layers, n=3, cutoff=0.4)
        hint = f" Near it: {', '.join(near)}." if near else ""
        raise UsageError("layer-unknown", f"The network has no layer {name!r}.{hint}")
    return layers[name]


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
    with at_rest(network), torch.enable_grad(), ExitStack() as hooks:
        for name, module in network.named_modules():
            # Queries, keys and values of an attention come from linear layers.
            if name and not isinstance(module, nn.Linear | nn.Identity):
                hooks.callback(module.register_forward_hook(_keeping(name, given, grid)).remove)
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


def _keeping(name: str, given: dict[str, Tensor], grid: tuple[int, int, int] | None) -> Any:  # noqa: ANN401 - a hook of torch
    """Returns a hook that keeps what a layer gives, if it is maps."""

    def keep(_module: nn.Module, _inputs: object, output: object) -> object:
        if not isinstance(output, Tensor) or as_maps(output, grid) is None:
            return output
        given.pop(name, None)  # of two calls the last counts, in its place
        given[name] = output
        return output.clone()

    return keep
