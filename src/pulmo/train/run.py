"""A training run from its first step to its card."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import torch
from sklearn.metrics import accuracy_score, balanced_accuracy_score, log_loss

from pulmo.bundle.card import Card, Epoch, read_card
from pulmo.bundle.predictor import probabilities
from pulmo.core.errors import InputError, InterruptedRunError, RefusedError, UsageError
from pulmo.core.files import write_atomically
from pulmo.core.recipe import Recipe
from pulmo.core.run_folder import RunFolder
from pulmo.core.tables import manifest_sha256, write_manifest
from pulmo.models.classifier import make_classifier
from pulmo.train.checkpoint import Progress, load_checkpoint, save_checkpoint
from pulmo.train.finish import finish_run
from pulmo.train.loop import Engine, Watch, infer, train_epoch
from pulmo.train.machine import describe_machine
from pulmo.train.material import Material, gather
from pulmo.train.optimise import learning_rate, make_optimiser, use_bfloat16


class Place(NamedTuple):
    """Where a run works.

    Attributes:
        folder: the run's folder.
        cache: where caches of decoded pictures lie.
        device: auto, cpu or cuda.
    """

    folder: RunFolder
    cache: Path
    device: str = "auto"


def train_run(
    recipe: Recipe,
    manifest: pd.DataFrame,
    place: Place,
    watch: Watch,
    *,
    resume: bool = False,
    on_decode: Callable[[int, int], None] | None = None,
) -> Card:
    """Trains a recipe on a manifest and writes the run's folder.

    Args:
        recipe: the experiment.
        manifest: pictures with their split.
        place: folder, cache and device.
        watch: hears of the progress and may stop the run.
        resume: go on with the run in the folder, at its last checkpoint.
        on_decode: called with the pictures decoded and the pictures in all.

    Raises:
        UsageError: the folder holds another run, or there is no such device.
        InputError: the data lack a class, a picture is unreadable, the disk is full, or the loss
            is not a number.
        RefusedError: the split leaks.
        InterruptedRunError: the caller asked to stop; a checkpoint was written.
    """
    device = choose_device(place.device)
    _check_folder(recipe, place.folder, resume=resume)
    pictures = manifest_sha256(manifest)
    if resume and place.folder.card.exists():
        card = read_card(place.folder.card)
        _check_pictures(card.training.manifest_sha256, pictures, place.folder)
        return card
    torch.set_flush_denormal(True)
    material = gather(recipe, manifest, place.cache, on_decode)
    fresh = not (resume and place.folder.last_checkpoint.exists())
    engine, weights = _engine(recipe, material, device, fresh=fresh)
    if fresh:
        progress = Progress(recipe_sha256=recipe.sha256, manifest_sha256=pictures, weights=weights)
        _begin(engine, manifest, place.folder)
    else:
        folder = place.folder
        progress = load_checkpoint(folder.last_checkpoint, engine.classifier, engine.optimiser)
        _check_pictures(progress.manifest_sha256, pictures, folder)
    while progress.epoch < recipe.train.epochs and not _stale(recipe, progress):
        if not train_epoch(engine, progress, watch):
            save_checkpoint(
                place.folder.last_checkpoint, engine.classifier, engine.optimiser, progress
            )
            raise InterruptedRunError(
                f"Training stopped in epoch {progress.epoch + 1}; go on with --resume."
            )
        _end_epoch(engine, progress, place.folder)
        watch.on_epoch(progress.history[-1])
    return finish_run(engine, progress, place.folder)


def choose_device(name: str) -> torch.device:
    """Returns the device; `auto` takes a GPU if there is one.

    Raises:
        UsageError: there is no such device.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name not in ("cpu", "cuda") or (name == "cuda" and not torch.cuda.is_available()):
        raise UsageError(f"There is no device {name!r} here; choose auto, cpu or cuda.")
    return torch.device(name)


