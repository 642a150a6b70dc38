"""Features: what the channels of a run's network respond to, trained next to untrained."""

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pulmo.core.errors import UsageError
from pulmo.core.message import Message
from pulmo.core.output import claimed_folder
from pulmo.datasets.manifest import Manifest
from pulmo.datasets.schema import check_split_name
from pulmo.radiograph import KINDS, Note, Radiograph, pixels_sha256
from pulmo.radiograph.image_source import ImageSource, name_of, open_image
from pulmo.report.gallery import file_name
from pulmo.workflows.features_images import FinishedRun, choose_images, input_of
from pulmo.workflows.options.evaluation import FeaturesOptions
from pulmo.workflows.progress import OnProgress, no_progress, of_stage

if TYPE_CHECKING:
    from pulmo.explain.features.examine import Extent
    from pulmo.explain.features.shown import Layer
    from pulmo.models.classifier import Classifier
    from pulmo.workflows.features_report import FeaturesReport

SHOWING: Final = "drawing the layers"
"""The stage of the image; that of a manifest is `features_images.READING`."""

_CLOSER: Final = 4


DEFAULTS: Final = FeaturesOptions()


def features(
    run: str | os.PathLike[str],
    image: ImageSource,
    *,
    data: Manifest | None = None,
    output: str | os.PathLike[str] | None = None,
    options: FeaturesOptions = DEFAULTS,
    on_progress: OnProgress = no_progress,
) -> "FeaturesReport":
    """Shows what the channels of a run's network, and of the untrained one, respond to.

    The untrained network is the run's recipe built again with its seed and the weights that the
    training started from. With a manifest each channel is asked how well it separates the classes;
    an access to a test is recorded in the run.

    Args:
        run: the folder of a finished training run.
        image: the image whose maps are shown: a file, its bytes, or an image that was read.
        data: labelled images; None asks nothing of classes.
        output: the folder for drawings, values, page and index; None writes none of them.
        options: what is shown.
        on_progress: called with a stage, how much of it is done, and how much there is in all.

    Raises:
        UsageError: a layer, a split or a device is not there, or a number is too low.
        WeightsError: the published weights that the training started from cannot be had.
        InputError: the run is unfinished, damaged or a bundle; the image or all images of the
            manifest cannot be used; the network has no convolution, or gives values that are not
            finite; or a file cannot be written.
        RefusedError: an image is not what the model was meant for.
    """
    _check(options)
    opened = FinishedRun.open(Path(run))
    name = name_of(image, "The image")
    radiograph = open_image(image, name)
    framed = input_of(opened, radiograph, name)
    shown = framed.pixels
    chosen = None if data is None else choose_images(opened, data, options.split)
    with ExitStack() as stack:
        if output is not None:
            stack.enter_context(claimed_folder(Path(output)))
        # torch takes seconds to import, which a refusal need not cost.
        from pulmo.explain.features.examine import examine
        from pulmo.workflows.features_report import FeaturesReport, record_of
        from pulmo.workflows.features_separation import separate

        networks, notes = _networks(opened, options.device)
        layers = _layers(networks, len(shown), options)
        examined = examine(
            networks, shown, layers, _extent(options), of_stage(on_progress, SHOWING)
        )
        separated = None
        if data is not None and chosen is not None:
            separated = separate(opened, data, chosen, (networks, layers), on_progress)
        about = (
            *_image_notes(opened, radiograph, framed.notes),
            *notes,
            *(chosen.notes if chosen else ()),
        )
        identity = file_name(name), radiograph.sha256
        record = record_of(opened.card, identity, options, examined, separated, about)
        areas = tuple(separated.areas) if separated else ()
        report = FeaturesReport(record, shown, tuple(examined), areas)
        if output is not None:
            report.save(output)
    return report


def _check(options: FeaturesOptions) -> None:
    """Refuses numbers that are too low, and a split that no manifest has."""
    for name, least in (("depths", 1), ("channels", 1), ("steps", 0), ("seed", 0)):
        if getattr(options, name) < least:
            raise UsageError(
                "number-too-low",
                f"The number of {name} is {getattr(options, name)}; it must be {least} or more.",
            )
    check_split_name(options.split)


def _networks(run: FinishedRun, device: str) -> "tuple[dict[str, Classifier], tuple[Message, ...]]":
    """Returns the trained and the untrained network, and how the untrained one starts."""
    import torch

    from pulmo.bundle.export import trained_classifier
    from pulmo.explain.features.shown import TRAINED, UNTRAINED
    from pulmo.explain.features.untrained import untrained_classifier
    from pulmo.train.device import choose_device

    where = choose_device(device)
    trained = trained_classifier(run.folder, run.card)
    untrained = untrained_classifier(run.folder, run.card)
    networks = {TRAINED: trained, UNTRAINED: untrained.classifier}
    for network in networks.values():
        network.to(device=where, memory_format=torch.channels_last)  # type: ignore[call-overload] # torch's stub lacks this form
    return networks, untrained.notes


def _layers(
    networks: "dict[str, Classifier]", size: int, options: FeaturesOptions
) -> "tuple[Layer, ...]":
    from pulmo.explain.features.maps import choose_layers, layers_of
    from pulmo.explain.features.shown import TRAINED

    found = layers_of(networks[TRAINED], size)
    return choose_layers(found, options.layers, options.depths)


def _extent(options: FeaturesOptions) -> "Extent":
    from pulmo.explain.features.examine import Extent
    from pulmo.explain.features.maximise import Ascent

    ascent = Ascent(options.steps, options.seed) if options.steps else None
    return Extent(options.channels, _CLOSER, ascent)


def _image_notes(
    run: FinishedRun, radiograph: Radiograph, framing: tuple[Note, ...]
) -> list[Message]:
    """Returns what is to be known of the image, and of it and the model."""
    notes = [Message(note.kind, note.text) for note in (*radiograph.facts.notes, *framing)]
    if run.card.has_drawings:
        notes.append(Message("drawings", f"About the model: {KINDS['drawings']}."))
    if run.seen.listed.has(radiograph.sha256, pixels_sha256(radiograph.pixels)):
        notes.append(Message("seen", f"About the image shown: {KINDS['seen']}."))
    return notes
