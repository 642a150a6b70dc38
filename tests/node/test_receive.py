"""What is received, and what is not, and what a sender hears."""

import json
import shutil
import socket
import sqlite3
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydicom.uid import (
    MPEG2MPML,
    CTImageStorage,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    SecondaryCaptureImageStorage,
)
from pynetdicom import AE

from fixtures.node import Node, TakingPeer, make_image, store, until
from fixtures.refuses import refuses
from pulmo.core.errors import InputError
from pulmo.daemon.tls import TlsFiles
from pulmo.node import receive
from pulmo.node.inbox import put
from pulmo.node.options import ListenOptions
from pulmo.node.peers import DicomPeer
from pulmo.node.send import connected
from pulmo.node.way import Way

MakeNode = Callable[..., Node]
Capture = pytest.CaptureFixture[str]


def logged(capsys: Capture) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


class TestTitles:
    """Who may send."""

    def test_both_titles_are_checked(self, make_node: MakeNode, capsys: Capture) -> None:
        node = make_node(allow=["MODALITY"])
        node.receives()
        image = make_image()
        assert store(node.port, image, caller="STRANGER") is None
        assert store(node.port, image, called="OTHER") is None
        assert node.status.inbox["received"] == 0
        lines = logged(capsys)
        assert [line["code"] for line in lines] == ["calling-title-unknown", "called-title-wrong"]
        assert lines[0]["message"] == "STRANGER is not on the list of those allowed."
        assert lines[1]["message"] == "MODALITY called OTHER; this is PULMO."
        assert store(node.port, image) == 0
        assert node.status.inbox["received"] == 1

    def test_an_independent_program_is_heard(self, make_node: MakeNode, tmp_path: Path) -> None:
        send = shutil.which("storescu")
        if send is None:
            pytest.skip("DCMTK is not installed")
        node = make_node()
        node.receives()
        file = tmp_path / "image.dcm"
        file.write_bytes(make_image())
        place = ["-aec", "PULMO", "127.0.0.1", str(node.port)]
        subprocess.run([send, *place, file], check=True)
        assert node.status.inbox["received"] == 1

    def test_others_need_a_list(self, make_node: MakeNode, tmp_path: Path) -> None:
        from pulmo.node.listen import listen  # noqa: PLC0415 - of this test alone

        for host in ("0.0.0.0", "::", "pacs"):  # noqa: S104 - it is refused
            with refuses("listen-without-allow-list", host) as refused:
                listen(tmp_path, ListenOptions(host=host))
            assert refused.value.exit_status == 5
        node = make_node()
        node.receives()
        options = ListenOptions(port=node.port)
        with refuses("address-unusable", node.port):
            receive.Receiver(node.store, options, None, lambda: None)
        with refuses("port-invalid"):
            receive.Receiver(node.store, ListenOptions(port=99999), None, lambda: None)


class TestContexts:
    """Which kinds of images are received."""

    def offered(self, port: int, kind: str, *syntaxes: str) -> list[str]:
        entity = AE("MODALITY")
        for syntax in syntaxes:
            entity.add_requested_context(kind, syntax)
        association = entity.associate("127.0.0.1", port, ae_title="PULMO")
        found = [context.transfer_syntax[0] for context in association.accepted_contexts]
        if association.is_established:
            association.release()
        return [str(each) for each in found]

    def test_what_is_not_read_is_not_received(self, make_node: MakeNode, capsys: Capture) -> None:
        node = make_node()
        node.receives()
        kind = DigitalXRayImageStorageForPresentation
        syntaxes = (ExplicitVRLittleEndian, JPEG2000Lossless, MPEG2MPML)
        assert self.offered(node.port, kind, *syntaxes) == list(map(str, syntaxes[:2]))
        assert self.offered(node.port, SecondaryCaptureImageStorage, MPEG2MPML) == []
        assert self.offered(node.port, CTImageStorage, ExplicitVRLittleEndian) == []
        lines = logged(capsys)
        assert [line["event"] for line in lines] == [
            "syntax-not-received", "syntax-not-received", "nothing-received", "nothing-received",
        ]  # fmt: skip
        assert "MPEG2 Main Profile" in lines[0]["message"]


