"""What is shown of a network: maps, responses, filters and fitted inputs, without torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pulmo.core.record import Record

TRAINED: Final = "trained"
UNTRAINED: Final = "untrained"
"""What the two networks are called."""


class Layer(NamedTuple):
    """A layer that gives maps.

    Attributes:
        name: its name in the network, such as `backbone.layers.layer1.0.conv1`.
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


class Area(NamedTuple):
    """A rectangle on the network's input, in fractions of its side."""

    left: float
    top: float
    right: float
    bottom: float


class Response(Record):
    """How a channel responds to an image, in the units of the layer's output."""

    channel: int
    """Its number, from 0."""
    highest: float
    """The highest value of its map."""
    mean: float
    """The mean of its map."""
    area: Area
    """Around the highest value: the connected positions that are nearer to it than to the mean."""


class Maximised(NamedTuple):
    """An input that was fitted to a channel.

    Attributes:
        image: uint8 [size, size].
        before: the response of the channel to the first image, of random structure: the mean of
            its map, of whose negative values a tenth counts.
        after: the same for this image.
    """

    image: NDArray[np.uint8]
    before: float
    after: float


class Filters(NamedTuple):
    """Filters of some channels of a convolution.

    Attributes:
        channels: their numbers, [k].
        inputs: number of the input channel of each filter, [k, m]: of each channel the m whose
            filters are the strongest in the trained network, the strongest first.
        values: network -> float32 [k, m, rows, columns].
        alone: whether the layer reads one channel, so that each filter is an image of its own.
    """

    channels: NDArray[np.intp]
    inputs: NDArray[np.intp]
    values: Mapping[str, NDArray[np.float32]]
    alone: bool


@dataclass(frozen=True, eq=False)
class LayerFeatures:
    """What is shown of a layer.

    Attributes:
        layer: the layer.
        shown: the channels whose maps are drawn: those of the trained network that respond most.
        maps: network -> float32 [channels, rows, columns], all channels.
        limit: the value at the ends of the colour scale of the maps, for both networks.
        factors: network -> what the map of each channel of `shown` is multiplied by before it is
            drawn, so that none is empty or saturated: a power of two.
        responses: network -> its own channels that respond most.
        filters: of some channels; None if the layer has none to show.
        fitted: network -> inputs that were fitted to the first of `shown`; may be empty.
    """

    layer: Layer
    shown: tuple[int, ...]
    maps: Mapping[str, NDArray[np.float32]]
    limit: float
    factors: Mapping[str, tuple[float, ...]]
    responses: Mapping[str, tuple[Response, ...]]
    filters: Filters | None
    fitted: Mapping[str, tuple[Maximised, ...]]
