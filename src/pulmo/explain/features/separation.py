"""Which channels separate the classes: the area under the ROC curve of each, with its interval."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pulmo import stats
from pulmo.core.record import Record
from pulmo.stats.estimate import Estimate
from pulmo.stats.multiple import LEVEL

STATISTICS: Final = ("mean", "maximum")
"""What is read of a channel's map; the order of `Responses.of`."""


@dataclass(frozen=True, eq=False)
class Responses:
    """What the channels of networks gave for labelled images.

    Attributes:
        truth: number of each image's class, [n].
        groups: group of each image, [n].
        of: network -> layer -> float32 [2, channels, n], mean and maximum.
    """

    truth: NDArray[np.intp]
    groups: Sequence[str]
    of: Mapping[str, Mapping[str, NDArray[np.float32]]]


class ChannelArea(Record):
    """How well a channel separates a class from all others."""

    network: str
    layer: str
    channel: int
    """Its number, from 0."""
    statistic: str
    """`mean` or `maximum` of its map."""
    label: str
    """The class."""
    higher: bool
    """Whether it is higher for the class on the images of the selection."""
    selected: float
    """The area under the ROC curve there, in that direction: 0.5 or more."""
    auc: Estimate
    """The area in the same direction on the images that are reported; below 0.5 if the direction is
    another there."""
    p: float | None = None
    """Its two-sided p-value, adjusted by Holm's method for all areas of the network; None where the
    area has no interval."""


def channel_areas(
    classes: Sequence[str], labels: Sequence[str], selection: Responses, reported: Responses
) -> list[ChannelArea]:
    """Returns the area of each network, layer, channel, statistic and class.

    Args:
        classes: all classes, in the order of `truth`.
        labels: those that are each separated from all others.
        selection: the images on which channels are selected.
        reported: the images on which their areas are reported; may be the same.
    """
    found = []
    for network, layers in reported.of.items():
        areas = [
            area
            for layer in layers
            for label in labels
            for area in _areas(
                selection.of[network][layer],
                reported.of[network][layer],
                selection.truth == classes.index(label),
                reported.truth == classes.index(label),
                (selection.groups, reported.groups),
                partial(ChannelArea, network=network, layer=layer, label=label),
            )
        ]
        chances = _adjusted([area.auc for area in areas])
        found += [area.model_copy(update={"p": p}) for area, p in zip(areas, chances, strict=True)]
    return found


def _areas(
    before: NDArray[np.float32],
    after: NDArray[np.float32],
    selecting: NDArray[np.bool_],
    reporting: NDArray[np.bool_],
    groups: tuple[Sequence[str], Sequence[str]],
    make: Callable[..., ChannelArea],
) -> Iterator[ChannelArea]:
    """Yields the areas of a layer's channels, from responses [2, channels, n] to two sets."""
    for statistic, first, second in zip(STATISTICS, before, after, strict=True):
        found = stats.aucs(selecting, first, groups[0])
        areas = np.array([0.5 if one.value is None else one.value for one in found])
        signs = np.where(areas >= 0.5, 1.0, -1.0)
        estimates = stats.aucs(reporting, signs[:, None] * second, groups[1])
        for channel, (area, estimate) in enumerate(zip(areas, estimates, strict=True)):
            yield make(
                channel=channel,
                statistic=statistic,
                higher=bool(area >= 0.5),
                selected=float(max(area, 1 - area)),
                auc=estimate,
            )


def _adjusted(areas: Sequence[Estimate]) -> list[float | None]:
    """Returns two-sided p-values against an area of 0.5, with Holm's adjustment."""
    chances = [stats.auc_p(area) for area in areas]
    adjusted = stats.holm([1.0 if p is None else p for p in chances]).tolist()
    return [None if p is None else each for p, each in zip(chances, adjusted, strict=True)]


def best_areas(areas: Sequence[ChannelArea]) -> list[ChannelArea]:
    """Returns of each class and network the area that is the highest on the selection."""
    best: dict[tuple[str, str], ChannelArea] = {}
    for area in areas:
        key = area.label, area.network
        if key not in best or area.selected > best[key].selected:
            best[key] = area
    return list(best.values())


def separating(areas: Sequence[ChannelArea]) -> dict[str, int]:
    """Returns network -> areas whose adjusted p-value is below 0.05."""
    counts = {area.network: 0 for area in areas}
    for area in areas:
        counts[area.network] += area.p is not None and area.p < 2 * LEVEL
    return counts


def gain(first: ChannelArea, second: ChannelArea, reported: Responses, number: int) -> Estimate:
    """Returns the first channel's area less the second's, on the same images.

    Args:
        first: one area of a class.
        second: another area of that class.
        reported: what the channels gave for the images.
        number: of the class.
    """
    scores = np.stack([_scores(first, reported), _scores(second, reported)])
    return stats.auc_difference(reported.truth == number, scores, reported.groups).estimate


def _scores(area: ChannelArea, responses: Responses) -> NDArray[np.float64]:
    """Returns the score of each image by a channel, [n], high for the class."""
    values = responses.of[area.network][area.layer][STATISTICS.index(area.statistic), area.channel]
    return np.asarray(values, np.float64) * (1 if area.higher else -1)


def areas_table(areas: Sequence[ChannelArea]) -> pd.DataFrame:
    """Returns a row an area: its fields, with `auc`, `low`, `high`, `n` and `reason` apart."""
    rows = [
        {**area.model_dump(exclude={"auc", "p"}), **_columns(area.auc), "p": area.p}
        for area in areas
    ]
    return pd.DataFrame(rows)


def _columns(auc: Estimate) -> dict[str, object]:
    return {"auc": auc.value, "low": auc.low, "high": auc.high, "n": auc.n, "reason": auc.reason}
