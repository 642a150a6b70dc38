"""The images of a manifest run through both networks, and how well each channel separates them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pulmo.bundle.card import Card
from pulmo.core.errors import InputError
from pulmo.core.message import Message
from pulmo.datasets.manifest import Manifest
from pulmo.evaluate.overlap import excluded_note
from pulmo.evaluate.test_access import access_of, record_access
from pulmo.explain.features.maps import channel_responses
from pulmo.explain.features.record import Separation
from pulmo.explain.features.separation import (
    ChannelArea,
    Responses,
    best_areas,
    channel_areas,
    gain,
    separating,
)
from pulmo.explain.features.shown import TRAINED, UNTRAINED, Layer
from pulmo.models.classifier import Classifier
from pulmo.predictions.predictions import Failure
from pulmo.radiograph.notes import count_sentence
from pulmo.workflows.features_images import ChosenImages, FinishedRun, batches, truth_of
from pulmo.workflows.progress import OnProgress

Shown = tuple[Mapping[str, Classifier], Sequence[Layer]]
"""The networks by name, and the layers that are looked at."""

_Parts = dict[str, dict[str, list[NDArray[np.float32]]]]
"""Network -> layer -> what its channels gave for each batch."""


class Separated(NamedTuple):
    """How well channels separate the classes.

    Attributes:
        record: what is to be known of it.
        areas: of every channel.
        notes: what a user must know, as messages.
    """

    record: Separation
    areas: list[ChannelArea]
    notes: tuple[Message, ...]


class _Read(NamedTuple):
    """What the channels gave for the images that could be read, and the others.

    `without_lungs` of the first were to show the lungs and show the whole image.
    """

    responses: Responses
    failed: tuple[Failure, ...]
    without_lungs: int


def separate(
    run: FinishedRun, data: Manifest, chosen: ChosenImages, shown: Shown, on_progress: OnProgress
) -> Separated:
    """Asks every channel of some layers how well it separates the classes.

    An access to a test is recorded in the run before an image is read.

    Args:
        run: the run.
        data: the whole manifest.
        chosen: those of its images that are used.
        shown: the networks and the layers.
        on_progress: called with the images done and the images in all.

    Raises:
        InputError: none of the images can be read, or a network gives values that are not finite.
    """
    lists = [run.folder.test_access]
    access = access_of(run, data, chosen.reported, chosen.split, lists)
    recorded = None if access is None else record_access(access, lists)
    selection = None
    if chosen.selection is not None:
        selection = _read(run, chosen.selection, shown, on_progress)
    reported = _read(run, chosen.reported, shown, on_progress)
    first = reported if selection is None else selection
    areas = channel_areas(
        run.card.labels.order, _asked(run.card), first.responses, reported.responses
    )
    failed = (*(selection.failed if selection else ()), *reported.failed)
    record = _record(run.card, chosen, reported.responses, areas).model_copy(
        update={"failed": failed, "test_accesses": recorded.times if recorded else None}
    )
    notes = [Message("images-excluded", text) for text in excluded_note(chosen.excluded)]
    unrecorded = recorded.failures if recorded else ()
    notes += [Message("access-not-recorded", text) for text in unrecorded]
    if failed:
        text = f"{len(failed)} images could not be used. The first: {failed[0].reason}"
        notes.append(Message("images-failed", text))
    if whole := reported.without_lungs + (selection.without_lungs if selection else 0):
        notes.append(Message("no-lungs", f"{count_sentence('no-lungs', whole)}."))
    return Separated(record, areas, tuple(notes))


def _asked(card: Card) -> tuple[str, ...]:
    """Returns the classes that are each separated from the rest: of two classes one tells both."""
    order, positive = card.labels.order, card.decision.positive
    return (positive[0],) if len(order) == 2 and positive else order


def _read(run: FinishedRun, data: Manifest, shown: Shown, on_progress: OnProgress) -> _Read:
    """Runs both networks on the images of a manifest."""
    networks, layers = shown
    parts: _Parts = {name: {layer.name: [] for layer in layers} for name in networks}
    rows: list[NDArray[np.intp]] = []
    failed: list[Failure] = []
    without_lungs = 0
    for batch in batches(run, data, on_progress):
        failed.extend(batch.failed)
        without_lungs += batch.without_lungs
        if not len(batch.rows):
            continue
        rows.append(batch.rows)
        for name, network in networks.items():
            for layer, values in channel_responses(network, batch.inputs, layers, name).items():
                parts[name][layer].append(values)
    if not rows:
        raise InputError(
            "images-unreadable", f"None of the images can be read. The first: {failed[0].reason}"
        )
    taken = np.concatenate(rows)
    responses = Responses(
        truth=truth_of(run.card, data)[taken],
        groups=data.frame["group"].iloc[taken].tolist(),
        of={
            name: {layer: np.concatenate(values, axis=2) for layer, values in found.items()}
            for name, found in parts.items()
        },
    )
    return _Read(responses, tuple(failed), without_lungs)


def _record(
    card: Card, chosen: ChosenImages, reported: Responses, areas: Sequence[ChannelArea]
) -> Separation:
    best = best_areas(areas)
    order = card.labels.order
    by_name = {(one.label, one.network): one for one in best}
    names = chosen.names
    return Separation(
        selected_on=names[0],
        reported_on=names[1],
        manifest_sha256=chosen.reported.sha256,
        n=len(reported.truth),
        groups=len(set(reported.groups)),
        labels={label: int((reported.truth == k).sum()) for k, label in enumerate(order)},
        tested=sum(area.network == TRAINED for area in areas),
        separating=separating(areas),
        best=tuple(best),
        gains={
            label: gain(by_name[label, TRAINED], by_name[label, UNTRAINED], reported, k)
            for k, label in enumerate(order)
            if (label, TRAINED) in by_name
        },
        skipped=chosen.skipped,
        excluded=chosen.excluded,
        failed=(),
        test_accesses=None,
    )
