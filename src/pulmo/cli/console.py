"""What the verbs share on the terminal: progress on stderr, results on stdout."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import typer

Report = Callable[[int, int], None]


def say(text: str) -> None:
    """Writes a line of progress to stderr."""
    typer.echo(text, err=True)


def print_json(value: Any) -> None:  # noqa: ANN401 - whatever JSON can hold
    """Writes one machine-readable object to stdout."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


@contextmanager
def progress(what: str) -> Iterator[Report]:
    """Gives a function that shows how much is done; off a terminal it shows nothing."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
