"""A PACS, and nodes in this process."""

import gc
import logging
import shutil
import subprocess
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures.node import Node, TakingPeer
from fixtures.orthanc import Orthanc
from pulmo.core.shipped import shipped_bundle
from pulmo.node.quiet import silence_libraries

MakeNode = Callable[..., Node]


@pytest.fixture(scope="session", autouse=True)
def _silent_libraries() -> Iterator[None]:
    """Has the libraries of DICOM log nothing until after these tests."""
    names = ("pynetdicom", "pydicom", "dicomweb_client", "highdicom")
    loggers = [logging.getLogger(name) for name in names]
    before = [(each.handlers, each.propagate) for each in loggers]
    with warnings.catch_warnings():
        silence_libraries()
    yield
    for each, (handlers, propagate) in zip(loggers, before, strict=True):
        each.handlers, each.propagate = handlers, propagate


@pytest.fixture(scope="session")
def one_orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    """An Orthanc for all tests of a worker."""
    made = Orthanc(tmp_path_factory.mktemp("orthanc"))
    made.start()
    yield made
    made.kill()


@pytest.fixture
def orthanc(one_orthanc: Orthanc) -> Orthanc:
    """An Orthanc that has nothing."""
    one_orthanc.clear()
    return one_orthanc


@pytest.fixture
def make_node(tmp_path: Path) -> Iterator[MakeNode]:
    """Makes nodes, which are ended after the test."""
    made: list[Node] = []

    def make(**options: Any) -> Node:  # noqa: ANN401 - of their fields
        made.append(Node(tmp_path / f"data-{len(made)}", **options))
        return made[-1]

    yield make
    for node in made:
        node.close()


@pytest.fixture
def peer() -> Iterator[TakingPeer]:
    """A node that takes everything."""
    made = TakingPeer()
    yield made
    made.close()


@pytest.fixture(scope="module", autouse=True)
def _collected() -> Iterator[None]:
    """Collects what these tests left, before others could be blamed for it."""
    yield
    gc.collect()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Takes no offence at the sockets of failed connections, which pynetdicom leaves open."""
    ignored = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(ignored)


@pytest.fixture(scope="session")
def model() -> Path:
    """The model that comes with pulmo."""
    found = shipped_bundle()
    if found is None:
        pytest.skip("no model comes with this copy of pulmo")
    return found


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of this machine, which is its own authority, and its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl, which makes the certificate, is not installed")
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj",
         "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
         "-keyout", key, "-out", cert],
        check=True, capture_output=True,
    )  # fmt: skip
    return cert, key
