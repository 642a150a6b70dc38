"""What is refused before a route is asked: foreign hosts and pages, and what comes too late."""

from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from pulmo.serve.errors import STATUS, error_response

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_ALWAYS: Final = frozenset({"/healthz", "/readyz"})
"""Paths that are answered while the server stops."""


class Guards:
    """An ASGI application in front of another one."""

    def __init__(self, app: ASGIApp, hosts: Sequence[str], is_stopping: Callable[[], bool]) -> None:
        """Takes what it decides by.

        Args:
            app: what is asked if nothing is refused.
            hosts: the names by which the server may be called; empty for any.
            is_stopping: returns whether no request is begun any more.
        """
        self._app, self._hosts = app, frozenset(name.lower() for name in hosts)
        self._is_stopping = is_stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, or says why not."""
        refused = self._refusal(scope) if scope["type"] == "http" else None
        if refused is None:
            await self._app(scope, receive, send)
            return
        code, message = refused
        request_id = scope["state"]["request_id"]
        await error_response(STATUS[code], code, message, request_id)(scope, receive, send)

    def _refusal(self, scope: Scope) -> tuple[str, str] | None:
        headers = Headers(scope=scope)
        # A page of another name that resolves to this machine would be of the same origin.
        if self._hosts and host_of(headers.get("host", "")) not in self._hosts:
            return "host-unknown", "The server is not called so. Ask it by its own name."
        if scope["method"] not in _SAFE and not _is_own(headers):
            return "origin-foreign", "A page of another origin cannot ask for this."
        if self._is_stopping() and scope["path"] not in _ALWAYS:
            return "server-stopping", "The server stops. Ask again later."
        return None


def host_of(text: str) -> str:
    """Returns the name in a Host header, without its port; blank if it is none."""
    try:
        return urlsplit(f"//{text}").hostname or ""
    except ValueError:
        return ""


def _is_own(headers: Headers) -> bool:
    """Tells whether no page asks, or one that this server gave."""
    if headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
        return False
    origin = headers.get("origin")
    return origin is None or origin.partition("://")[2].lower() == headers.get("host", "").lower()
