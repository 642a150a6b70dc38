"""Whether a server keeps what its OpenAPI description says, whatever is sent."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from service_process import serving


class Contract(NamedTuple):
    """What was asked, and what was wrong.

    Attributes:
        examples: for each route.
        routes: that were asked.
        faults: of the answers.
    """

    examples: int
    routes: int
    faults: Sequence[str]


def keep_contract(examples: int) -> Contract:
    """Asks every route so many times, the same on each run."""
    drawn = settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    faults = []
    with serving("--require-token") as server:
        known = {"Authorization": f"Bearer {server.token}"}
        schema = schemathesis.openapi.from_url(f"http://127.0.0.1:{server.port}/openapi.json")
        operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
        for operation in operations:

            @drawn
            @given(case=operation.as_strategy())
            def check(case: Any) -> None:  # noqa: ANN401 - of schemathesis
                case.call_and_validate(headers=known)

            try:
                check()
            except FailureGroup as error:
                said = " ".join("; ".join(map(str, error.exceptions)).split())
                faults.append(f"{operation.label}: {said}")
            print(f"{operation.label}: {len(faults)} faults so far", flush=True)
    return Contract(examples, len(operations), faults)
