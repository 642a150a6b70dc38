"""A server at an address: what is refused before it starts, and how it stops."""

import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from threading import Thread

import pytest

from fixtures.refuses import refuses
from pulmo.serve.database import ServeDatabase
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
        with ServeDatabase(tmp_path) as database:
            create_token(database, "anna")
        with refuses("serve-without-tls", ANY) as refused:
            serve([bundle], ServeOptions(data=tmp_path, host=ANY, port=0))
        assert refused.value.exit_status == 5

    def test_files_of_tls_are_read_first(self, bundle: Path, tmp_path: Path) -> None:
        part = tmp_path / "part.pem"
        part.write_text("no certificate")
        with refuses("tls-file-missing"):
            serve([bundle], ServeOptions(data=tmp_path, tls_certificate=part))
        for cert in (part, tmp_path / "none.pem"):
            with refuses("tls-files-unusable", cert.name):
                serve([bundle], ServeOptions(data=tmp_path, tls_certificate=cert, tls_key=part))

    def test_a_port_that_is_taken_is_said(self, bundle: Path, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            with refuses("address-unusable", port):
                serve([bundle], ServeOptions(data=tmp_path, port=port))
        with refuses("port-invalid", 99999):
            serve([bundle], ServeOptions(data=tmp_path, port=99999))
        # No machine has this address, for it is one of documentation (RFC 5737).
        with ServeDatabase(tmp_path) as database:
            create_token(database, "anna")
        elsewhere = ServeOptions(data=tmp_path, host="192.0.2.1", behind_proxy=True)
        with refuses("address-unusable", "192.0.2.1"):
            serve([bundle], elsewhere)

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


def asked(port: int, path: str) -> tuple[int, bytes]:
    """Asks a server on a connection of its own; gives the status and the body."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path, headers={"Connection": "close"})
    response = connection.getresponse()
    found = response.status, response.read()
    connection.close()
    return found


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
                assert asked(port, "/readyz")[0] == 200
                # The body is awaited when the metrics say so.
                while b"pulmo_requests_in_work 1.0" not in asked(port, "/metrics")[1]:
                    pass
                process.send_signal(signal.SIGTERM)
                while (late := asked(port, "/v1/models"))[0] == 200:
                    pass
                assert late[0] == 503
                assert b"server-stopping" in late[1]
                begun.sendall(data[100:])
                assert b" 201 " in begun.recv(65536)
            _, said = process.communicate(timeout=60)
        assert process.returncode == 0
        lines = [json.loads(line) for line in said.splitlines()]
        assert (lines[0]["event"], lines[-1]["event"]) == ("start", "stop")

    def test_a_second_signal_does_not_wait_for_anything(
        self, bundle: Path, tmp_path: Path, unmeasured: dict[str, str]
    ) -> None:
        with (
            running(bundle, tmp_path / "data", unmeasured) as (process, port),
            socket.create_connection(("127.0.0.1", port), timeout=60) as begun,
        ):
            begun.sendall(b"POST /v1/predictions HTTP/1.1\r\nHost: localhost\r\n")
            begun.sendall(b"Content-Length: 9\r\n\r\n1234")
            while b"pulmo_requests_in_work 1.0" not in asked(port, "/metrics")[1]:
                pass
            process.send_signal(signal.SIGTERM)
            while asked(port, "/v1/models")[0] == 200:
                pass
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) == 0

    def test_an_interruption_has_a_status_of_its_own(self, bundle: Path, tmp_path: Path) -> None:
        answers = []

        def ask_and_stop(address: str) -> None:
            try:
                answers.append(asked(int(address.rpartition(":")[2].strip("/")), "/readyz"))
            finally:
                os.kill(os.getpid(), signal.SIGINT)

        def on_ready(address: str) -> None:
            Thread(target=ask_and_stop, args=(address,), daemon=True).start()

        options = ServeOptions(data=tmp_path, port=0, workers=1)
        with refuses("serve-interrupted"):
            serve([bundle], options, on_ready)
        assert answers == [(200, b'{"status":"ready"}')]


def test_tls_is_spoken(bundle: Path, tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl, which makes the certificate, is not installed")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj",
         "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", cert],
        check=True, capture_output=True,
    )  # fmt: skip
    with ServeDatabase(tmp_path / "data") as database:
        token = create_token(database, "anna")
    answers = []

    def ask_and_stop(address: str) -> None:
        try:
            assert address.startswith("https://")
            port = int(address.rpartition(":")[2].strip("/"))
            context = ssl.create_default_context(cafile=cert)
            connection = HTTPSConnection("localhost", port, context=context, timeout=60)
            headers = {"Authorization": f"Bearer {token}", "Connection": "close"}
            for sent in ({}, headers):
                connection.request("GET", "/v1/models", headers=sent)
                response = connection.getresponse()
                answers.append(response.status)
                response.read()
            connection.close()
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    def on_ready(address: str) -> None:
        Thread(target=ask_and_stop, args=(address,), daemon=True).start()

    options = ServeOptions(
        data=tmp_path / "data", host=ANY, port=0, workers=1, tls_certificate=cert, tls_key=key
    )
    serve([bundle], options, on_ready)
    assert answers == [401, 200]
