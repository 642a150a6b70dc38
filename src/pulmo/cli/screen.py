"""pulmo screen."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from pulmo.cli.console import progress, say
from pulmo.cli.model import ModelOption, one_model, split_model
from pulmo.cli.names import names_of
from pulmo.cli.options import Output, takes_options
from pulmo.cli.training import stop_with_checkpoint
from pulmo.workflows.options.screening import ScreenOptions

if TYPE_CHECKING:
    from pulmo.workflows.screening_record import ScreeningRecord


@takes_options
def screen(
    output: Output,
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[BUNDLE] FILES",
            help="The bundle, if --model does not name it, and the images: files, folders, "
            "patterns such as 'archive/**/*.dcm', manifests, or - for names on standard input, "
            "one a line. Nothing with --resume.",
        ),
    ] = None,
    model: ModelOption = None,
    *,
    options: ScreenOptions,
) -> None:
    """Classify an archive of any size into one table. For research, not diagnosis.

    It writes results.parquet with a row for each file: its status, the reason for an error or a
    refusal, the probabilities, the decision and the notes.
    """
    from pulmo.workflows.screen import ScreenCallbacks
    from pulmo.workflows.screen import screen as screen_all

    chosen, words = split_model(files, model) if files else (model, [])
    if not (options.resume and chosen is None):
        chosen = one_model(None, chosen)
    with progress("screening", lines=True) as (report,), stop_with_checkpoint() as stop:
        callbacks = ScreenCallbacks(report, stop.is_set)
        done = screen_all(chosen, names_of(words), output, options, callbacks)
    for line in _lines(done.record):
        say(line)
    typer.echo(f"{done.folder.results}")


def _lines(record: "ScreeningRecord") -> list[str]:
    """Returns what people read of a screening."""
    lines = [f"{record.files:,} files: {_counted(record.status)}"]
    lines += [f"without a result: {_counted(record.codes)}"] if record.codes else []
    if record.decisions:
        lines += [f"decisions: {_counted(record.decisions)}; positive: {record.positive:,}"]
    lines += [f"notes: {_counted(record.note_kinds)}"] if record.note_kinds else []
    return [*lines, record.notice]


def _counted(counts: Mapping[str, int]) -> str:
    """Returns counts as words, the most frequent first."""
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return ", ".join(f"{count:,} {name}" for name, count in ordered)
