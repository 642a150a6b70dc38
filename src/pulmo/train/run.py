"""A training run from its first step to its card."""

import json
import platform
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final, NamedTuple

import torch

from pulmo.bundle.card import Card, read_card
from pulmo.bundle.seen import SeenImages
from pulmo.core.begun import check_folder
from pulmo.core.errors import InterruptedRunError, RefusedError
from pulmo.core.files import read_bytes, write_atomically
from pulmo.core.folders import RunFolder
from pulmo.core.plugins import loaded_plugins
from pulmo.core.recipe import Recipe
from pulmo.core.training import StageSection
from pulmo.datasets.manifest import Manifest
from pulmo.lungs.framing import open_finder
from pulmo.models.classifier import Classifier, check_weights, make_classifier
from pulmo.radiograph.notes import count_sentence
from pulmo.train.callbacks import Callbacks
from pulmo.train.checkpoint import (
    CheckpointWriter,
    Progress,
    load_checkpoint,
    load_weights_of,
    read_progress,
)
from pulmo.train.device import choose_device
from pulmo.train.engine import Engine, begin_stage
from pulmo.train.features import base_features
from pulmo.train.finish import finish_run, write_history
from pulmo.train.loop import end_epoch, train_epoch
from pulmo.train.start import notes_on_start, start_seen
from pulmo.train.team import joined_team
from pulmo.train.training_data import TrainingData, gather

_PACKAGES: Final = ("pulmo", "torch", "torchvision", "timm", "numpy", "pandas", "pillow", "pydicom")
"""The packages whose versions are noted."""


class Place(NamedTuple):
    """Where a run works.

    Attributes:
        folder: the run's folder.
        cache: where caches of decoded images lie.
        device: auto, cpu or cuda.
    """

    folder: RunFolder
    cache: Path
    device: str = "auto"


def train_run(
    recipe: Recipe,
    manifest: Manifest,
    place: Place,
    callbacks: Callbacks,
    *,
    resume: bool = False,
) -> Card:
    """Trains a recipe on a manifest and writes the run's folder.

    Args:
        recipe: the experiment.
        manifest: images with their split.
        place: folder, cache and device.
        callbacks: hear of the progress and may stop the run.
        resume: go on with the run in the folder, at its last checkpoint.

    Raises:
        UsageError: the folder holds another run, there is no such device, or the batch is smaller
            than the team of processes.
        WeightsError: the published weights that the network starts from are not available.
        InputError: the data lack a class, an image is unreadable, the disk is full, or the loss
            is not a number.
        RefusedError: the split leaks.
        InterruptedRunError: the caller asked to stop; a checkpoint was written.
    """
    device = choose_device(place.device)
    # Numbers near zero slow depthwise networks down tenfold; this holds for the whole process.
    torch.set_flush_denormal(True)
    with joined_team(device) as team:
        folder, images = place.folder, manifest.sha256
        if not team.rank:
            check_folder(recipe, folder, resume=resume)
        if resume and folder.card.exists():
            card = read_card(folder.card)
            _check_images(card.training.manifest_sha256, images, folder)
            return card
        if team.rank:
            callbacks = Callbacks(callbacks.on_decode, should_stop=callbacks.should_stop)
        fresh = not folder.last_checkpoint.exists()
        if fresh:
            check_weights(recipe.model)
        # A run goes on with the network of the lungs that it began with.
        finder = None if fresh else open_finder(recipe.image, folder.finder)
        with team.leader_first():
            data = gather(recipe, manifest, place.cache, callbacks.on_decode, finder)
        progress, classifier = _begin(recipe, folder, images, device, fresh=fresh)
        # Made before anything is written, so that unusable rates leave no run behind.
        engine = begin_stage(recipe, _stage(recipe, progress), data, classifier, team)
        before = start_seen(recipe, folder)
        for note in (*_notes(engine), *notes_on_start(before, data)):
            callbacks.on_note(note)
        if not fresh:
            load_checkpoint(folder.last_checkpoint, engine.learner)
        elif not team.rank:
            _write_beginning(recipe, manifest, folder, data, before)
        if not team.rank:
            _note_machine(engine, folder.environment)
        return _train(engine, progress, folder, callbacks)


