"""Hostile clients and workers that fail, each while another client asks for predictions."""

import asyncio
import os
import signal
import socket
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Final, NamedTuple

import service_bodies
from service_process import (
    PREDICT,
    Answer,
    Server,
    answer_of,
    ask,
    closed,
    request,
    values_of,
)

_MIB: Final = 2**20
HEADER_TIMEOUT: Final = 2
BODY_TIMEOUT: Final = 8
TIMEOUT: Final = 5
CONNECTIONS: Final = 256
QUEUE: Final = 16
OPTIONS: Final = (
    "--header-timeout", str(HEADER_TIMEOUT), "--body-timeout", str(BODY_TIMEOUT), "--timeout",
    str(TIMEOUT), "--connections", str(CONNECTIONS), "--queue", str(QUEUE),
)  # fmt: skip
"""Short limits, so that the benchmark does not wait for the long ones."""
_GIVES_UP: Final = 30.0
"""Seconds after which a client of the benchmark stops waiting."""
BUSY: Final = frozenset({201, 429})
LOST: Final = frozenset({201, 500})
LATE: Final = frozenset({201, 504})
Attack = Callable[[Server], Awaitable[str]]


class Case(NamedTuple):
    """Something hostile.

    Attributes:
        name: what it is.
        expected: what is to come of it.
        attack: does it, and returns what came of it.
        others: statuses that another client may have meanwhile.
    """

    name: str
    expected: str
    attack: Attack
    others: frozenset[int] = frozenset({201})


class Outcome(NamedTuple):
    """What became of a case and of the other client.

    Attributes:
        case: the case.
        found: what came of it.
        others: statuses of the other client meanwhile, and afterwards.
        longest: seconds of its slowest request.
    """

    case: Case
    found: str
    others: Counter[int]
    longest: float

    @property
    def right(self) -> bool:
        """Whether that was expected, and the other client was answered as it should be."""
        return self.found == self.case.expected and set(self.others) <= self.case.others


def cases(image: bytes) -> Iterator[Case]:
    """Yields all cases; `image` is a good one."""
    post = request(PREDICT, image)
    drip = partial(_drip, seconds=0.2)
    yield Case("a header that drips in", "closed", partial(drip, data=post[:300]))
    yield Case("a connection without a byte", "closed", _silent)
    yield Case("a body that drips in", "408", partial(drip, data=post, at=150))
    yield Case("more such bodies than there are places", "408, 429", partial(_full, post), BUSY)
    yield Case("a body of 2 GB, stated", "413", _stated)
    yield Case("a body of 2 GB in chunks", "413", _chunked)
    yield Case("a body that ends early", "closed", partial(_cut, post))
    yield Case("a client that takes no answer", "closed", _takes_nothing)
    yield Case("20 requests at once on one connection", "20 x 200", _pipelined)
    yield Case("a connection that is half closed", "201", partial(_half_closed, post))
    yield Case("2,000 connections without a byte", "all closed", _many)
    for name, data in _broken_http():
        yield Case(name, "400", partial(_sends, data))
    slow = service_bodies.slow()
    for body in (*service_bodies.images(), slow, *service_bodies.forms()):
        expected = "no result" if body.status == 201 else str(body.status)
        yield Case(body.name, expected, partial(_posts, body))
    for body in service_bodies.named(image):
        yield Case(body.name, "201" if body.status == 201 else "400", partial(_posts, body))
    yield Case("a worker that is killed", "201", partial(_killed, post, 1))
    # An image that takes seconds, so that each signal meets a worker that works on it.
    again = partial(_killed, request(PREDICT, slow.data), 99)
    yield Case("a worker that is killed again and again", "500", again, LOST)
    yield Case("a worker that hangs", "1 replaced", partial(_hangs, post), LATE)


async def run_case(case: Case, server: Server, image: bytes) -> Outcome:
    """Does something hostile while another client asks for predictions, and once more after it."""
    over, others, longest = asyncio.Event(), Counter[int](), 0.0

    async def other() -> None:
        nonlocal longest
        last = False
        while not last:
            last = over.is_set()
            began = time.perf_counter()
            status = (await ask(server.port, request(PREDICT, image))).status
            longest = max(longest, time.perf_counter() - began)
            others[status] += 1
            if status != 201:
                await asyncio.sleep(0.2)

    task = asyncio.create_task(other())
    try:
        found = await asyncio.wait_for(case.attack(server), 2 * _GIVES_UP)
    except TimeoutError:
        found = "held"
    over.set()
    await task
    return Outcome(case, found, others, longest)


def _said(status: int) -> str:
    return str(status) if status else "closed"


async def _posts(body: service_bodies.Body, server: Server) -> str:
    answer = await ask(server.port, request(PREDICT, body.data, body.headers))
    if answer.status == 201 and answer.code != "done":
        return "no result"
    return _said(answer.status)


async def _sends(data: bytes, server: Server) -> str:
    return _said((await ask(server.port, data)).status)


