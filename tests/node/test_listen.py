"""A node that is told to stop, and faults that are its own."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest
from pynetdicom import AE

from fixtures.node import MODEL, Node, PoolHere, TakingPeer, listening, make_image, store, until
from fixtures.orthanc import free_port
from pulmo.core.errors import PulmoError
from pulmo.node import inbox, judge, outbox, sender
from pulmo.node.listen import _Parts, _warn
from pulmo.node.outbox import Queued, mark_sent
from pulmo.node.store import Store
from pulmo.node.worker import Job, _work

MakeNode = Callable[..., Node]
Capture = pytest.CaptureFixture[str]
LOCKED = PulmoError("database-locked", "It is locked.")


def codes(capsys: Capture, event: str) -> list[str | None]:
    lines = map(json.loads, capsys.readouterr().err.splitlines())
    return [line.get("code") for line in lines if line["event"] == event]


@pytest.mark.parametrize("signals", [1, 2])
def test_an_open_connection_may_end_unless_a_second_signal_comes(
    tmp_path: Path, signals: int
) -> None:
    port = free_port()
    entity = AE("MODALITY")
    entity.add_requested_context("1.2.840.10008.1.1")
    with listening(tmp_path / "data", port) as process:
        begun = entity.associate("127.0.0.1", port, ae_title="PULMO")
        os.kill(process.pid or 0, signal.SIGTERM)
        until(lambda: '"stopping"' in (tmp_path / "log").read_text())
        until(lambda: store(port, make_image()) is None)
        assert begun.send_c_echo().Status == 0
        if signals == 2:
            os.kill(process.pid or 0, signal.SIGTERM)
        else:
            begun.release()
        process.join(30)
    assert process.exitcode == {1: 0, 2: 128 + signal.SIGTERM}[signals]


def test_a_fault_that_is_not_the_images_leaves_it_waiting(
    make_node: MakeNode, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    real, faults = inbox.settle, [LOCKED, ValueError("ZQX")]

    def settle(*words: object) -> None:
        if faults:
            raise faults.pop(0)
        real(*words)  # type: ignore[arg-type] # as it is called

    monkeypatch.setattr(judge, "settle", settle)
    monkeypatch.setattr(judge, "_PAUSE", 0.01)
    node = make_node()
    node.receives()
    node.judges()
    assert store(node.port, make_image()) == 0
    until(lambda: node.status.inbox["done"] == 1)
    assert codes(capsys, "judge-fault") == ["database-locked", "internal-error"]


def test_what_is_acknowledged_is_recorded_in_the_end(
    make_node: MakeNode, peer: TakingPeer, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    faults = [LOCKED]

    def mark(store: Store, queued: Queued) -> None:
        if faults:
            raise faults.pop()
        mark_sent(store, queued)

    monkeypatch.setattr(sender, "mark_sent", mark)
    monkeypatch.setattr(sender, "_PAUSE", 0.01)
    node = make_node(send_to=[peer.node])
    node.receives()
    node.judges()
    node.sends()
    assert store(node.port, make_image()) == 0
    until(lambda: node.status.peers and node.status.peers[0].sent == 2)
    assert len(peer.got) == 2
    assert codes(capsys, "not-recorded") == ["database-locked"]


def test_a_fault_of_a_sender_is_one_line_and_the_objects_wait(
    make_node: MakeNode, peer: TakingPeer, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    def fail(*_: object) -> NoReturn:
        raise ValueError("ZQX")

    with monkeypatch.context() as patch:
        patch.setattr(sender, "connected", fail)
        node = make_node(send_to=[peer.node])
        node.receives()
        node.judges()
        node.sends()
        assert store(node.port, make_image()) == 0
        until(lambda: node.status.peers and node.status.peers[0].error)
        assert node.status.peers[0].error == "An error in pulmo: ValueError."
    until(lambda: node.status.peers[0].sent == 2)
    assert set(codes(capsys, "peer-away")) == {"internal-error"}


def test_an_object_without_its_file_keeps_no_other_back(
    make_node: MakeNode, peer: TakingPeer
) -> None:
    node = make_node(send_to=[peer.node])
    node.receives()
    node.judges()
    assert store(node.port, make_image()) == 0
    until(lambda: node.status.inbox["done"])
    first, second = outbox.due(node.store, peer.node, 0, 2)
    path = node.store.objects.path(first.sha256)
    data = path.read_bytes()
    path.unlink()
    node.sends()
    until(lambda: node.status.peers[0].sent == 1 and node.status.peers[0].error)
    assert node.status.peers[0].error == "The file of an object was removed from the outbox."
    assert first.sha256 != second.sha256
    path.write_bytes(data)
    until(lambda: node.status.peers[0].sent == 2)


def test_objects_for_a_node_that_is_not_named_any_more_are_said(
    make_node: MakeNode, capsys: Capture
) -> None:
    node = make_node(send_to=["GONE@127.0.0.1:9"])
    node.receives()
    node.judges()
    assert store(node.port, make_image()) == 0
    until(lambda: node.status.peers)
    assert node.receiver is not None
    capsys.readouterr()
    _warn(node.store, _Parts(node.receiver, node.judge, []))
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["event"] for line in lines] == ["no-peer", "peer-not-named"]
    assert (lines[1]["peer"], lines[1]["objects"]) == ("GONE@127.0.0.1:9", 2)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (MemoryError(), "image-memory"),
        (ValueError("ZQX"), "internal-error"),
        (LOCKED, "database-locked"),
    ],
)
def test_an_error_of_a_worker_does_not_quote_the_image(error: Exception, code: str) -> None:
    def answer(*_: object) -> NoReturn:
        raise error

    found = PoolHere(answer).submit(Job(Path("image.dcm"), "0")).result()
    assert isinstance(found, PulmoError)
    assert found.code == code
    assert "ZQX" not in str(found)
    assert _work(None, MODEL, answer, Job(None, "")) is None  # type: ignore[arg-type] # nothing is asked
