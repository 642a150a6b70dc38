"""What the verbs share on the terminal: progress on stderr, results on stdout."""

import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import typer

if TYPE_CHECKING:
    from rich.progress import Progress

Report = Callable[[int, int], None]
"""Is told how much of a stage is done, and how much there is in all; 0 if nobody knows."""

LINE_SECONDS: Final = 30.0
"""Off a terminal a line is written no more often."""

_SECONDS: Final = 0.1
"""A bar is drawn no more often, since a report may come for each of a million files."""


def say(text: str) -> None:
    """Writes a line of progress to stderr; above the bar, if there is one."""
    # typer.echo would write to the bare stream behind rich's, through the bar.
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def chosen_output(given: Path | None, derived: Path) -> Path:
    """Returns where a command writes: the path that was given, else a derived one, and says it."""
    if given is not None:
        return given
    say(f"Without -o this goes to {derived}.")
    return derived


def say_notes(counts: Mapping[str, int], total: int) -> None:
    """Says on stderr how many of `total` images have notes of each kind."""
    from pulmo.radiograph.notes import count_sentence

    for kind, images in counts.items():
        say(f"notes: {count_sentence(kind, images, total)}")


def print_json(value: Any) -> None:  # noqa: ANN401 - whatever JSON can hold
    """Writes one machine-readable value to stdout, in ASCII, which every terminal can carry."""
    typer.echo(json.dumps(value, indent=2))


@contextmanager
def progress(*stages: str, lines: bool = False) -> Iterator[tuple[Report, ...]]:
    """Gives a function for each stage that shows how far it is.

    Off a terminal there is no bar, and nothing is shown but, where `lines` asks for it, a line at
    times.

    Args:
        stages: what is done, one after the other.
        lines: whether a line is written now and then where there is no terminal, for work that
            takes minutes and would be silent else.
    """
    if not sys.stderr.isatty():
        yield tuple(_report_lines(stage) if lines else _show_nothing for stage in stages)
        return
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeRemainingColumn())
    # Lines on stderr go above the bar; redirected like them, results would end up on stderr too.
    with Progress(
        *columns, console=Console(stderr=True), transient=True, redirect_stdout=False
    ) as bar:
        yield tuple(_report(bar, stage) for stage in stages)


@contextmanager
def staged(*stages: str) -> Iterator[Callable[[str, int, int], None]]:
    """Gives one function that shows how far each stage is, called with the stage's name.

    Args:
        stages: what is done, one after the other.
    """
    with progress(*stages) as reports:
        shown = dict(zip(stages, reports, strict=True))
        yield lambda stage, done, total: shown[stage](done, total)


def _report(bar: "Progress", stage: str) -> Report:
    """Returns the function that moves a stage's bar, which appears when the stage begins."""
    task = bar.add_task(stage, total=None, visible=False)
    drawn = -math.inf

    def report(done: int, total: int) -> None:
        nonlocal drawn
        now = monotonic()
        if done == total or now - drawn >= _SECONDS:
            drawn = now
            bar.update(task, completed=done, total=total or None, visible=True)

    return report


def _report_lines(stage: str) -> Report:
    """Returns the function that writes a line about a stage, each time that some time has gone."""
    last = monotonic()

    def report(done: int, total: int) -> None:
        nonlocal last
        now = monotonic()
        if now - last >= LINE_SECONDS:
            last = now
            say(f"{stage}: {done:,} of {total:,}" if total else f"{stage}: {done:,}")

    return report


def _show_nothing(_done: int, _total: int) -> None:
    """Shows no progress."""
