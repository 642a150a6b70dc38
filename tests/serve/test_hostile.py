"""Clients that mean harm: what they send, and connections that they hold."""

import importlib.util
import json
import socket
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from starlette.testclient import TestClient

from fixtures.served import speaking
from pulmo.daemon.json_log import take_over_logging
from pulmo.serve.body import ArrivingBodies
from pulmo.serve.connections import BoundedProtocol
from pulmo.serve.service import Service

MakeService = Callable[..., Service]

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "service_bodies.py"
PACKED = 2**17
"""Bytes that packed bodies hold here; the benchmark has more."""
SOON = 0.5
"""Seconds that the server waits here."""
LATE = 20.0
"""Seconds that it waits where nothing is to be closed, and after which a test fails."""


@pytest.fixture(scope="module")
def bodies() -> ModuleType:
    """What the benchmark sends."""
    spec = importlib.util.spec_from_file_location("service_bodies", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class TestBodies:
    """Images and forms."""

    def test_no_image_that_is_a_trap_has_a_result(
        self, client: TestClient, bodies: ModuleType
    ) -> None:
        for body in bodies.images(PACKED):
            response = client.post("/v1/predictions", content=body.data)
            assert response.status_code == 201, body.name
            answer = response.json()
            assert answer["status"] in {"refused", "failed"}, body.name
            assert answer["code"] not in {None, "internal-error"}, body.name

    def test_no_form_is_guessed_at(
        self, service: Service, client: TestClient, bodies: ModuleType,
        capfd: pytest.CaptureFixture[str],
    ) -> None:  # fmt: skip
        take_over_logging("uvicorn", "python_multipart")
        for body in bodies.forms():
            response = client.post("/v1/predictions", content=body.data, headers=body.headers)
            assert response.status_code == 400, body.name
            assert response.json()["error"]["code"].startswith("multipart-"), body.name
        assert service.in_work == 0
        # Libraries say nothing in another form.
        assert all(json.loads(line) for line in capfd.readouterr().err.splitlines())

    def test_a_file_may_have_any_name(
        self, service: Service, client: TestClient, bodies: ModuleType, image: Path
    ) -> None:
        before = {each.name for each in service.database.path.parent.iterdir()}
        for body in bodies.named(image.read_bytes()):
            response = client.post("/v1/predictions", content=body.data, headers=body.headers)
            assert response.status_code == body.status, body.name
        assert {each.name for each in service.database.path.parent.iterdir()} == before


def post(data: bytes, length: int | None = None) -> bytes:
    """Returns a request that states so many bytes of its body."""
    stated = len(data) if length is None else length
    head = f"POST /v1/predictions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {stated}"
    return f"{head}\r\n\r\n".encode() + data


HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


def status(client: socket.socket) -> int:
    """Returns the status of the next answer, which is read whole; 0 if the connection ended."""
    got = b""
    while b"\r\n\r\n" not in got:
        part = client.recv(1)
        if not part:
            return 0
        got += part
    head, _, _ = got.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
    while length:
        length -= len(client.recv(length))
    return int(head.split()[1])


class TestConnections:
    """Connections on which nothing happens."""

    @pytest.mark.parametrize("sent", [b"", b"GET /healthz HTTP/1.1\r\nX: ", HEALTH + b"GET"])
    def test_one_without_a_whole_header_is_closed(self, make: MakeService, sent: bytes) -> None:
        with speaking(make(header_timeout=SOON)) as (_, connect):
            client = connect()
            client.sendall(sent)
            assert not sent.startswith(HEALTH) or status(client) == 200
            assert client.recv(1) == b""

    def test_one_is_kept_between_requests(self, make: MakeService) -> None:
        with speaking(make(header_timeout=LATE)) as (_, connect):
            client = connect()
            client.sendall(HEALTH * 3)
            assert [status(client) for _ in range(3)] == [200, 200, 200]
            client.sendall(HEALTH)
            assert status(client) == 200

    def test_the_one_that_waits_for_longest_makes_room(self, make: MakeService) -> None:
        with speaking(make(connections=2, header_timeout=LATE)) as (_, connect):
            first, second = connect(), connect()
            second.sendall(HEALTH)
            assert status(second) == 200
            third = connect()
            third.sendall(HEALTH)
            assert status(third) == 200
            # Its wait began before that of the others.
            assert status(first) == 0
            second.sendall(HEALTH)
            assert status(second) == 200

    def test_one_with_a_request_does_not_make_room(self, make: MakeService, image: Path) -> None:
        service, data = make(connections=1), image.read_bytes()
        with speaking(service) as (_, connect):
            first = connect()
            first.sendall(post(data[:100], len(data)))
            wait_until(lambda: service.in_work == 1)
            second = connect()
            assert status(second) == 503
            first.sendall(data[100:])
            assert status(first) == 201

    def test_a_client_that_has_sent_all_may_end_its_side(
        self, make: MakeService, image: Path
    ) -> None:
        with speaking(make()) as (_, connect):
            client = connect()
            client.sendall(post(image.read_bytes()))
            client.shutdown(socket.SHUT_WR)
            assert status(client) == 201
            assert client.recv(1) == b""
            cut = connect()
            cut.sendall(post(b"x", 100))
            cut.shutdown(socket.SHUT_WR)
            assert cut.recv(1) == b""

    def test_one_that_takes_no_answer_is_closed(self, make: MakeService) -> None:
        with speaking(make(header_timeout=SOON)) as (server, connect):
            client = connect()
            client.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 500)
            wait_until(lambda: bool(server.server_state.connections))
            wait_until(lambda: not server.server_state.connections)

    def test_one_that_takes_it_slowly_is_not(self) -> None:
        done: list[str] = []

        class Transport:
            """Has less to send each time, and then the same."""

            left = iter([100, 60, 60, 60])

            def get_write_buffer_size(self) -> int:
                return next(self.left)

            def abort(self) -> None:
                done.append("abort")

        class Loop:
            """Calls at once."""

            def call_later(self, _: float, call: Callable[[int], None], left: int) -> None:
                done.append(f"{left} left")
                call(left)

        protocol = BoundedProtocol.__new__(BoundedProtocol)
        protocol.header_timeout = 1  # type: ignore[misc] # of the class made for a server
        protocol.transport, protocol.loop = Transport(), Loop()  # type: ignore[assignment] # as much of them as is used
        protocol._look_again()
        assert done == ["100 left", "60 left", "abort"]


