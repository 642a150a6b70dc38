"""Connections on which nothing happens: how long they are held, and how many there may be.

uvicorn closes a connection that is idle between two requests. It would wait for ever for the header
of a request, for the rest of a body that nobody reads, and for a client that takes no answer.
"""

import asyncio
from typing import Any, ClassVar, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

_WITHOUT_REQUEST: Final = (h11.IDLE, h11.DONE)
"""States of the server's side: no request has come yet, or the last one has its answer."""
_FULL: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\n"
    b"Content-Length: 0\r\n\r\n"
)


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 on a connection that is closed where nothing happens.

    Attributes:
        header_timeout: seconds that the header of a request may take, that the rest of a body may
            come after the answer, and that a client may take nothing of an answer.
        most: connections at once. One more closes the one that has waited for a request for the
            longest time, and is itself refused if all have a request in work.
    """

    header_timeout: ClassVar[float]
    most: ClassVar[int]
    waiting: ClassVar[dict["BoundedProtocol", None]]
    """The connections without a request in work, the one that waits for the longest time first."""

    def __init__(self, *values: Any, **options: Any) -> None:  # noqa: ANN401 - of the library
        super().__init__(*values, **options)
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as there
        """Takes a connection, and makes room for it."""
        super().connection_made(transport)
        if len(self.connections) > self.most:
            self._make_room()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forgets a connection."""
        super().connection_lost(exc)
        self._rest()

    def data_received(self, data: bytes) -> None:
        """Takes what has come; the first bytes after an answer begin a request."""
        if self.timeout_keep_alive_task is not None:
            self._rest()
        super().data_received(data)

    def eof_received(self) -> bool:  # type: ignore[override] # None is False
        """Tells whether a client that ends its side is answered: if it has sent a whole request.

        TLS has no such half of a connection.
        """
        is_whole = self.conn.their_state is h11.DONE and self.conn.our_state is not h11.DONE
        if not is_whole or self.scheme == "https":
            return False
        self.cycle.keep_alive = False
        return True

    def handle_events(self) -> None:
        """Begins or ends to wait by what has come."""
        super().handle_events()
        self._watch()

    def on_response_complete(self) -> None:
        """Waits for the next request."""
        super().on_response_complete()
        self._watch()

    def pause_writing(self) -> None:
        """Waits for a client that takes its answer slowly."""
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        """Goes on with the answer."""
        super().resume_writing()
        self._watch()

    def _make_room(self) -> None:
        if self.waiting:
            oldest = next(iter(self.waiting))
            oldest._rest()  # noqa: SLF001 - of this class
            oldest.transport.abort()
        else:
            self.transport.write(_FULL)
            self.transport.close()

    def _watch(self) -> None:
        """Measures the time while the client is to do something."""
        is_closing = self.transport.is_closing()
        is_idle = not is_closing and self.conn.our_state in _WITHOUT_REQUEST
        if not (is_closing or is_idle or self.flow.write_paused):
            self._rest()
            return
        if is_idle:
            self.waiting.setdefault(self)
        if self._timer is None:
            self._look_again()

    def _look_again(self) -> None:
        left = self.transport.get_write_buffer_size()
        self._timer = self.loop.call_later(self.header_timeout, self._look, left)

    def _look(self, before: int) -> None:
        """Closes the connection, unless the client has taken a part of its answer since."""
        if self.transport.get_write_buffer_size() < before:
            self._look_again()
        else:
            self.transport.abort()

    def _rest(self) -> None:
        """Measures no time."""
        self.waiting.pop(self, None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def bounded_protocol(header_timeout: float, most: int) -> type[BoundedProtocol]:
    """Returns the protocol of one server.

    Args:
        header_timeout: seconds, as in `BoundedProtocol`.
        most: connections at once.
    """
    own = {"header_timeout": header_timeout, "most": most, "waiting": {}}
    return type("BoundedProtocol", (BoundedProtocol,), own)