def _check_folder(recipe: Recipe, folder: RunFolder, *, resume: bool) -> None:
    """Checks that the folder is free, or holds this very run if it is to be resumed."""
    if folder.root.exists() and not folder.root.is_dir():
        raise InputError(f"{folder.root} is a file; a folder was expected.")
    if not folder.recipe.exists():
        if folder.root.exists() and any(folder.root.iterdir()):
            raise UsageError(f"{folder.root} is not empty and holds no run; choose another folder.")
    elif not resume:
        raise UsageError(
            f"{folder.root} holds a run already; go on with it with --resume, or choose another "
            "folder."
        )
    elif folder.recipe.read_text() != recipe.to_toml():
        raise RefusedError(
            f"{folder.recipe} differs from the recipe {recipe.name!r} as it is now; a run resumes "
            "only with the recipe and settings that it began with."
        )


def _check_pictures(begun: str, now: str, folder: RunFolder) -> None:
    """Checks that a run goes on with the pictures and the split that it began with."""
    if begun != now:
        raise RefusedError(
            f"{folder.root} was begun with other pictures or another split; resume it with "
            f"--data {folder.manifest}."
        )


def _begin(engine: Engine, manifest: pd.DataFrame, folder: RunFolder) -> None:
    """Makes the run's folder; not earlier, so that unusable data leave no run behind."""
    write_atomically(folder.recipe, engine.recipe.to_toml().encode())
    write_manifest(manifest, folder.manifest)
    write_atomically(folder.environment, describe_machine(engine).encode())


def _engine(
    recipe: Recipe, material: Material, device: torch.device, *, fresh: bool
) -> tuple[Engine, str]:
    made = make_classifier(recipe.model, recipe.labels.order, recipe.train.seed, initial=fresh)
    classifier = made.classifier.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload] # torch's stub lacks this form
    bfloat16 = use_bfloat16(classifier, recipe.train, device)
    optimiser = make_optimiser(classifier, recipe.train)
    return Engine(recipe, material, classifier, optimiser, device, bfloat16), made.weights


def _end_epoch(engine: Engine, progress: Progress, folder: RunFolder) -> None:
    """Validates, keeps the best weights, and writes the checkpoint of the finished epoch.

    The best weights come first: a run that dies between the two files repeats the epoch and writes
    the same best weights again.
    """
    material, section = engine.material, engine.recipe.train
    logits, _ = infer(engine, material.val)
    truth = material.truth[material.val]
    loss = float(log_loss(truth, probabilities(logits, 1.0), labels=range(logits.shape[1])))
    last = (progress.epoch + 1) * engine.steps - 1
    progress.history.append(
        Epoch(
            epoch=progress.epoch + 1,
            lr=learning_rate(section, last, section.epochs * engine.steps),
            train_loss=progress.loss_sum / progress.seen,
            val_loss=loss,
            val_accuracy=float(accuracy_score(truth, logits.argmax(1))),
            val_balanced_accuracy=float(balanced_accuracy_score(truth, logits.argmax(1))),
            seconds=progress.seconds,
            images_per_second=progress.seen / progress.seconds,
        )
    )
    improved = progress.best_loss is None or loss < progress.best_loss
    progress.epoch, progress.step, progress.seen = progress.epoch + 1, 0, 0
    progress.loss_sum, progress.seconds = 0.0, 0.0
    if improved:
        progress.best_loss, progress.best_epoch = loss, progress.epoch
        save_checkpoint(folder.best_checkpoint, engine.classifier, engine.optimiser, progress)
    save_checkpoint(folder.last_checkpoint, engine.classifier, engine.optimiser, progress)
    lines = "".join(f"{epoch.model_dump_json()}\n" for epoch in progress.history)
    write_atomically(folder.history, lines.encode())


def _stale(recipe: Recipe, progress: Progress) -> bool:
    patience = recipe.train.patience
    return patience is not None and progress.epoch - progress.best_epoch >= patience
