"""The page of feature maps: a network's layers, trained next to untrained, from stem to head."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pulmo.core.files import write_atomically
from pulmo.core.message import texts
from pulmo.explain.features.drawing import Panel, png, scale_bar
from pulmo.explain.features.panels import KINDS, input_panel, panels
from pulmo.explain.features.record import Features, Separation, ShownLayer, say_best
from pulmo.explain.features.separation import ChannelArea
from pulmo.explain.features.shown import LayerFeatures
from pulmo.report.lines import Groups, Line
from pulmo.report.template import render

_TITLES: Final = {
    "maps": "What its channels give for the image",
    "places": "Where channels respond most",
    "inputs": "Inputs to which channels respond most",
    "filters": "Filters",
}
_BEST: Final = 5
"""Channels of a layer and network whose areas are listed."""


@dataclass(frozen=True, eq=False)
class FeaturesContent:
    """What the page shows.

    Attributes:
        features: in numbers.
        image: the network's input, uint8 [size, size].
        layers: the maps, filters and fitted inputs, in the order of `features.layers`.
        areas: how well each channel separates the classes; may be empty.
    """

    features: Features
    image: NDArray[np.uint8]
    layers: Sequence[LayerFeatures]
    areas: Sequence[ChannelArea] = ()


class _Figure(NamedTuple):
    """A drawing of one network.

    Attributes:
        network: its name.
        address: the drawing, as a `data:` address.
        width: in pixels.
        height: in pixels.
        legend: what the colours and the numbers mean.
        limit: the value at the ends of the colour scale, or none.
    """

    network: str
    address: str
    width: int
    height: int
    legend: str
    limit: float | None

    @classmethod
    def of(cls, panel: Panel) -> "_Figure":
        height, width = panel.grid.shape[:2]
        return cls(
            panel.title, _address(png(panel.grid, 256)), width, height, panel.legend, panel.limit
        )


class _Depth(NamedTuple):
    """A layer on the page.

    Attributes:
        layer: in numbers.
        figures: title -> the drawings of both networks.
        areas: heading -> its channels that separate the classes best.
    """

    layer: ShownLayer
    figures: dict[str, list[_Figure]]
    areas: Groups


def write_features_page(path: Path, content: FeaturesContent) -> None:
    """Writes the page as one HTML file, which is self-contained as that of `write_report`.

    It names the image's file without its folders.

    Raises:
        InputError: the file cannot be written.
    """
    write_atomically(path, render_features(content).encode())


def render_features(content: FeaturesContent) -> str:
    """Returns the page as HTML."""
    features, separation = content.features, content.features.separation
    return render(
        "features",
        {
            "features": features,
            "input": _Figure.of(input_panel(content.image)),
            "ramp": _address(png(scale_bar(180))),
            "depths": [
                _depth(content, shown, found)
                for shown, found in zip(features.layers, content.layers, strict=True)
            ],
            "separation": separation,
            "best": _best(separation) if separation else {},
            "verdicts": list(say_best(features)),
            "notes_of": list(texts(features.notes)),
        },
    )


def _depth(content: FeaturesContent, shown: ShownLayer, found: LayerFeatures) -> _Depth:
    figures = {}
    for kind in KINDS:
        drawn = panels(found, content.image, kind)
        if drawn:
            figures[kind] = [_Figure.of(panel) for panel in drawn.values()]
    return _Depth(
        shown,
        {_TITLES[kind]: figures[kind] for kind in _TITLES if kind in figures},
        _areas_of(shown.name, content.areas),
    )


def _areas_of(layer: str, areas: Sequence[ChannelArea]) -> Groups:
    """Returns class and network -> its best channels of a layer, by the images of the selection."""
    groups: dict[str, list[ChannelArea]] = {}
    for area in areas:
        if area.layer == layer:
            groups.setdefault(f"{area.label}, {area.network} network", []).append(area)
    return {
        heading: [
            Line(f"channel {one.channel}, {one.statistic}", one.auc, note=_p(one), baseline=0.5)
            for one in sorted(found, key=lambda each: -each.selected)[:_BEST]
        ]
        for heading, found in groups.items()
    }


def _best(separation: Separation) -> Groups:
    """Returns class -> a line for the best channel of each network, and one for the difference."""
    groups: dict[str, list[Line]] = {}
    for one in separation.best:
        note = f"{one.layer}, channel {one.channel}, {one.statistic}; {_p(one)}"
        name = f"{one.network.capitalize()} network"
        groups.setdefault(one.label, []).append(Line(name, one.auc, note=note, baseline=0.5))
    for label, gain in separation.gains.items():
        groups[label].append(Line("Difference", gain, (-1.0, 1.0), baseline=0.0))
    return groups


def _p(area: ChannelArea) -> str:
    """Returns the direction and the adjusted p-value of an area, in words."""
    direction = "higher" if area.higher else "lower"
    if area.p is None:
        return f"{direction} in the class"
    chance = "p < 0.001" if area.p < 0.001 else f"p = {area.p:.3f}"
    return f"{direction} in the class, {chance} (Holm)"


def _address(data: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(data).decode()
