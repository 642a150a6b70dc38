"""Reading a request's body, within limits of bytes and of time."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from pulmo.core.errors import InputError

MOST_FILES: Final = 100
"""Files of a form at most."""

_MOST_FIELDS: Final = 16


class ArrivingBodies:
    """The bodies that are awaited, of which the oldest is given up for a request that waits."""

    def __init__(self, patience: float) -> None:
        """Awaits nothing yet.

        Args:
            patience: seconds for which no body is given up.
        """
        self._patience = patience
        self._begun: dict[asyncio.Timeout, float] = {}

    @asynccontextmanager
    async def within(self, seconds: float) -> AsyncIterator[None]:
        """Awaits a body for so long.

        Raises:
            TimeoutError: it was not there in time, or was given up.
        """
        async with asyncio.timeout(seconds) as timeout:
            self._begun[timeout] = asyncio.get_running_loop().time()
            try:
                yield
            finally:
                self._begun.pop(timeout, None)

    def give_up_one(self) -> bool:
        """Gives up the oldest body if it has had its time; returns whether there was one."""
        oldest, now = next(iter(self._begun), None), asyncio.get_running_loop().time()
        if oldest is None or oldest.expired() or now - self._begun[oldest] < self._patience:
            return False
        del self._begun[oldest]
        oldest.reschedule(now)
        return True


class BodyLimits(NamedTuple):
    """What a body may take.

    Attributes:
        size: bytes.
        seconds: until it is there.
        arriving: knows the bodies that are awaited, and may give one up.
    """

    size: int
    seconds: float
    arriving: ArrivingBodies


class _Form(MultiPartParser):
    """Keeps what was sent in memory, for no image is written to a disk, and knows its end."""

    spool_max_size = 2**62

    def __init__(self, request: Request, chunks: AsyncGenerator[bytes, None]) -> None:
        super().__init__(
            request.headers, self._whole(chunks), max_files=MOST_FILES, max_fields=_MOST_FIELDS
        )
        self._ended = False

    def on_end(self) -> None:
        """Notes that the last boundary was there."""
        self._ended = True

    async def _whole(self, chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        async for chunk in chunks:
            yield chunk
        # The parser would leave out a file that was cut off.
        if not self._ended:
            raise MultiPartException("It ends early.")


async def read_images(request: Request, limits: BodyLimits) -> list[bytes] | bytes:
    """Returns the bytes of one image, or those of all files of a form.

    The names of the files are not looked at.

    Raises:
        InputError: the body is empty, too large, too slow, cut off, or a form that cannot be read
            or has no file.
    """
    try:
        async with limits.arriving.within(limits.seconds):
            if _is_form(request):
                return await _files(request, limits.size)
            data = b"".join([chunk async for chunk in _chunks(request, limits.size)])
    except TimeoutError:
        raise InputError(
            "body-too-slow",
            f"The body of the request was not there after {limits.seconds:g} seconds, or not after "
            "a shorter time when others waited.",
        ) from None
    except ClientDisconnect:
        raise InputError("body-cut", "The connection ended before the body did.") from None
    if not data:
        raise InputError(
            "body-empty", "The request has no body. The bytes of an image belong there."
        )
    return data


def _is_form(request: Request) -> bool:
    kind = request.headers.get("content-type", "")
    return kind.partition(";")[0].strip().lower() == "multipart/form-data"


async def _files(request: Request, size: int) -> list[bytes]:
    try:
        form = await _Form(request, _chunks(request, size)).parse()
    except MultiPartException as error:
        raise InputError(
            "multipart-invalid", f"The multipart body cannot be read: {error.message}"
        ) from None
    try:
        files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
        if not files:
            raise InputError("multipart-without-files", "The multipart body has no file.")
        return [await file.read() for file in files]
    finally:
        await form.close()


async def _chunks(request: Request, size: int) -> AsyncGenerator[bytes, None]:
    """Yields a body in parts; one that is too large is not read to its end."""
    stated = request.headers.get("content-length", "0")
    read = int(stated) if stated.isdecimal() else 0
    _check(read, size)
    read = 0
    async for chunk in request.stream():
        read += len(chunk)
        _check(read, size)
        yield chunk


def _check(read: int, size: int) -> None:
    if read > size:
        raise InputError(
            "body-too-large",
            f"The body of the request has more than {size / 2**20:,.0f} MiB.",
        )
