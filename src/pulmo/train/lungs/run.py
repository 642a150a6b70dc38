"""A training of the lungs from its first epoch to its weights, which can be resumed anywhere."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from pulmo.core.errors import InterruptedRunError, RefusedError, UsageError
from pulmo.core.files import write_atomically
from pulmo.core.folders import LungRunFolder
from pulmo.core.record import write_record
from pulmo.datasets.manifest import Manifest
from pulmo.lungs.mask_files import LungMasks
from pulmo.models.lungs import make_lung_network
from pulmo.train.checkpoint import (
    CheckpointWriter,
    load_checkpoint,
    load_weights_of,
    read_progress,
)
from pulmo.train.lungs.data import gather_lungs
from pulmo.train.lungs.loop import begin, epoch_record, train_epoch
from pulmo.train.lungs.settings import LungEpoch, LungProgress, LungSettings


class LungCallbacks(NamedTuple):
    """The functions that a training of the lungs calls.

    Attributes:
        on_decode: called with the images decoded and the images in all, before the first step.
        on_step: called with the steps done and the steps of the epoch.
        on_epoch: called after each epoch.
        should_stop: called after each epoch; True ends the training with a checkpoint.
    """

    on_decode: Callable[[int, int], None] = lambda *_: None
    on_step: Callable[[int, int], None] = lambda *_: None
    on_epoch: Callable[[LungEpoch], None] = lambda _: None
    should_stop: Callable[[], bool] = lambda: False


class LungData(NamedTuple):
    """What a training of the lungs is given.

    Attributes:
        manifest: images with their split.
        masks: lung masks of some of them.
        cache: where decoded images are kept.
    """

    manifest: Manifest
    masks: LungMasks
    cache: Path


def train_network(
    settings: LungSettings,
    data: LungData,
    folder: LungRunFolder,
    callbacks: LungCallbacks,
    *,
    resume: bool = False,
) -> nn.Module:
    """Trains to the last epoch, and returns the network of the best one, in evaluation mode.

    Args:
        settings: of the training.
        data: images, masks and cache.
        folder: of the training.
        callbacks: hear of the progress and may stop it.
        resume: go on with the training in the folder, at its last checkpoint.

    Raises:
        UsageError: the folder holds a training that is not to be resumed, or none to resume.
        InputError: a split has no image with a mask, or a file cannot be read or written.
        RefusedError: the split leaks, or the training was begun with something else.
        DivergedError: the loss is not a finite number.
        InterruptedRunError: the caller asked to stop.
    """
    check_lung_folder(folder, resume=resume)
    # Numbers near zero slow convolutions down; this holds for the whole process.
    torch.set_flush_denormal(True)
    progress = LungProgress(settings_sha256=settings.sha256, manifest_sha256=data.manifest.sha256)
    train, val = gather_lungs(data.manifest, data.masks, settings, data.cache, callbacks.on_decode)
    learner = begin(settings)
    if folder.last_checkpoint.exists():
        begun = read_progress(folder.last_checkpoint, LungProgress)
        _check_same(begun, progress, folder)
        progress = begun
        load_checkpoint(folder.last_checkpoint, learner)
    write_record(folder.settings, settings)
    data.manifest.save(folder.manifest)
    writer = CheckpointWriter(folder)
    for epoch in range(len(progress.history), settings.epochs):
        clock = time.monotonic()
        loss = train_epoch(learner, train, settings, epoch, callbacks.on_step)
        done = epoch_record(learner, val, epoch, loss, clock)
        improved = done.val_dice > progress.best_dice
        progress.history.append(done)
        progress.best_epoch = epoch + 1 if improved else progress.best_epoch
        writer.note_epoch(learner, progress, improved=improved)
        lines = "".join(f"{each.model_dump_json()}\n" for each in progress.history)
        write_atomically(folder.history, lines.encode())
        callbacks.on_epoch(done)
        if callbacks.should_stop():
            writer.finish_stage(learner, progress)
            raise InterruptedRunError(
                "training-stopped", f"Training stopped after epoch {epoch + 1}."
            )
    writer.finish_stage(learner, progress)
    network = make_lung_network(settings.seed)
    load_weights_of(folder.best_checkpoint, network)
    return network.eval()


def check_lung_folder(folder: LungRunFolder, *, resume: bool) -> None:
    """Checks that a folder is free, or holds a training if one is to be resumed.

    Raises:
        UsageError: it is not, or does not.
    """
    if resume and not folder.settings.exists():
        raise UsageError("resume-without-run", f"{folder.root} contains no run to resume.")
    if not resume and folder.settings.exists():
        raise UsageError("run-exists", f"{folder.root} contains a run already.")
    if not resume and folder.root.exists() and any(folder.root.iterdir()):
        raise UsageError("folder-not-empty", f"{folder.root} is not empty and contains no run.")


def _check_same(begun: LungProgress, now: LungProgress, folder: LungRunFolder) -> None:
    """Checks that a training goes on with the settings and the images that it began with."""
    if begun.settings_sha256 != now.settings_sha256:
        raise RefusedError(
            "run-settings-changed",
            f"{folder.settings} has other settings than the current ones. A run can only be "
            "resumed with the settings that it began with.",
        )
    if begun.manifest_sha256 != now.manifest_sha256:
        raise RefusedError(
            "run-data-changed",
            f"{folder.root} was begun with other images or another split. It can only be resumed "
            f"with {folder.manifest}.",
        )
