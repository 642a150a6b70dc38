"""A server at an address: what is refused before it starts, and how it stops."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fixtures.refuses import refuses
from pulmo.serve.database import Database
from pulmo.serve.options import ServeOptions
from pulmo.serve.server import serve
from pulmo.serve.tokens import create_token

ANY = "0.0.0.0"  # noqa: S104 - it is refused
COMMAND = "from pulmo.cli import main; main()"


class TestRefusals:
    """What is found before any address is listened at."""

    @pytest.mark.parametrize("options", [{"host": ANY}, {"host": "::"}, {"behind_proxy": True}])
    def test_nobody_else_is_let_in_without_a_token(
        self, bundle: Path, tmp_path: Path, options: dict[str, object]
    ) -> None:
        given = ServeOptions(data=tmp_path, port=0, **options)  # type: ignore[arg-type] # of its fields
        with refuses("serve-without-token") as refused:
            serve([bundle], given)
        assert refused.value.exit_status == 5

    def test_nobody_else_is_let_in_without_tls(self, bundle: Path, tmp_path: Path) -> None:
        with Database(tmp_path) as database:
            create_token(database, "anna")
        with refuses("serve-without-tls", ANY) as refused:
            serve([bundle], ServeOptions(data=tmp_path, host=ANY, port=0))
        assert refused.value.exit_status == 5

    def test_files_of_tls_are_read_first(self, bundle: Path, tmp_path: Path) -> None:
        part = tmp_path / "part.pem"
        part.write_text("no certificate")
        with refuses("tls-file-missing"):
            serve([bundle], ServeOptions(data=tmp_path, tls_cert=part))
        for cert in (part, tmp_path / "none.pem"):
            with refuses("tls-files-unusable", cert.name):
                serve([bundle], ServeOptions(data=tmp_path, tls_cert=cert, tls_key=part))

    def test_a_port_that_is_taken_is_said(self, bundle: Path, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            with refuses("address-unusable", port):
                serve([bundle], ServeOptions(data=tmp_path, port=port))
        for options in ({"port": 99999}, {"host": "256.1.1.1"}):
            with refuses(("address-unusable", "serve-without-token")):
                serve([bundle], ServeOptions(data=tmp_path, **options))  # type: ignore[arg-type] # of its fields

    def test_a_model_is_served_once(self, bundle: Path, tmp_path: Path) -> None:
        with refuses("model-served-twice"):
            serve([bundle, bundle / "model.onnx"], ServeOptions(data=tmp_path, port=0))


@contextmanager
def running(
    bundle: Path, data: Path, env: dict[str, str]
) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Gives a server's process and its port."""
    words = ["serve", "--model", bundle, "--data", data, "--port", "0", "--workers", "1"]
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=env,
    )
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address.startswith("http://127.0.0.1:"), address
        yield process, int(address.rpartition(":")[2].strip("/"))
    finally:
        process.kill()
        process.communicate()


def asked(port: int, text: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as other:
        other.sendall(text)
        return other.recv(65536)


class TestStop:
    """A server that is told to stop."""

    def test_it_ends_what_it_began_and_begins_nothing(
        self, bundle: Path, image: Path, tmp_path: Path, unmeasured: dict[str, str]
    ) -> None:
        data = image.read_bytes()
        head = f"POST /v1/predictions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(data)}"
        with running(bundle, tmp_path / "data", unmeasured) as (process, port):
            with socket.create_connection(("127.0.0.1", port), timeout=60) as begun:
                begun.sendall(f"{head}\r\n\r\n".encode() + data[:100])
                ready = asked(port, b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                assert b" 200 " in ready
                # The first body is read when the metrics say so.
                while b"pulmo_requests_in_work 1.0" not in asked(
                    port, b"GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n"
                ):
                    pass
                process.send_signal(signal.SIGTERM)
                while b" 503 " not in (
                    late := asked(port, b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n")
                ):
                    pass
                assert b"server-stopping" in late
                begun.sendall(data[100:])
                assert b" 201 " in begun.recv(65536)
            _, said = process.communicate(timeout=60)
        assert process.returncode == 0
        lines = [json.loads(line) for line in said.splitlines()]
        assert (lines[0]["event"], lines[-1]["event"]) == ("start", "stop")

    def test_an_interruption_has_a_status_of_its_own(
        self, bundle: Path, tmp_path: Path, unmeasured: dict[str, str]
    ) -> None:
        with running(bundle, tmp_path / "data", unmeasured) as (process, _):
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=60)
        assert process.returncode == 130
        assert said.splitlines()[-1] == "pulmo: The server was stopped."
