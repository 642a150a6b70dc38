"""One trial of a search: a run that may be ended before its time."""

import shutil
from pathlib import Path
from typing import Literal, NamedTuple

from pulmo.bundle.card import Epoch
from pulmo.core.errors import DivergedError
from pulmo.core.files import read_bytes, remove_drafts, write_atomically
from pulmo.core.folders import RunFolder
from pulmo.core.recipe import Recipe
from pulmo.datasets.cache import cache_folder
from pulmo.datasets.manifest import read_manifest
from pulmo.experiments.executor import Listener
from pulmo.train.run import Place, train_run

State = Literal["running", "complete", "pruned", "diverged"]


class _PrunedError(Exception):
    """The trial is not worth going on with."""


class TrialRun(NamedTuple):
    """A trial as the executor gets it.

    Attributes:
        manifest: the images of the search.
        folder: the trial's own.
        recipe: the recipe with the trial's values.
        device: auto, cpu or cuda.
    """

    manifest: Path
    folder: RunFolder
    recipe: Recipe
    device: str = "auto"


def stop_file(folder: RunFolder) -> Path:
    """Returns the file that says that a trial is not worth going on with."""
    return folder.root / "pruned"


def diverged_file(folder: RunFolder) -> Path:
    """Returns the file that says why a trial's training came to nothing."""
    return folder.root / "diverged.txt"


def state_of(folder: RunFolder) -> State:
    """Returns how far a trial is."""
    if folder.card.exists():
        return "complete"
    if diverged_file(folder).exists():
        return "diverged"
    return "pruned" if stop_file(folder).exists() else "running"


def history_of(folder: RunFolder) -> list[Epoch]:
    """Returns the finished epochs of a trial."""
    if not folder.history.exists():
        return []
    lines = read_bytes(folder.history).decode().splitlines()
    return [Epoch.model_validate_json(line) for line in lines]


def do_trial(trial: TrialRun, listener: Listener) -> None:
    """Trains a trial to its end, or until the search puts the stop file into its folder.

    Raises:
        PulmoError: what training raises; but one that diverges is over.
    """
    remove_drafts(trial.folder.root)
    if state_of(trial.folder) in {"pruned", "diverged"}:
        return

    def on_epoch(epoch: Epoch) -> None:
        listener.watch.on_epoch(epoch)
        if stop_file(trial.folder).exists():
            raise _PrunedError

    try:
        train_run(
            trial.recipe,
            read_manifest(trial.manifest),
            Place(trial.folder, cache_folder(), trial.device),
            listener.watch._replace(on_epoch=on_epoch),
            resume=trial.folder.recipe.exists(),
            on_decode=listener.on_decode,
        )
    except _PrunedError:
        return
    except DivergedError as error:
        write_atomically(diverged_file(trial.folder), f"{error}\n".encode())


def trim(folder: RunFolder) -> None:
    """Removes from a trial's folder what only a winner needs: weights and images' table."""
    shutil.rmtree(folder.last_checkpoint.parent, ignore_errors=True)
    for path in (folder.model, folder.manifest):
        path.unlink(missing_ok=True)
