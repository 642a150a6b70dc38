"""What the verbs share on the terminal: progress on stderr, results on stdout."""

import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import typer

if TYPE_CHECKING:
    from rich.progress import Progress

Report = Callable[[int, int], None]
"""Takes how much of a stage is done, and how much there is in all; 0 if that is not known."""

LINE_SECONDS: Final = 30.0
"""Off a terminal a line of progress is written this often."""

_SECONDS: Final = 0.1
"""A bar is drawn no more often, since a report may come for each of a million files."""


def say(text: str) -> None:
    """Writes a line of progress to stderr; above the bar, if there is one."""
    # typer.echo would write to the bare stream behind rich's, through the bar.
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def chosen_output(given: Path | None, derived: Path) -> Path:
    """Returns the path that was given; without one the derived path, which it names."""
    if given is not None:
        return given
    say(f"No -o was given. The output is {derived}.")
    return derived


def say_lines(lines: Iterable[str], kind: str = "") -> None:
    """Writes lines to stderr, each behind its kind, such as `warning`, if it has one."""
    for line in lines:
        say(f"{kind}: {line}" if kind else line)


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

    On a terminal it is a bar. Elsewhere nothing is shown, or a line every 30 seconds.

    Args:
        stages: what is done, one after the other.
        lines: whether lines are written where there is no terminal, for work that takes minutes.
    """
    if not sys.stderr.isatty():
        if lines:
            with _lines(stages) as reports:
                yield reports
        else:
            yield tuple(_show_nothing for _ in stages)
        return
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    rate = TextColumn("{task.fields[rate]}")
    columns = (
        *Progress.get_default_columns()[:2],
        MofNCompleteColumn(),
        rate,
        TimeRemainingColumn(),
    )
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
    task = bar.add_task(stage, total=None, visible=False, rate="")
    pace = _Pace()
    drawn = -math.inf

    def report(done: int, total: int) -> None:
        nonlocal drawn
        now = monotonic()
        if done == total or now - drawn >= _SECONDS:
            drawn = now
            rate = pace.rate(done)
            shown = "" if rate is None else f"{rate:,.3g}/s"
            bar.update(task, completed=done, total=total or None, visible=True, rate=shown)

    return report


@contextmanager
def _lines(stages: Sequence[str]) -> Iterator[tuple[Report, ...]]:
    """Writes a line every `LINE_SECONDS`, also while a stage reports nothing."""
    state, over, began = stages[0], Event(), monotonic()
    paces = {stage: _Pace() for stage in stages}

    def report(stage: str, done: int, total: int) -> None:
        nonlocal state
        rate = paces[stage].rate(done)
        state = f"{stage}: {done:,} of {total:,}" if total else f"{stage}: {done:,}"
        if total and rate:
            left = timedelta(seconds=round((total - done) / rate))
            state += f", {rate:,.3g} a second, {left} left"

    def write() -> None:
        while not over.wait(LINE_SECONDS):
            say(f"{state}, after {monotonic() - began:,.0f} s")

    writer = Thread(target=write, daemon=True)
    writer.start()
    try:
        yield tuple(partial(report, stage) for stage in stages)
    finally:
        over.set()
        writer.join()


class _Pace:
    """How fast a stage goes, from its first report on: a resumed one begins with something done."""

    def __init__(self) -> None:
        self._first: tuple[float, int] | None = None

    def rate(self, done: int) -> float | None:
        """Returns what was done a second; None at the first report."""
        now = monotonic()
        if self._first is None:
            self._first = now, done
        since, begun = self._first
        return (done - begun) / (now - since) if now > since and done > begun else None


def _show_nothing(_done: int, _total: int) -> None:
    """Shows no progress."""
