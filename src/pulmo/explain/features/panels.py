"""What is drawn of a layer: its maps, where it responds, its filters, and fitted inputs."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pulmo.explain.features.drawing import (
    Panel,
    Tile,
    boxed,
    common_scale,
    factor_words,
    grey,
    grid,
    signed,
)
from pulmo.explain.features.shown import TRAINED, UNTRAINED, Filters, LayerFeatures

KINDS: Final = ("maps", "places", "filters", "inputs")
"""The drawings of a layer; a layer may lack the last two."""

_NAMES: Final = (TRAINED, UNTRAINED)
_ACROSS: Final = 4
_SMALL: Final = 0.45
_LEGEND: Final = "channel, and what it is multiplied by"


def panels(features: LayerFeatures, image: NDArray[np.uint8], kind: str) -> dict[str, Panel]:
    """Returns network -> a drawing of a layer; empty if there is nothing of this kind.

    Args:
        features: what is shown of the layer.
        image: the network's input, uint8 [size, size].
        kind: one of `KINDS`.
    """
    if kind == "filters":
        return _filters(features.filters) if features.filters is not None else {}
    draw = {"maps": _maps, "places": _places, "inputs": _inputs}[kind]
    found = {name: draw(features, image, name) for name in _NAMES}
    return {name: panel for name, panel in found.items() if panel is not None}


def input_panel(image: NDArray[np.uint8]) -> Panel:
    """Returns the network's input, uint8 [size, size], as a panel."""
    tile = Tile(grey(image), f"{len(image)} px")
    return Panel("input", grid([tile], 1, 1.2), "black 0, white 255")


def _maps(features: LayerFeatures, _image: NDArray[np.uint8], name: str) -> Panel:
    maps, factors = features.maps[name], features.factors[name]
    tiles = [
        Tile(signed(factor * maps[channel], features.limit), f"{channel}{factor_words(factor)}")
        for channel, factor in zip(features.shown, factors, strict=True)
    ]
    return Panel(name, grid(tiles, _ACROSS), _LEGEND, features.limit)


def _places(features: LayerFeatures, image: NDArray[np.uint8], name: str) -> Panel:
    tiles = [
        Tile(boxed(image, one.area), f"{one.channel}: {one.highest:.3g}")
        for one in features.responses[name]
    ]
    return Panel(name, grid(tiles, _ACROSS), "channel: highest value")


def _inputs(features: LayerFeatures, _image: NDArray[np.uint8], name: str) -> Panel | None:
    fitted = features.fitted.get(name, ())
    tiles = [
        Tile(grey(one.image), f"{channel}: {one.after:.3g}")
        for channel, one in zip(features.shown, fitted, strict=False)
    ]
    return Panel(name, grid(tiles, _ACROSS), "channel: response") if tiles else None


def _filters(filters: Filters) -> dict[str, Panel]:
    """Returns the filters: a tile a channel, or a row a channel with a tile an input."""
    limit, factors = common_scale(filters.values)
    columns = 2 * _ACROSS if filters.alone else filters.inputs.shape[1]
    found = {}
    for name, values in filters.values.items():
        tiles = [
            Tile(signed(factor * weights, limit), words)
            for channel, sources, row, factor in zip(
                filters.channels, filters.inputs, values, factors[name], strict=True
            )
            for words, weights in zip(_words(filters, channel, sources, factor), row, strict=True)
        ]
        found[name] = Panel(name, grid(tiles, columns, _SMALL), _LEGEND, limit)
    return found


def _words(filters: Filters, channel: int, sources: NDArray[np.intp], factor: float) -> list[str]:
    """Returns what each filter of a channel is called; the first one has the factor of all."""
    names = [str(channel) if filters.alone else f"{source}→{channel}" for source in sources]
    return [names[0] + factor_words(factor), *names[1:]]
