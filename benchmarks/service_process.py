"""A `pulmo serve` process of the benchmark: started, asked, watched and stopped."""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from pulmo.serve.database import ServeDatabase
from pulmo.serve.tokens import create_token

_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
PREDICT: Final = "/v1/predictions"


class Sample(NamedTuple):
    """What a server takes at a moment.

    Attributes:
        seconds: since the first sample.
        server, worker: resident memory in MiB, of the server's process and of the largest worker.
        descriptors: open file descriptors of the server's process.
        database: MiB of the database with its write-ahead log.
    """

    seconds: float
    server: float
    worker: float
    descriptors: int
    database: float


class Answer(NamedTuple):
    """What came back.

    Attributes:
        status: of HTTP; 0 if the connection ended without an answer.
        headers: names in lower case.
        body: its bytes.
    """

    status: int
    headers: Mapping[str, str] = {}
    body: bytes = b""

    @property
    def code(self) -> str:
        """The code of an error, or of an answer without result; "" if there is none."""
        with suppress(ValueError, AttributeError, TypeError):
            said = json.loads(self.body)
            said = said.get("error") or said.get("predictions", [said])[0]
            return str(said.get("code") or said.get("status") or "")
        return ""


class Server(NamedTuple):
    """A server that runs.

    Attributes:
        pid: of its process.
        port: on this machine.
        data: its folder.
        token: that it takes.
    """

    pid: int
    port: int
    data: Path
    token: str

    def workers(self) -> list[int]:
        """Returns the process ids of its workers."""
        return [pid for pid in _children(self.pid) if b"spawn_main" in _read(pid, "cmdline")]

    def is_connected(self, port: int) -> bool:
        """Tells whether the server holds the connection from a port of this machine."""
        ends = f":{self.port:04X} ", f":{port:04X} 01 "
        lines = Path("/proc/net/tcp").read_text().splitlines()
        return any(ends[0] in line and ends[1] in line for line in lines)

    def sample(self, seconds: float) -> Sample:
        """Measures it."""
        files = [each.stat().st_size for each in self.data.glob("serve.db*")]
        with suppress(OSError):
            descriptors = sum(1 for _ in Path(f"/proc/{self.pid}/fd").iterdir())
            workers = max(map(_resident, self.workers()), default=0)
            return Sample(seconds, _resident(self.pid), workers, descriptors, sum(files) / 2**20)
        return Sample(seconds, 0, 0, 0, 0)


@contextmanager
def serving(*options: str) -> Iterator[Server]:
    """Starts a server with the model that comes with pulmo on a free port, and stops it."""
    with tempfile.TemporaryDirectory() as folder:
        data, said = Path(folder, "data"), Path(folder, "stderr")
        with ServeDatabase(data) as database:
            token = create_token(database, "benchmark")
        words = [sys.executable, "-m", "pulmo", "serve", "--port", "0", "--data", str(data)]
        with said.open("wb") as stderr:
            process = subprocess.Popen(
                [*words, *options], stdout=subprocess.PIPE, stderr=stderr, text=True
            )
        try:
            address = process.stdout.readline().strip() if process.stdout else ""
            if not address:
                raise SystemExit(said.read_text())
            yield Server(process.pid, int(address.rpartition(":")[2].strip("/")), data, token)
        finally:
            process.terminate()
            process.wait(60)


def request(
    path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None, method: str = ""
) -> bytes:
    """Returns the bytes of a request."""
    lines = [f"{method or ('GET' if body is None else 'POST')} {path} HTTP/1.1", "Host: localhost"]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


async def answer_of(reader: asyncio.StreamReader) -> Answer:
    """Reads one answer; its status is 0 if the connection ends before it is whole."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        pairs = (line.partition(":")[::2] for line in head[1:] if line)
        headers = {name.lower(): value.strip() for name, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    except (asyncio.IncompleteReadError, ConnectionError):
        return Answer(0)
    return Answer(int(head[0].split()[1]), headers, body)


async def ask(port: int, data: bytes) -> Answer:
    """Sends a request on a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        with suppress(ConnectionError):
            writer.write(data)
            await writer.drain()
        return await answer_of(reader)
    finally:
        await closed(writer)


async def closed(writer: asyncio.StreamWriter) -> None:
    """Closes a connection, in whatever state it is."""
    writer.close()
    with suppress(OSError, asyncio.TimeoutError):
        await asyncio.wait_for(writer.wait_closed(), 5)


def _read(pid: int, name: str) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/{name}").read_bytes()
    return b""


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return found


def _resident(pid: int) -> float:
    fields = _read(pid, "statm").split()
    return int(fields[1]) * _PAGE / 2**20 if fields else 0.0


def values_of(metrics: bytes) -> dict[str, Any]:
    """Returns the values of the server's own counters without labels."""
    lines = (line.rpartition(" ") for line in metrics.decode().splitlines() if line[:1] != "#")
    return {name: float(value) for name, _, value in lines if "{" not in name}
