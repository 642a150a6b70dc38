"""The application: routes, errors as JSON, the documentation and the page."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

import pulmo
from pulmo.core.errors import PulmoError
from pulmo.serve.errors import error_response, status_of
from pulmo.serve.frame import Frame
from pulmo.serve.guards import Guards
from pulmo.serve.routes import images, models, predictions, results, status
from pulmo.serve.service import Service

PAGE: Final = Path(__file__).with_name("page")
"""The page, whose files are served as they are."""

_ABOUT: Final = (
    "Classifies chest X-rays with the models that the server was started with. For research, not "
    "diagnosis. Where the server can be reached from other machines, each call needs a token: "
    "`Authorization: Bearer TOKEN`."
)


def make_app(service: Service, hosts: Sequence[str] = ()) -> ASGIApp:
    """Returns the application of a service.

    Args:
        service: what the routes ask.
        hosts: the names by which the server may be called; empty for any.
    """
    app = FastAPI(
        title="pulmo",
        version=pulmo.__version__,
        description=_ABOUT,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.service = service
    for routes in (predictions, images, models, results, status):
        app.include_router(routes.router)
    app.add_exception_handler(PulmoError, _on_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_fault)
    # After the routes, because it takes every path.
    app.mount("/", _Page(directory=PAGE, html=True), name="page")
    return Frame(Guards(app, hosts, lambda: service.stopping), service.metrics)


class _Page(StaticFiles):
    """The files of the page, which a browser asks for again when it shows them."""

    def file_response(self, *values: Any, **options: Any) -> Response:  # noqa: ANN401 - the library's
        """Returns the answer with a file."""
        response = super().file_response(*values, **options)
        response.headers["Cache-Control"] = "no-cache"
        return response


def _on_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, PulmoError)  # noqa: S101 - for the type
    return error_response(status_of(error), error.code, str(error), request.state.request_id)


def _on_invalid(request: Request, error: Exception) -> Response:
    """Says which parameter is invalid, and not which value it has."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - for the type
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:])
    message = f"The parameter {where} is invalid: {first['msg']}."
    return error_response(422, "request-invalid", message, request.state.request_id)


def _on_fault(request: Request, _error: Exception) -> Response:
    """Says that it is a fault of pulmo; its words may quote the request."""
    return error_response(500, "internal-error", "An error in pulmo.", request.state.request_id)


_HTTP: Final = {
    404: ("route-unknown", "There is nothing at this address."),
    405: ("method-not-allowed", "This address has no such method."),
}


def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - for the type
    code, message = _HTTP.get(error.status_code, ("request-invalid", "The request is invalid."))
    return error_response(error.status_code, code, message, request.state.request_id, error.headers)
