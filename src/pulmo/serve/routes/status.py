"""Whether the server works, what it counts, and its documentation."""

from pathlib import Path
from typing import Final, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse
from prometheus_client import CONTENT_TYPE_LATEST

from pulmo.core.errors import PulmoError
from pulmo.core.record import Record
from pulmo.serve.access import CallerOf, ServiceOf
from pulmo.serve.documents import routes_page
from pulmo.serve.errors import ErrorBody, described

router = APIRouter(tags=["status"])

_STYLE: Final = Path(__file__).parents[1] / "docs.css"


class Health(Record):
    """That the server answers."""

    status: Literal["ok"]


class Readiness(Record):
    """That the server classifies images."""

    status: Literal["ready"]


@router.get("/healthz")
async def health() -> Health:
    """Says that the server answers."""
    return Health(status="ok")


@router.get("/readyz", responses={503: {"model": ErrorBody}})
async def ready(service: ServiceOf) -> Readiness:
    """Says whether images are classified: a worker has opened the models, and nothing stops."""
    if service.stopping:
        raise PulmoError("server-stopping", "The server stops. Ask again later.")
    if not service.pool.ready:
        raise PulmoError("server-starting", "No worker process has opened the models yet.")
    return Readiness(status="ready")


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {}}, "description": "The text format of Prometheus."},
        **described(),
    },
)
async def metrics(service: ServiceOf, _caller: CallerOf) -> Response:
    """Gives what the server counts."""
    return Response(service.metrics.text(), media_type=CONTENT_TYPE_LATEST)


@router.get("/docs", include_in_schema=False)
async def docs(request: Request) -> Response:
    """Gives the documentation of all routes as a page."""
    return Response(routes_page(request.app.openapi()), media_type="text/html")


@router.get("/docs.css", include_in_schema=False)
async def style() -> Response:
    """Gives the style sheet of the documentation and of model cards."""
    return FileResponse(_STYLE)
