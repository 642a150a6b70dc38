"""What the layers of a network give for images: maps, the channels that respond most, and where."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import label
from torch import Tensor, nn

from pulmo.core.errors import InputError, UsageError
from pulmo.explain.features.shown import Area, Layer, Response
from pulmo.explain.layers import at_rest, hooked, nearest
from pulmo.models.classifier import Classifier

_LISTED: Final = 6
"""Names that the message about an unknown layer lists."""


def layers_of(classifier: Classifier, size: int) -> tuple[Layer, ...]:
    """Returns the layers of a network that give maps, in order.

    Args:
        classifier: the network; it is left as it was.
        size: side of its input in pixels.
    """
    image = np.zeros((1, size, size), np.uint8)
    with at_rest(classifier):
        return map_layers(classifier, lambda: classifier(as_tensor(image, classifier)))


def map_layers(network: nn.Module, run: Callable[[], object]) -> tuple[Layer, ...]:
    """Returns the modules that give maps of more than one position, in the order in which they end.

    Args:
        network: names are those of its `named_modules`; itself it is not among them.
        run: runs the network on one image or more.
    """
    found: dict[str, Layer] = {}

    def note(name: str, module: nn.Module, output: object) -> None:
        if isinstance(output, Tensor) and output.ndim == 4 and output[0, 0].numel() > 1:
            channels, rows, columns = output.shape[1:]
            kind, convolution = type(module).__name__, isinstance(module, nn.Conv2d)
            found.setdefault(name, Layer(name, kind, channels, rows, columns, convolution))

    names = [name for name, _ in network.named_modules() if name]
    with hooked(network, names, note), torch.no_grad():
        run()
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
            near = nearest(name, list(known), _LISTED) or [layer.name for layer in convolutions]
            raise UsageError(
                "layer-unknown",
                f"The network has no layer {name!r} that gives maps. Near it: "
                f"{', '.join(near[:_LISTED])}.",
            )
    if names:
        return tuple(layer for layer in layers if layer.name in names)
    places = np.linspace(0, len(convolutions) - 1, min(count, len(convolutions)))
    return tuple(convolutions[place] for place in np.rint(places).astype(int))


def as_tensor(images: NDArray[np.uint8], classifier: Classifier) -> Tensor:
    """Returns float [n, 1, size, size] in [0, 1] of images uint8 [n, size, size]."""
    inputs = torch.from_numpy(images[:, None]).to(classifier.mean.device).float() / 255
    # Convolutions of a few channels take a third of the time in this order.
    return inputs.contiguous(memory_format=torch.channels_last)


@contextmanager
def captured(
    network: nn.Module, names: Sequence[str], keep: Callable[[Tensor], Tensor] = torch.clone
) -> Iterator[dict[str, Tensor]]:
    """Gives what named layers give, as soon as the network has run within the block.

    Of a layer that runs several times the first result is kept.

    Args:
        network: names are those of its `named_modules`.
        names: which layers; each gives a tensor.
        keep: makes what is kept of a result. The default copies it, because a layer that works in
            place would change it.
    """
    outputs = dict[str, Tensor]()

    def note(name: str, _module: nn.Module, output: object) -> None:
        if name not in outputs and isinstance(output, Tensor):
            outputs[name] = keep(output)

    with hooked(network, names, note):
        yield outputs


def feature_maps(
    classifier: Classifier, image: NDArray[np.uint8], layers: Sequence[Layer], name: str
) -> dict[str, NDArray[np.float32]]:
    """Returns layer -> what it gives for one image, float32 [channels, rows, columns].

    Args:
        classifier: the network; it is left as it was.
        image: uint8 [size, size], as `to_input` gives it.
        layers: which layers.
        name: what the message of an error calls the network.

    Raises:
        InputError: a value is not a finite number.
    """
    names = [layer.name for layer in layers]
    with at_rest(classifier), torch.no_grad(), captured(classifier, names) as outputs:
        classifier.features(as_tensor(image[None], classifier))
    found = {each: outputs[each][0].float().cpu().numpy() for each in names}
    for each, maps in found.items():
        _check_finite(maps, each, name)
    return found


def channel_responses(
    classifier: Classifier, images: NDArray[np.uint8], layers: Sequence[Layer], name: str
) -> dict[str, NDArray[np.float32]]:
    """Returns layer -> mean and highest value of each channel for images, float32 [2, channels, n].

    Args:
        classifier: the network; it is left as it was.
        images: uint8 [n, size, size].
        layers: which layers.
        name: what the message of an error calls the network.

    Raises:
        InputError: a value is not a finite number.
    """

    def keep(maps: Tensor) -> Tensor:
        return torch.stack([maps.mean(dim=(2, 3)).T, maps.amax(dim=(2, 3)).T])

    names = [layer.name for layer in layers]
    with at_rest(classifier), torch.no_grad(), captured(classifier, names, keep) as outputs:
        classifier.features(as_tensor(images, classifier))
    found = {each: outputs[each].float().cpu().numpy() for each in names}
    for each, values in found.items():
        _check_finite(values, each, name)
    return found


def strongest(maps: NDArray[np.float32], count: int) -> tuple[Response, ...]:
    """Returns the channels whose highest value stands out most from their mean, the first first.

    Args:
        maps: float32 [channels, rows, columns].
        count: how many.
    """
    highest, mean = maps.max(axis=(1, 2)), maps.mean(axis=(1, 2))
    order = np.argsort(mean - highest, kind="stable")[:count]
    return tuple(
        Response(
            channel=int(channel),
            highest=float(highest[channel]),
            mean=float(mean[channel]),
            area=_area(maps[channel]),
        )
        for channel in order
    )


def _area(values: NDArray[np.float32]) -> Area:
    """Returns the area around the highest of values [rows, columns]."""
    top = np.unravel_index(values.argmax(), values.shape)
    regions, _ = label(values >= (values.max() + values.mean()) / 2)
    rows, columns = np.nonzero(regions == regions[top])
    height, width = values.shape
    return Area(
        float(columns.min() / width),
        float(rows.min() / height),
        float((columns.max() + 1) / width),
        float((rows.max() + 1) / height),
    )


def _check_finite(values: NDArray[np.float32], layer: str, name: str) -> None:
    if not np.isfinite(values).all():
        raise InputError(
            "layer-not-finite",
            f"The layer {layer!r} of the {name} network gives values that are not finite numbers, "
            "so the network is damaged.",
        )
