"""The command, called in this process, and a manifest for it."""

import signal
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
import typer.main

from pulmo.cli.app import main
from pulmo.datasets.manifest import Manifest

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="session", autouse=True)
def _one_tree_of_verbs() -> Iterator[None]:
    """Reads the signatures of all verbs once a process, as the command itself does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.main, "get_command", cache(typer.main.get_command))
        yield


@pytest.fixture
def pulmo(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Calls the command; gives its exit status and what it wrote to stdout and stderr."""

    def call(*words: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["pulmo", *map(str, words)])
        before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
        capsys.readouterr()
        try:
            with pytest.raises(SystemExit) as stopped:
                main()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        out, err = capsys.readouterr()
        return int(stopped.value.code or 0), out, err

    return call


@pytest.fixture(autouse=True)
def _learners(hasty_learners: None) -> None:
    """Trains the baselines of an audit in haste."""


@pytest.fixture(autouse=True)
def _figures(request: pytest.FixtureRequest) -> None:
    """Leaves figures blank, but for tests that are marked."""
    if not request.node.get_closest_marker("rendered"):
        request.getfixturevalue("blank_figures")


@pytest.fixture
def manifest(images: pd.DataFrame, tmp_path: Path) -> Path:
    """The images' manifest as a file."""
    path = tmp_path / "images.parquet"
    Manifest(images).save(path)
    return path
