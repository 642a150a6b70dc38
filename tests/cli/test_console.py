import io
import sys
from queue import Queue
from threading import active_count

import pytest
import typer
from rich.progress import Progress

from pulmo.cli import console
from pulmo.cli.console import print_json, progress, say


class Terminal(io.TextIOWrapper):
    """A stream with a buffer, as the real ones have, that says that it is a terminal."""

    def __init__(self) -> None:
        self.written = io.BytesIO()
        super().__init__(self.written, "utf-8", write_through=True)

    def isatty(self) -> bool:
        return True


def test_progress_off_a_terminal_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("reading", "training") as (reading, training):
        reading(1, 2)
        training(1, 3)
    assert capsys.readouterr() == ("", "")


def test_long_work_off_a_terminal_writes_lines_even_while_it_reports_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines: Queue[str] = Queue()
    before = active_count()
    monkeypatch.setattr(console, "LINE_SECONDS", 0.001)
    monkeypatch.setattr(console, "say", lines.put)
    with progress("reading", "comparing", lines=True) as (_, comparing):
        assert lines.get(timeout=10).startswith("reading, after ")
        comparing(2000, 5000)
        assert any(
            lines.get(timeout=10).startswith("comparing: 2,000 of 5,000, after ")
            for _ in range(10000)
        )
    assert active_count() == before


def test_progress_on_a_terminal_shows_the_stages_that_began(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out, err = Terminal(), Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    for name, value in {"TERM": "xterm", "COLUMNS": "100"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_COLOR", raising=False)
    with progress("reading", "training") as (reading, _):
        reading(1, 2)
        say("a line above the bar")
        typer.echo("a result")
        reading(2, 2)
    shown = err.written.getvalue().decode()
    assert "reading" in shown
    assert "2/2" in shown
    assert "\x1b[2Ka line above the bar\n" in shown  # the bar was erased first
    assert "training" not in shown
    assert out.written.getvalue() == b"a result\n"
    assert sys.stderr is err


def test_json_is_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"file": "é\udcff"})
    assert capsys.readouterr().out == '{\n  "file": "\\u00e9\\udcff"\n}\n'


def terminal_as_stderr(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Not a fixture: pytest puts its own stderr in place before the test."""
    err = Terminal()
    monkeypatch.setattr(sys, "stderr", err)
    for name, value in {"TERM": "xterm", "COLUMNS": "100"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_COLOR", raising=False)
    return err


def test_an_unknown_total_is_shown_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = terminal_as_stderr(monkeypatch)
    with progress("finding") as (finding,):
        finding(7, 0)
    assert "7/?" in terminal.written.getvalue().decode()


def test_a_bar_is_not_drawn_for_every_report(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal_as_stderr(monkeypatch)
    now = 100.0
    drawn: list[int] = []
    monkeypatch.setattr("pulmo.cli.console.monotonic", lambda: now)
    monkeypatch.setattr(Progress, "update", lambda *_, completed, **__: drawn.append(completed))
    with progress("finding", "reading") as (finding, reading):
        for done in range(1, 11):
            finding(done, 0)
        now = 100.2
        finding(11, 0)
        for done in range(1, 11):
            reading(done, 10)
    assert drawn == [1, 11, 1, 10]
