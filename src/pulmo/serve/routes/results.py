"""The results in the folder that the server was started with."""

from pathlib import Path
from typing import Annotated, Final, Literal

from fastapi import APIRouter, HTTPException, Query, Response

from pulmo.serve.access import CallerOf, ServiceOf
from pulmo.serve.errors import described
from pulmo.serve.result_folder import (
    ResultList,
    RunProgress,
    page_of,
    progress_of,
    results_of,
)
from pulmo.serve.service import Service

router = APIRouter(prefix="/v1/results", tags=["results"])

_ERRORS: Final = described(404, 422)

ResultPath = Annotated[
    str, Query(max_length=4096, description="The folder of the result, as the list has it.")
]


def _root(service: Service) -> Path:
    if service.options.results is None:
        raise HTTPException(404)
    return service.options.results


@router.get("", responses=_ERRORS)
def results(service: ServiceOf, _caller: CallerOf) -> ResultList:
    """Lists evaluations, audits, comparisons, inspections and runs, the last changed first."""
    return results_of(_root(service))


@router.get("/run", responses=_ERRORS)
def run(service: ServiceOf, _caller: CallerOf, path: ResultPath) -> RunProgress:
    """Says how far a training is: its epochs so far, and the time that is left."""
    found = progress_of(_root(service), path)
    if found is None:
        raise HTTPException(404)
    return found


@router.get(
    "/page",
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {}}, "description": "The HTML of the page, as text."},
        **_ERRORS,
    },
)
def page(
    service: ServiceOf,
    _caller: CallerOf,
    path: ResultPath,
    kind: Annotated[
        Literal["evaluation", "audit", "comparison", "inspection", "gallery", "features"],
        Query(description="Of the result."),
    ],
) -> Response:
    """Gives the page of a result as text, which no browser runs."""
    found = page_of(_root(service), path, kind)
    if found is None:
        raise HTTPException(404)
    return Response(found, media_type="text/plain; charset=utf-8")
