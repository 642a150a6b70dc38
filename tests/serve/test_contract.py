"""Every route keeps what OpenAPI says of it, whatever is sent."""

from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
import torch
from hypothesis import HealthCheck, given, settings
from schemathesis.core.result import Ok
from starlette.testclient import TestClient

from pulmo.serve.app import make_app
from pulmo.serve.body import MOST_FILES
from pulmo.serve.service import Service
from pulmo.serve.tokens import create_token

MakeService = Callable[..., Service]

QUICKLY = settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(autouse=True)
def _small_numbers() -> None:
    """hypothesis refuses to draw numbers where a training has switched the smallest ones off."""
    torch.set_flush_denormal(False)


def test_routes_keep_their_contract(make: MakeService) -> None:
    service = make(needs_token=True)
    known = {"Authorization": f"Bearer {create_token(service.database, 'anna')}"}
    schema = schemathesis.openapi.from_asgi("/openapi.json", make_app(service))
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    assert len(operations) >= 16
    for operation in operations:

        @QUICKLY
        @given(case=operation.as_strategy())
        def check(case: Any) -> None:  # noqa: ANN401 - of schemathesis
            case.call_and_validate(headers=known)

        check()


def test_an_empty_body_and_a_form_without_files_are_ruled_out(client: TestClient) -> None:
    routes = client.get("/openapi.json").json()["paths"]
    described = routes["/v1/predictions"]["post"]["requestBody"]
    kinds = {kind: content["schema"] for kind, content in described["content"].items()}
    files = kinds.pop("multipart/form-data")["properties"]["file"]
    assert (files["minItems"], files["maxItems"]) == (1, MOST_FILES)
    assert [schema["minLength"] for schema in kinds.values()] == [1, 1, 1]
