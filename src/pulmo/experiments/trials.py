"""The trials of a search: runs that may be ended early, their table, and what is kept of them."""

import csv
import io
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from optuna import Study

from pulmo.bundle.card import Epoch
from pulmo.core.errors import DivergedError
from pulmo.core.files import read_bytes, remove_drafts, write_atomically
from pulmo.core.folders import RunFolder, SearchFolder
from pulmo.core.recipe import Recipe
from pulmo.datasets.cache import cache_folder
from pulmo.datasets.manifest import read_manifest
from pulmo.experiments.search_space import Scalar
from pulmo.report.markdown import markdown_table
from pulmo.train.callbacks import Callbacks
from pulmo.train.run import Place, train_run

State = Literal["running", "complete", "pruned", "diverged"]


class _PrunedError(Exception):
    """The search has ended the trial early."""


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


def prune_file(folder: RunFolder) -> Path:
    """Returns the file that ends a trial early."""
    return folder.root / "pruned"


def _diverged_file(folder: RunFolder) -> Path:
    """Returns the file with the reason why the training of a trial failed."""
    return folder.root / "diverged.txt"


def state_of(folder: RunFolder) -> State:
    """Returns how far a trial is."""
    if folder.card.exists():
        return "complete"
    if _diverged_file(folder).exists():
        return "diverged"
    return "pruned" if prune_file(folder).exists() else "running"


def history_of(folder: RunFolder) -> list[Epoch]:
    """Returns the finished epochs of a trial."""
    if not folder.history.exists():
        return []
    lines = read_bytes(folder.history).decode().splitlines()
    return [Epoch.model_validate_json(line) for line in lines]


def do_trial(trial: TrialRun, callbacks: Callbacks) -> None:
    """Trains a trial to its end, or until the search writes its prune file.

    Raises:
        PulmoError: what training raises, except that it diverged.
    """
    remove_drafts(trial.folder.root)
    if state_of(trial.folder) in {"pruned", "diverged"}:
        return

    def on_epoch(epoch: Epoch) -> None:
        callbacks.on_epoch(epoch)
        if prune_file(trial.folder).exists():
            raise _PrunedError

    try:
        train_run(
            trial.recipe,
            read_manifest(trial.manifest),
            Place(trial.folder, cache_folder(), trial.device),
            callbacks._replace(on_epoch=on_epoch),
            resume=trial.folder.recipe.exists(),
        )
    except _PrunedError:
        return
    except DivergedError as error:
        write_atomically(_diverged_file(trial.folder), f"{error}\n".encode())


class TrialRow(NamedTuple):
    """A trial in the table.

    Attributes:
        number: its number, from 0.
        state: how it ended.
        val_loss: the lowest validation loss; None before the first epoch's end.
        best_epoch: its epoch, from 1.
        epochs: finished epochs.
        minutes: time spent on training steps.
        tried: key -> value.
    """

    number: int
    state: State
    val_loss: float | None
    best_epoch: int | None
    epochs: int
    minutes: float
    tried: Mapping[str, Scalar]

    @property
    def loss(self) -> str:
        """The lowest validation loss as text."""
        return "-" if self.val_loss is None else f"{self.val_loss:.4f}"


def list_trials(study: Study, folder: SearchFolder) -> list[TrialRow]:
    """Returns the trials in the order in which they began."""
    rows = []
    for trial in study.get_trials(deepcopy=False):
        run = folder.trial(trial.number)
        history = history_of(run)
        best = min(history, key=lambda epoch: epoch.val_loss, default=None)
        rows.append(
            TrialRow(
                trial.number,
                state_of(run),
                best.val_loss if best else None,
                best.epoch if best else None,
                len(history),
                sum(epoch.seconds for epoch in history) / 60,
                trial.params,
            )
        )
    return rows


def best_of(rows: Sequence[TrialRow]) -> TrialRow | None:
    """Returns the trial with the lowest validation loss among those that are complete."""
    complete = [row for row in rows if row.state == "complete"]
    return min(complete, key=lambda row: (row.val_loss, row.number), default=None)


def trials_text(rows: Sequence[TrialRow], keys: Sequence[str]) -> str:
    """Returns trials as a table in Markdown.

    Args:
        rows: the trials.
        keys: the keys whose values are shown.
    """
    heading = ["Trial", "State", "Validation loss", "Best epoch", "Epochs", "Minutes", *keys]
    return markdown_table([heading, *(_cells(row, keys) for row in rows)])


def keep_best(study: Study, folder: SearchFolder) -> None:
    """Writes the table and the best recipe, and removes the weights of the other trials."""
    rows = list_trials(study, folder)
    best = best_of(rows)
    write_atomically(folder.table, _csv(rows).encode())
    if best:
        write_atomically(folder.best, read_bytes(folder.trial(best.number).recipe))
    for row in rows:
        if row.state != "running" and row is not best:
            _trim(folder.trial(row.number))


def _trim(folder: RunFolder) -> None:
    """Removes from a trial's folder what only the best one needs: the weights and the manifest."""
    shutil.rmtree(folder.last_checkpoint.parent, ignore_errors=True)
    for path in (folder.model, folder.manifest):
        path.unlink(missing_ok=True)


def _cells(row: TrialRow, keys: Sequence[str]) -> list[str]:
    values = [row.tried.get(key) for key in keys]
    return [
        str(row.number),
        row.state,
        row.loss,
        "-" if row.best_epoch is None else str(row.best_epoch),
        str(row.epochs),
        f"{row.minutes:.1f}",
        *(f"{value:.3g}" if isinstance(value, float) else str(value) for value in values),
    ]


def _csv(rows: Sequence[TrialRow]) -> str:
    keys = list(dict.fromkeys(key for row in rows for key in row.tried))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*TrialRow._fields[:-1], *keys])
    for row in rows:
        writer.writerow([*row[:-1], *(row.tried.get(key) for key in keys)])
    return text.getvalue()