async def _drip(server: Server, *, data: bytes, seconds: float, at: int = 0) -> str:
    """Sends bytes one after the other, from some byte on."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    answer = asyncio.create_task(answer_of(reader))
    writer.write(data[:at])
    for byte in data[at:]:
        if answer.done():
            break
        with suppress(ConnectionError):
            writer.write(bytes([byte]))
        await asyncio.wait([answer], timeout=seconds)
    found = await asyncio.wait_for(answer, _GIVES_UP)
    await closed(writer)
    return _said(found.status)


async def _full(post: bytes, server: Server) -> str:
    drips = [_drip(server, data=post, seconds=0.2, at=150) for _ in range(2 * QUEUE)]
    return ", ".join(sorted(set(await asyncio.gather(*drips))))


async def _silent(server: Server) -> str:
    return await _drip(server, data=b"", seconds=0)


async def _stated(server: Server) -> str:
    head = request(PREDICT, headers={"Content-Length": str(2 * 10**9)}, method="POST")
    return await _floods(server, head, bytes(_MIB))


async def _chunked(server: Server) -> str:
    head = request(PREDICT, headers={"Transfer-Encoding": "chunked"}, method="POST")
    return await _floods(server, head, b"100000\r\n" + bytes(_MIB) + b"\r\n")


async def _floods(server: Server, head: bytes, part: bytes) -> str:
    """Sends a part 2,000 times, or until there is an answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    answer = asyncio.create_task(answer_of(reader))
    with suppress(ConnectionError):
        writer.write(head)
        for _ in range(2000):
            if answer.done():
                break
            writer.write(part)
            await writer.drain()
    found = await answer
    await closed(writer)
    return _said(found.status)


async def _cut(post: bytes, server: Server) -> str:
    """Ends the connection in the midst of a body; tells when the server has noticed."""
    for _ in range(50):
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(post[: len(post) // 2])
        await writer.drain()
        await closed(writer)
    end = time.perf_counter() + _GIVES_UP
    while time.perf_counter() < end:
        counted = values_of((await ask(server.port, request("/metrics"))).body)
        # The other client may have one.
        if counted["pulmo_requests_in_work"] <= 1:
            return "closed"
    return "held"


async def _takes_nothing(server: Server) -> str:
    """Asks for much and reads nothing, with as little room for it as there can be."""
    place = socket.socket()
    place.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
    place.setblocking(False)  # noqa: FBT003 - of the library
    await asyncio.get_running_loop().sock_connect(place, ("127.0.0.1", server.port))
    with place:
        with suppress(BlockingIOError):
            place.send(request("/openapi.json") * 400)
        end = time.perf_counter() + _GIVES_UP
        while time.perf_counter() < end:
            await asyncio.sleep(0.2)
            if not server.is_connected(place.getsockname()[1]):
                return "closed"
    return "held"


async def _pipelined(server: Server) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(request("/healthz") * 20)
    found = Counter([(await answer_of(reader)).status for _ in range(20)])
    await closed(writer)
    return ", ".join(f"{count} x {status}" for status, count in found.items())


async def _half_closed(post: bytes, server: Server) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(post)
    writer.write_eof()
    found = await answer_of(reader)
    await closed(writer)
    return _said(found.status)


async def _many(server: Server) -> str:
    """Opens connections and sends nothing, in steps, for the other client is to have its turn."""
    opened: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    for _ in range(20):
        opened += await asyncio.gather(
            *(asyncio.open_connection("127.0.0.1", server.port) for _ in range(100))
        )
        if server.sample(0).descriptors > CONNECTIONS + 300:
            return "too many are held"
    ends = [asyncio.wait_for(answer_of(reader), _GIVES_UP) for reader, _ in opened]
    found = {answer.status for answer in await asyncio.gather(*ends)}
    for _, writer in opened:
        await closed(writer)
    return "all closed" if found == {0} else f"{found}"


def _broken_http() -> Iterator[tuple[str, bytes]]:
    """Yields what is no request."""
    head = f"POST {PREDICT} HTTP/1.1\r\nHost: localhost\r\n"
    for name, text in {
        "two lengths of a body": "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        "a length below zero": "Content-Length: -1\r\n\r\n",
        "a length that is no number": "Content-Length: 1e9\r\n\r\n",
        "a transfer coding that nobody knows": "Transfer-Encoding: pulmo\r\n\r\n",
        "a chunk whose size is no number": "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        "a header without a colon": "nonsense\r\n\r\n",
        "a header of 100 kB": f"X: {'x' * 100_000}\r\n\r\n",
        "10,000 headers": "".join(f"X-{n}: {n}\r\n" for n in range(10_000)) + "\r\n",
        "a header with a null": "X: a\0b\r\n\r\n",
    }.items():
        yield name, (head + text).encode()
    yield (
        "TLS where none is spoken",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200) + b"\r\n\r\n",
    )


async def _killed(post: bytes, times: int, server: Server) -> str:
    """Ends workers while they work for this client, so often."""
    asked = [asyncio.create_task(ask(server.port, post)) for _ in range(4)]
    await asyncio.sleep(0.02)
    killed = 0
    while killed < times and not _failures(asked):
        if all(each.done() for each in asked):
            asked = [asyncio.create_task(ask(server.port, post)) for _ in range(4)]
        for pid in server.workers()[: times - killed]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            killed += 1
        await asyncio.sleep(0.5)
    # What has failed by now failed for the killed workers, and not because its image takes long.
    failed = _failures(asked)
    statuses = [(await each).status for each in asked]
    return _worst(failed or statuses)


def _failures(asked: Sequence[asyncio.Task[Answer]]) -> list[int]:
    """Returns the statuses of the requests that have ended without a result so far."""
    statuses = [each.result().status for each in asked if each.done()]
    return [status for status in statuses if status != 201]


async def _hangs(post: bytes, server: Server) -> str:
    """Stops one worker and asks until it was given a request and was replaced."""
    before = await _lost(server)
    os.kill(server.workers()[0], signal.SIGSTOP)
    end = time.perf_counter() + _GIVES_UP
    while (lost := await _lost(server) - before) == 0 and time.perf_counter() < end:
        await asyncio.gather(*(ask(server.port, post) for _ in range(2)))
    return f"{lost:.0f} replaced"


async def _lost(server: Server) -> float:
    counted = values_of((await ask(server.port, request("/metrics"))).body)
    return float(counted["pulmo_workers_lost"])


def _worst(statuses: Sequence[int]) -> str:
    return _said(max(statuses))
