"""The trials of a search as a table, and what is kept of them."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from optuna import Study

from pulmo.core.files import read_bytes, write_atomically
from pulmo.core.folders import SearchFolder
from pulmo.experiments.search_space import Scalar
from pulmo.experiments.trial import State, history_of, state_of, trim


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
    """Returns the trial with the lowest validation loss among those that came to their end."""
    complete = [row for row in rows if row.state == "complete"]
    return min(complete, key=lambda row: (row.val_loss, row.number), default=None)


def keep_best(study: Study, folder: SearchFolder) -> None:
    """Writes the table and the best recipe, and removes the weights of the trials that lost."""
    rows = list_trials(study, folder)
    best = best_of(rows)
    write_atomically(folder.table, _csv(rows).encode())
    if best:
        write_atomically(folder.best, read_bytes(folder.trial(best.number).recipe))
    for row in rows:
        if row.state != "running" and row is not best:
            trim(folder.trial(row.number))


def _csv(rows: Sequence[TrialRow]) -> str:
    keys = list(dict.fromkeys(key for row in rows for key in row.tried))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*TrialRow._fields[:-1], *keys])
    for row in rows:
        writer.writerow([*row[:-1], *(row.tried.get(key) for key in keys)])
    return text.getvalue()