def _train(engine: Engine, progress: Progress, folder: RunFolder, callbacks: Callbacks) -> Card:
    """Trains from `progress` to the end of the last stage and returns the card."""
    recipe, team = engine.recipe, engine.team
    writer = CheckpointWriter(folder, writes=not team.rank)
    while True:
        if engine.stage.views:
            path = folder.features(progress.stage)
            with team.leader_first():
                engine = engine._replace(features=base_features(engine, path, callbacks))
        while progress.stage_epoch < engine.stage.epochs and not _stale(engine, progress):
            _train_epoch(engine, progress, writer, callbacks)
            if not team.rank:
                write_history(progress, folder)
            callbacks.on_epoch(progress.history[-1])
        writer.finish_stage(engine.learner, progress)
        team.wait()
        folder.features(progress.stage).unlink(missing_ok=True)
        if progress.stage + 1 == len(recipe.train.plan):
            break
        progress.stage, progress.stage_epoch = progress.stage + 1, 0
        load_weights_of(folder.best_checkpoint, engine.classifier)
        stage = _stage(recipe, progress)
        engine = begin_stage(recipe, stage, engine.data, engine.classifier, team)
    with team.leader_first():
        return read_card(folder.card) if team.rank else finish_run(engine, progress, folder)


def _write_beginning(
    recipe: Recipe, manifest: Manifest, folder: RunFolder, data: TrainingData, before: SeenImages
) -> None:
    """Writes all that a run needs to go on, or to be exported, where another pulmo is installed."""
    write_atomically(folder.recipe, recipe.to_toml().encode())
    manifest.save(folder.manifest)
    if data.finder is not None:
        write_atomically(folder.finder, data.finder.model)
    if before:
        write_atomically(folder.start_seen, before.listed())


def _check_images(begun: str, now: str, folder: RunFolder) -> None:
    """Checks that a run goes on with the images and the split that it began with."""
    if begun != now:
        raise RefusedError(
            "run-data-changed",
            f"{folder.root} was started with other images or another split. It can only be resumed "
            f"with {folder.manifest}.",
        )


def _begin(
    recipe: Recipe, folder: RunFolder, images: str, device: torch.device, *, fresh: bool
) -> tuple[Progress, Classifier]:
    """Returns how far the run is, and its network."""
    section, labels, seed = recipe.model, recipe.labels.order, recipe.train.seed
    made = make_classifier(section, labels, seed, size=recipe.image.size, initial=fresh)
    classifier = made.classifier.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload] # torch's stub lacks this form
    if recipe.train.compile:
        classifier.compile()
    if fresh:
        progress = Progress(
            recipe_sha256=recipe.sha256, manifest_sha256=images, weights=made.weights
        )
    else:
        progress = read_progress(folder.last_checkpoint, Progress)
        _check_images(progress.manifest_sha256, images, folder)
    return progress, classifier


def _notes(engine: Engine) -> Iterator[str]:
    """Yields what the user should read of the training images, as sentences."""
    data = engine.data
    if whole := int(data.images.without_lungs.sum()):
        yield f"{count_sentence('no-lungs', whole, len(data.manifest))}."
    if engine.cells is not None:
        yield from engine.cells.notes
    if engine.criterion is not None:
        yield f"The epoch is chosen by the {engine.criterion.said}."


def _stage(recipe: Recipe, progress: Progress) -> StageSection:
    """Returns the stage that is under way."""
    return recipe.train.plan[progress.stage]


def _train_epoch(
    engine: Engine, progress: Progress, writer: CheckpointWriter, callbacks: Callbacks
) -> None:
    """Trains an epoch to its end, or writes a checkpoint and raises if the caller asks to stop."""
    learner = engine.learner
    if not train_epoch(engine, progress, callbacks, lambda: writer.write(learner, progress)):
        writer.write(learner, progress)
        raise InterruptedRunError(
            "training-stopped",
            f"Training stopped in epoch {progress.epoch + 1}.",
        )
    writer.note_epoch(learner, progress, improved=end_epoch(engine, progress))


def _stale(engine: Engine, progress: Progress) -> bool:
    """Tells whether a stage has gone on for too long without a better epoch."""
    patience, begun = engine.stage.patience, progress.epoch - progress.stage_epoch
    return patience is not None and progress.epoch - max(progress.best_epoch, begun) >= patience


def _note_machine(engine: Engine, path: Path) -> None:
    """Adds versions, processor, device, threads and precision to a run's `env.json`.

    The file is a list: a run that was resumed, perhaps elsewhere, has an entry for each sitting.
    """
    device = engine.device
    sittings = json.loads(read_bytes(path)) if path.exists() else []
    sittings.append(
        {
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "python": platform.python_version(),
            "packages": {name: version(name) for name in _PACKAGES},
            "plugins": loaded_plugins(),
            "system": platform.platform(),
            "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
            "cpu_capability": torch.backends.cpu.get_cpu_capability(),
            "threads": torch.get_num_threads(),
            "precision": "bf16" if engine.bfloat16 else "fp32",
        }
    )
    write_atomically(path, json.dumps(sittings, indent=2).encode())
