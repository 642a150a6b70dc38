"""A server in this process; its database is new for each test."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from fixtures.served import PoolHere, client_of, make_service, opened
from pulmo.serve.models import ServedModel
from pulmo.serve.options import ServeOptions
from pulmo.serve.service import Service
from pulmo.serve.worker import Job, worker_of

MakeService = Callable[..., Service]


@pytest.fixture(scope="session")
def served(bundle: Path) -> dict[str, ServedModel]:
    """The models of the server."""
    return opened(bundle)


@pytest.fixture(scope="session")
def work(served: Mapping[str, ServedModel]) -> Callable[[Job], Any]:
    """What a worker does."""
    return worker_of(served)


@pytest.fixture
def make(
    served: Mapping[str, ServedModel], work: Callable[[Job], Any], tmp_path: Path
) -> Iterator[MakeService]:
    """Makes services that work in this process."""
    made: list[Service] = []

    def make_one(*, needs_token: bool = False, **options: Any) -> Service:  # noqa: ANN401 - of their fields
        folder = tmp_path / f"data-{len(made)}"
        given = ServeOptions(**options)
        made.append(make_service(served, folder, PoolHere(work), given, needs_token=needs_token))
        return made[-1]

    yield make_one
    for service in made:
        service.database.close()


@pytest.fixture
def service(make: MakeService) -> Service:
    """A service for this machine alone."""
    return make()


@pytest.fixture
def client(service: Service) -> TestClient:
    """Asks it."""
    return client_of(service)


@pytest.fixture
def done(client: TestClient, image: Path) -> dict[str, Any]:
    """A prediction for the image."""
    answer: dict[str, Any] = client.post("/v1/predictions", content=image.read_bytes()).json()
    return answer