class TestPlaces:
    """Bodies that drip in, where the places for requests are few."""

    def test_one_gives_its_place_up(self, make: MakeService, image: Path) -> None:
        service, data = make(queue=1, header_timeout=SOON), image.read_bytes()
        with speaking(service) as (_, connect):
            slow = connect()
            slow.sendall(post(data[:100], len(data)))
            wait_until(lambda: service.in_work == 1)
            other, found = connect(), [429]
            while found[-1] == 429:
                other = connect()
                other.sendall(post(data))
                found.append(status(other))
            assert found[-1] == 201
            assert status(slow) == 408
            assert service.in_work == 0

    def test_one_that_nobody_reads_ends_soon(self, make: MakeService, image: Path) -> None:
        service, data = make(queue=1, header_timeout=SOON), image.read_bytes()
        # The other one keeps its place.
        service.arriving = ArrivingBodies(LATE)
        with speaking(service) as (_, connect):
            connect().sendall(post(data[:100], len(data)))
            wait_until(lambda: service.in_work == 1)
            late = connect()
            late.sendall(post(data[:100], len(data)))
            assert status(late) == 429
            late.sendall(data[100:200])
            assert late.recv(1) == b""


def wait_until(is_so: Callable[[], bool]) -> None:
    """Waits for what the server does in its thread."""
    end = time.monotonic() + LATE
    while not is_so():
        assert time.monotonic() < end
