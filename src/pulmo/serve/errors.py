"""Errors as HTTP answers: the status that each code has, and the JSON body."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from starlette.responses import JSONResponse

from pulmo.core.errors import PulmoError, UsageError
from pulmo.core.record import Record
from pulmo.serve.examples import ERROR, shown

STATUS: Final[Mapping[str, int]] = MappingProxyType({
    "body-cut": 400,
    "body-empty": 400,
    "multipart-invalid": 400,
    "multipart-without-files": 400,
    "token-missing": 401,
    "token-unknown": 401,
    "origin-foreign": 403,
    "model-unknown": 404,
    "prediction-unknown": 404,
    "body-too-slow": 408,
    "prediction-without-result": 409,
    "image-not-kept": 410,
    "body-too-large": 413,
    "host-unknown": 421,
    "server-busy": 429,
    "database-locked": 503,
    "server-starting": 503,
    "server-stopping": 503,
    "image-too-slow": 504,
    "disk-full": 507,
})  # fmt: skip
"""Code of an error -> status. An error of the caller has 422 otherwise, and any other 500."""

_HEADERS: Final[Mapping[int, Mapping[str, str]]] = MappingProxyType({
    401: {"WWW-Authenticate": "Bearer"},
    # What is left of a body that was not read would be taken for the next request.
    408: {"Connection": "close"},
    413: {"Connection": "close"},
    429: {"Retry-After": "1"},
    503: {"Retry-After": "5"},
})  # fmt: skip


class ErrorDetail(Record):
    """Why there is no answer."""

    code: str
    """What went wrong, in kebab case; programs rely on it."""
    message: str
    """The same as a sentence for people."""
    request_id: str
    """The id of the request, which is in the log too."""


class ErrorBody(Record):
    """The body of every answer with a status of 400 or more."""

    model_config = shown(ERROR)

    error: ErrorDetail


def status_of(error: PulmoError) -> int:
    """Returns the HTTP status of an error."""
    return STATUS.get(error.code, 422 if isinstance(error, UsageError) else 500)


def error_response(
    status: int, code: str, message: str, request_id: str, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Returns the answer that says what went wrong."""
    detail = ErrorDetail(code=code, message=message, request_id=request_id)
    more = {**_HEADERS.get(status, {}), **(headers or {})}
    return JSONResponse(ErrorBody(error=detail).model_dump(), status, more)


def described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Returns what OpenAPI says of the errors of a route."""
    return {status: {"model": ErrorBody} for status in (401, *statuses)}
