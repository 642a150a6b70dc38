"""What a peer answers, and what becomes of the objects."""

import json
import ssl
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from pynetdicom import AE

from fixtures.node import Node, TakingPeer, make_image, store, until
from fixtures.refuses import refuses
from pulmo.node.peers import Credentials, DicomPeer, WebPeer
from pulmo.node.send import connected
from pulmo.node.status import PeerStatus
from pulmo.node.way import Way

MakeNode = Callable[..., Node]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """An object to send."""
    path = tmp_path / "object.dcm"
    path.write_bytes(make_image())
    return path


class Server:
    """A DICOMweb server that answers as it is told.

    Attributes:
        status: of its answers.
        reason: why it did not take an object; None where it did.
        heard: the credentials of each request.
    """

    def __init__(self) -> None:
        self.status = 200
        self.reason: int | None = None
        self.heard: list[str | None] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                outer.heard.append(self.headers["Authorization"])
                body = json.dumps(outer.body()).encode()
                self.send_response(outer.status)
                self.send_header("Content-Type", "application/dicom+json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    @property
    def port(self) -> int:
        return int(self.server.server_address[1])

    def body(self) -> dict[str, Any]:
        """Returns the answer to STOW-RS (PS3.18, I.2)."""
        if self.reason is None:
            return {}
        item = {"00081197": {"vr": "US", "Value": [self.reason]}}
        return {"00081198": {"vr": "SQ", "Value": [item]}}


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.server.shutdown()
    made.server.server_close()


class TestStow:
    """A server's answers."""

    def send(self, server: Server, file: Path, way: Way, scheme: str = "http") -> None:
        peer = WebPeer(f"{scheme}://127.0.0.1:{server.port}/dicom-web")
        with connected(peer, way, [file]) as send:
            send(file)

    def test_who_asks_is_told(self, server: Server, file: Path) -> None:
        self.send(server, file, Way("PULMO", credentials=Credentials("anna", "secret")))
        self.send(server, file, Way("PULMO", credentials=Credentials(None, "token")))
        self.send(server, file, Way("PULMO"))
        assert server.heard == ["Basic YW5uYTpzZWNyZXQ=", "Bearer token", None]

    @pytest.mark.parametrize(
        ("status", "reason", "code"),
        [
            (200, 0x0111, None),
            (200, 0xA700, "object-not-taken"),
            (409, 0xA700, "object-not-taken"),
            (401, None, "peer-http-status"),
            (503, None, "peer-http-status"),
        ],
    )
    def test_its_answer_says_whether_it_has_the_object(
        self, server: Server, file: Path, status: int, reason: int | None, code: str | None
    ) -> None:
        server.status, server.reason = status, reason
        if code is None:
            self.send(server, file, Way("PULMO"))
            return
        with refuses(code, server.port):
            self.send(server, file, Way("PULMO"))

    def test_its_certificate_is_checked(
        self, server: Server, file: Path, certificate: tuple[Path, Path]
    ) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.server.socket = context.wrap_socket(server.server.socket, server_side=True)
        self.send(server, file, Way("PULMO", authority=certificate[0]), "https")
        with refuses("peer-tls-fails"):
            self.send(server, file, Way("PULMO"), "https")
        assert len(server.heard) == 1


class TestStore:
    """A node's answers."""

    @pytest.mark.parametrize("answer", [0x0000, 0xB000, 0x0111])
    def test_what_is_acknowledged_is_sent_once(
        self, make_node: MakeNode, peer: TakingPeer, answer: int
    ) -> None:
        peer.answer = answer
        status = self.sent(make_node, peer.node)
        until(lambda: status().sent == 2)
        assert len(peer.got) == len(set(peer.got)) == 2

    def test_what_is_refused_is_tried_again(self, make_node: MakeNode, peer: TakingPeer) -> None:
        peer.answer = 0xA700
        status = self.sent(make_node, peer.node)
        until(lambda: len(peer.got) >= 4)
        found = status()
        assert (found.sent, found.queued) == (0, 2)
        assert str(found.error) == f"{peer.node} did not take Encapsulated PDF Storage: A700."
        peer.answer = 0x0000
        until(lambda: status().sent == 2)
        assert status().error is None

    def test_a_class_that_is_not_taken_is_named(self, make_node: MakeNode, file: Path) -> None:
        entity = AE("PEER")
        entity.add_supported_context("1.2.840.10008.1.1")
        entity.add_supported_context("1.2.840.10008.5.1.4.1.1.1.1")
        server = entity.start_server(("127.0.0.1", 0), block=False)
        assert server is not None
        peer = DicomPeer("PEER", "127.0.0.1", server.server_address[1])
        status = self.sent(make_node, str(peer))
        until(lambda: status().error)
        assert status().error == f"{peer} accepts nothing that was offered."
        # Of two classes it takes one.
        other = file.with_name("other.dcm")
        other.write_bytes(make_image(SOPClassUID="1.2.840.10008.5.1.4.1.1.2"))
        with connected(peer, Way("PULMO"), [file, other]) as send:
            with refuses("object-not-taken", "CT Image Storage"):
                send(other)
            entity.shutdown()
            with refuses("peer-gone"):
                send(file)

    def sent(self, make_node: MakeNode, peer: str) -> Callable[[], PeerStatus]:
        """Has two objects sent to a peer; returns what asks for its status."""
        node = make_node(send_to=[peer])
        node.receives()
        node.judges()
        node.sends()
        assert store(node.port, make_image()) == 0
        until(lambda: node.status.peers)
        return lambda: node.status.peers[0]
