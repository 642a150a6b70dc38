"""The content of `features.json`."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from pulmo.core.message import Message
from pulmo.core.record import Record, read_record
from pulmo.explain.features.separation import ChannelArea
from pulmo.explain.features.shown import TRAINED, UNTRAINED, Response
from pulmo.predictions.predictions import Failure
from pulmo.stats.estimate import Estimate


class Ascended(Record):
    """The response of a channel to an input that was fitted to it.

    It is the mean of its map, of whose negative values a tenth counts.
    """

    channel: int
    before: float
    """For the image of random structure that was begun with."""
    after: float


class ShownLayer(Record):
    """What is shown of a layer."""

    name: str
    kind: str
    channels: int
    rows: int
    columns: int
    shown: tuple[int, ...]
    """The channels whose maps are drawn, of both networks: those of the trained network that
    respond most, the first first."""
    limit: float
    """The value at the ends of the colour scale of the maps, for both networks."""
    factors: Mapping[str, tuple[float, ...]]
    """Network -> what the map of each channel of `shown` is multiplied by before it is drawn."""
    responses: Mapping[str, tuple[Response, ...]]
    """Network -> its channels that respond most."""
    maximised: Mapping[str, tuple[Ascended, ...]]
    """Network -> the channels that an input was fitted to; empty if none was."""
    files: Mapping[str, str]
    """`maps`, `places`, `filters`, `inputs` -> the file of the drawing."""


class Separation(Record):
    """Which channels separate the classes."""

    selected_on: str
    """What the channels were selected on."""
    reported_on: str
    """What their areas are reported on."""
    manifest_sha256: str
    n: int
    groups: int
    labels: dict[str, int]
    """Class -> images that are reported."""
    tested: int
    """Areas of a network that Holm's method counts: its channels, two statistics, the classes."""
    separating: dict[str, int]
    """Network -> those with an adjusted p-value below 0.05."""
    best: tuple[ChannelArea, ...]
    """Of each class and network."""
    gains: dict[str, Estimate]
    """Class -> area of the trained network's best channel less that of the untrained one's."""
    skipped: dict[str, int]
    """Label that the model does not know -> images left out."""
    excluded: tuple[Failure, ...]
    """Images that took no part because the model was trained or chosen on them."""
    failed: tuple[Failure, ...]
    test_accesses: int | None
    """How often the test that these images are of was used with this model, this time included;
    None if no image is of a test."""


class Features(Record):
    """What the channels of a run's network respond to, trained and untrained."""

    format: Literal[1] = 1
    model: str
    version: str
    weights_sha256: str
    image: str
    """The name of the image's file."""
    image_sha256: str
    size: int
    """Side of the network's input in pixels."""
    seed: int
    """Of the inputs that are fitted."""
    steps: int
    """Of the ascent; 0 if no input was fitted."""
    layers: tuple[ShownLayer, ...]
    separation: Separation | None
    """None without a manifest."""
    notes: tuple[Message, ...]


def say_best(found: Features) -> Iterator[str]:
    """Yields how well the best channel of each network separates each class, as sentences."""
    if found.separation is None:
        return
    for label, gain in found.separation.gains.items():
        aucs = {one.network: one.auc for one in found.separation.best if one.label == label}
        if gain.low is None:
            verdict = "It is not known whether training made a better channel"
        elif gain.low > 0:
            verdict = "Training made a better channel"
        else:
            verdict = "Training is not shown to have made a better channel"
        yield (
            f"{verdict} for {label}: the AUC of the best channel is {aucs[TRAINED].in_text} in the "
            f"trained and {aucs[UNTRAINED].in_text} in the untrained network."
        )


def read_features(path: Path) -> Features:
    """Reads a `features.json`.

    Raises:
        InputError: the file is missing or is no such record.
    """
    return read_record(path, Features, "a description of feature maps")
