"""What the image of the container is made of, and its health check."""

import importlib.util
import re
import socket
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from fixtures.served import speaking
from pulmo.serve.service import Service

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def healthcheck() -> ModuleType:
    spec = importlib.util.spec_from_file_location("healthcheck", ROOT / "deploy/healthcheck.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_server_is_healthy_while_it_answers(
    healthcheck: ModuleType, make: Callable[..., Service]
) -> None:
    with speaking(make()) as (_, connect):
        port = connect().getpeername()[1]
        assert healthcheck.answers(port)
    assert not healthcheck.answers(port)


def test_what_takes_connections_and_says_nothing_is_not(
    healthcheck: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(healthcheck, "SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert not healthcheck.answers(listener.getsockname()[1])


def test_the_builder_gets_what_the_image_copies() -> None:
    copied = re.findall(
        r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE
    )
    sources = {source for each in copied for source in each.split()}
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert sources == {line[1:] for line in lines if line.startswith("!")}
    assert all((ROOT / source).exists() for source in sources)


def test_the_image_has_the_versions_that_are_tested() -> None:
    files = (ROOT / f"requirements/{name}.txt" for name in ("serve", "dev"))
    served, tested = (set(file.read_text().splitlines()) for file in files)
    assert len(served) > 40
    assert served <= tested
