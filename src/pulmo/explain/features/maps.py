"""What the layers of a network give for images: maps, the channels that respond most, and where."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import label
from torch import Tensor

from pulmo.core.errors import InputError
from pulmo.explain.features.shown import Area, Layer, Response
from pulmo.explain.layers import at_rest, captured, map_layers
from pulmo.models.classifier import Classifier


def layers_of(classifier: Classifier, size: int) -> tuple[Layer, ...]:
    """Returns the layers of a network that give maps, in order.

    Args:
        classifier: the network; it is left as it was.
        size: side of its input in pixels.
    """
    image = np.zeros((1, size, size), np.uint8)
    with at_rest(classifier):
        return map_layers(classifier, lambda: classifier(as_tensor(image, classifier)))


def as_tensor(images: NDArray[np.uint8], classifier: Classifier) -> Tensor:
    """Returns float [n, 1, size, size] in [0, 1] of images uint8 [n, size, size]."""
    inputs = torch.from_numpy(images[:, None]).to(classifier.mean.device).float() / 255
    # Convolutions of a few channels take a third of the time in this order.
    return inputs.contiguous(memory_format=torch.channels_last)


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
