"""One image in a trained and in an untrained network: what is shown of each layer."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pulmo.explain.features.drawing import common_scale
from pulmo.explain.features.filters import filters_of
from pulmo.explain.features.maps import feature_maps, strongest
from pulmo.explain.features.maximise import Ascent, maximising_inputs
from pulmo.explain.features.shown import TRAINED, Filters, Layer, LayerFeatures
from pulmo.models.classifier import Classifier

_FIRST: Final = 64
"""Filters that are shown at most of a layer that reads one channel."""
_WIDE: Final = 8
"""Of a deeper layer, channels whose filters are shown, and filters of each."""


class Extent(NamedTuple):
    """How much is shown of a layer.

    Attributes:
        channels: channels whose maps are drawn.
        closer: of these, the first ones that are looked at more closely: where they respond, and
            to which input they respond most.
        ascent: how inputs are fitted; None for none.
    """

    channels: int
    closer: int
    ascent: Ascent | None


def examine(
    networks: Mapping[str, Classifier],
    image: NDArray[np.uint8],
    layers: Sequence[Layer],
    extent: Extent,
    on_layer: Callable[[int, int], None] = lambda _done, _all: None,
) -> list[LayerFeatures]:
    """Returns what is shown of each layer for an image.

    Args:
        networks: `TRAINED` and `UNTRAINED` -> a network; both are alike, and left as they were.
        image: uint8 [size, size], as `to_input` gives it.
        layers: which layers.
        extent: how much is shown.
        on_layer: called with the layers done and the layers in all.

    Raises:
        InputError: a network gives values that are not finite.
    """
    maps = {name: feature_maps(network, image, layers, name) for name, network in networks.items()}
    found = []
    for layer in layers:
        own = {name: maps[name][layer.name] for name in networks}
        found.append(_layer_features(networks, own, layer, len(image), extent))
        on_layer(len(found), len(layers))
    return found


def _layer_features(
    networks: Mapping[str, Classifier],
    maps: Mapping[str, NDArray[np.float32]],
    layer: Layer,
    size: int,
    extent: Extent,
) -> LayerFeatures:
    shown = tuple(one.channel for one in strongest(maps[TRAINED], extent.channels))
    limit, factors = common_scale({name: each[list(shown)] for name, each in maps.items()})
    return LayerFeatures(
        layer=layer,
        shown=shown,
        maps=maps,
        limit=limit,
        factors=factors,
        responses={name: strongest(each, extent.closer) for name, each in maps.items()},
        filters=_filters(networks, layer, shown),
        fitted={
            name: tuple(
                maximising_inputs(network, layer.name, shown[: extent.closer], size, extent.ascent)
            )
            for name, network in networks.items()
            if extent.ascent is not None
        },
    )


def _filters(
    networks: Mapping[str, Classifier], layer: Layer, shown: Sequence[int]
) -> Filters | None:
    """Returns the filters of a layer: all of one that reads one channel, else a few."""
    every = filters_of(networks, layer.name, range(min(layer.channels, _FIRST)), _WIDE)
    if every is None or every.alone:
        return every
    return filters_of(networks, layer.name, shown[:_WIDE], _WIDE)