class TestFaults:
    """An image that cannot be kept."""

    def test_the_sender_hears_of_a_full_disk_and_may_try_again(
        self, make_node: MakeNode, monkeypatch: pytest.MonkeyPatch, capsys: Capture
    ) -> None:
        node, image = make_node(), make_image()
        node.receives()
        connection = node.store.database._connection
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
        taken = 0
        with refuses("disk-full"):
            while put(node.store, str(taken), str(taken).encode(), "MODALITY") == "new":
                taken += 1
        assert store(node.port, make_image()) == 0xA700
        connection.execute("PRAGMA max_page_count = 100000")
        assert store(node.port, image) == 0

        def denied(*_: object) -> None:
            raise InputError("file-not-written", "No.")

        monkeypatch.setattr(receive, "put", denied)
        assert store(node.port, make_image()) == 0xC000
        errors = [line["code"] for line in logged(capsys) if line["level"] == "error"]
        assert errors == ["disk-full", "file-not-written"]
        assert node.status.inbox["received"] == taken + 1

    def test_the_sender_hears_of_a_locked_database(self, make_node: MakeNode) -> None:
        node, image = make_node(), make_image()
        node.receives()
        node.store.database._connection.execute("PRAGMA busy_timeout = 10")
        other = sqlite3.connect(node.store.database.path)
        other.execute("BEGIN IMMEDIATE")
        assert store(node.port, image) == 0xA700
        other.rollback()
        other.close()
        assert store(node.port, image) == 0
        assert node.status.inbox["received"] == 1


def test_noise_keeps_nobody_out(make_node: MakeNode, capsys: Capture) -> None:
    noises = (
        b"GET / HTTP/1.1\r\n\r\n",
        # The head of an association's request that states 4 GiB, and one that is empty.
        b"\x01\x00\xff\xff\xff\xff" + b"x" * 64,
        b"\x01\x00\x00\x00\x00\x44" + b"\x00" * 68,
        bytes(range(256)) * 8,
    )
    node = make_node()
    node.receives()
    for noise in noises:
        with socket.create_connection(("127.0.0.1", node.port)) as begun:
            begun.sendall(noise)
            begun.shutdown(socket.SHUT_WR)
            assert store(node.port, make_image()) == 0
    assert "Traceback" not in capsys.readouterr().err


class TestTls:
    """Encrypted connections."""

    def test_both_sides_show_a_certificate(
        self,
        make_node: MakeNode,
        certificate: tuple[Path, Path],
        tmp_path: Path,
        capsys: Capture,
    ) -> None:
        files = TlsFiles(*certificate, certificate[0])
        node = make_node()
        node.receives(files.server_context())
        # A connection that says nothing keeps nobody out.
        with socket.create_connection(("127.0.0.1", node.port)):
            assert self.echoes(node.port, files.client_context())
        nobody = TlsFiles(authority=certificate[0]).client_context()
        assert not self.echoes(node.port, nobody)
        assert not self.echoes(node.port, TlsFiles(*certificate).client_context())
        assert store(node.port, make_image()) is None
        file = tmp_path / "image.dcm"
        file.write_bytes(make_image())
        receiver = DicomPeer("PULMO", "127.0.0.1", node.port)
        with connected(receiver, Way("MODALITY", files.client_context()), [file]) as send:
            send(file)
        assert node.status.inbox["received"] == 1
        failed = [line for line in logged(capsys) if line["event"] == "connection-failed"]
        assert len(failed) >= 3
        assert all(line["message"].startswith(("TLS failed", "The connection")) for line in failed)

    def echoes(self, port: int, context: ssl.SSLContext) -> bool:
        entity = AE("MODALITY")
        entity.add_requested_context("1.2.840.10008.1.1")
        association = entity.associate(
            "127.0.0.1", port, ae_title="PULMO", tls_args=(context, "127.0.0.1")
        )
        # With TLS 1.3 a server refuses after the client's side has ended its handshake.
        if not association.is_established:
            return False
        status = association.send_c_echo()
        association.release()
        return bool(status) and status.Status == 0

    def test_a_peer_without_tls_is_said_to_be_away(
        self, make_node: MakeNode, peer: TakingPeer, certificate: tuple[Path, Path]
    ) -> None:
        node = make_node(send_to=[peer.node])
        node.receives()
        node.judges()
        node.sends(Way("PULMO", TlsFiles(*certificate, certificate[0]).client_context()))
        assert store(node.port, make_image()) == 0
        until(lambda: node.status.peers and node.status.peers[0].error)
        assert node.status.peers[0].error == f"{peer.node} cannot be reached with TLS."
        assert peer.got == []

    def test_files_that_are_none_are_refused(
        self, certificate: tuple[Path, Path], tmp_path: Path
    ) -> None:
        cert, key = certificate
        none = tmp_path / "none.pem"
        with refuses("tls-file-missing"):
            TlsFiles(cert).client_context()
        with refuses("tls-files-unusable", "none.pem"):
            TlsFiles(none, key).server_context()
        with refuses("tls-authority-unusable", "none.pem"):
            TlsFiles(cert, key, none).server_context()
        assert TlsFiles().server_context() is None
