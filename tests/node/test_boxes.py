"""The inbox, the outbox and the files of a node."""

import errno
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from fixtures.node import MODEL, files_of, make_image, uid_of
from fixtures.refuses import refuses
from pulmo.core.errors import PulmoError
from pulmo.daemon.audit_log import log_rows
from pulmo.node import inbox, outbox
from pulmo.node.inbox import MadeObject, Received, Verdict, put, settle, waiting
from pulmo.node.keeping import remove_old
from pulmo.node.sender import Delays
from pulmo.node.status import status_of
from pulmo.node.store import Store, instance_of

DONE = Verdict("done", None, None, MODEL, {"status": "done", "decision": "covid"})
OBJECTS = [MadeObject("one", b"first object"), MadeObject("two", b"second object")]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "data") as opened:
        yield opened


def received(store: Store, data: bytes = b"image", uid: str = "1.2") -> Received:
    put(store, uid, data, "MODALITY")
    return waiting(store, (), 10)[-1]


class TestInbox:
    """What comes in."""

    def test_an_image_is_kept_whole_and_listed_once(self, store: Store) -> None:
        data = make_image()
        uid = uid_of(data)
        assert put(store, uid, data, "MODALITY") == "new"
        assert put(store, uid, data, "OTHER") == "known"
        assert put(store, uid, data + b"x", "OTHER") == "changed"
        assert inbox.has(store, uid)
        assert not inbox.has(store, "1.2")
        first, second = waiting(store, (), 10)
        assert (first.caller, second.caller) == ("MODALITY", "OTHER")
        assert first.instance == second.instance == instance_of(uid)
        assert store.received.path(first.sha256).read_bytes() == data
        assert waiting(store, (first.number,), 1) == [second]
        assert [line["action"] for line in log_rows(store.database)] == [
            "receive", "receive with other bytes",
        ]  # fmt: skip

    def test_what_became_of_it_is_written_once_with_all_its_objects(self, store: Store) -> None:
        image = received(store)
        for _ in range(2):  # The second one comes from a process that was taken for dead.
            settle(store, image, DONE, OBJECTS, ["a", "b"])
        status = status_of(store)
        assert status.inbox == {"received": 0, "done": 1, "refused": 0, "failed": 0}
        assert [(each.peer, each.queued, each.sent) for each in status.peers] == [
            ("a", 2, 0), ("b", 2, 0),
        ]  # fmt: skip
        judged = list(log_rows(store.database))[1:]
        (line,) = judged
        assert (line["who"], line["action"], line["model_sha256"]) == ("MODALITY", "judge", MODEL)
        assert (line["input_sha256"], line["answer"]["decision"]) == (image.sha256, "covid")

    def test_an_object_that_cannot_be_written_leaves_the_image_waiting(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        image = received(store)
        monkeypatch.setattr(os, "fsync", full)
        with refuses("disk-full"):
            settle(store, image, DONE, OBJECTS, ["a"])
        assert waiting(store, (), 10) == [image]
        assert status_of(store).peers == []

    def test_an_image_that_cannot_be_written_is_not_listed(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(os, "fsync", full)
        with refuses("disk-full"):
            put(store, "1.2", b"image", "MODALITY")
        assert waiting(store, (), 10) == []
        assert files_of(store.folder) == []

    def test_a_locked_database_is_said(self, store: Store) -> None:
        store.database._connection.execute("PRAGMA busy_timeout = 10")
        other = sqlite3.connect(store.database.path)
        other.execute("BEGIN IMMEDIATE")
        with refuses("database-locked"):
            put(store, "1.2", b"image", "MODALITY")
        other.rollback()
        other.close()
        assert put(store, "1.2", b"image", "MODALITY") == "new"

    def test_an_object_of_this_node_is_known(self, store: Store) -> None:
        settle(store, received(store), DONE, OBJECTS, ["a"])
        assert inbox.is_own(store, "one")
        assert not inbox.is_own(store, instance_of("1.2"))


class TestOutbox:
    """What goes out."""

    def test_an_object_waits_until_it_is_acknowledged(self, store: Store) -> None:
        settle(store, received(store), DONE, OBJECTS, ["a", "b"])
        first, second = outbox.due(store, "a", 0, 10)
        assert store.objects.path(first.sha256).read_bytes() == b"first object"
        outbox.postpone(store, [first], PulmoError("object-not-taken", "No."), 100.0)
        assert outbox.due(store, "a", 99, 10) == [second]
        assert outbox.due(store, "a", 100, 10) == [first._replace(tries=1), second]
        assert status_of(store).peers[0].error == "No."
        outbox.mark_sent(store, first)
        outbox.mark_sent(store, second)
        assert outbox.due(store, "a", 1e12, 10) == []
        assert len(outbox.due(store, "b", 0, 10)) == 2
        a, b = status_of(store).peers
        assert (a.queued, a.sent, a.error, a.oldest) == (0, 2, None, None)
        assert (b.queued, b.sent) == (2, 0)
        assert b.oldest is not None
        lines = list(log_rows(store.database))[2:]
        assert [(line["action"], line["who"], line["prediction_id"]) for line in lines] == [
            ("send", "a", "one"), ("send", "a", "two"),
        ]  # fmt: skip

    def test_delays_double_up_to_the_longest(self) -> None:
        delays = Delays(1, 300)
        for tries, middle in ((1, 1), (2, 2), (5, 16), (20, 300), (10_000, 300)):
            drawn = [delays.after(tries) for _ in range(50)]
            assert 0.5 * middle <= min(drawn) < max(drawn) <= 1.5 * middle


class TestKeeping:
    """What is removed."""

    def test_files_go_after_their_time_and_rows_stay(self, store: Store) -> None:
        waits, done, queued = (received(store, bytes([n]), f"1.{n}") for n in range(3))
        settle(store, done, DONE, [OBJECTS[0]], ["a"])
        settle(store, queued, DONE, [OBJECTS[1]], ["a"])
        outbox.mark_sent(store, outbox.due(store, "a", 0, 1)[0])
        assert remove_old(store, 1) == 0
        assert len(files_of(store.folder)) == 5
        lines = len(list(log_rows(store.database)))
        assert remove_old(store, 0) == 1
        kept = {path.stem for path in files_of(store.folder / "received" / "..")}
        assert {waits.sha256, queued.sha256} <= kept
        assert done.sha256 not in kept
        assert len(kept) == 3
        assert len(list(log_rows(store.database))) == lines
        assert status_of(store).inbox["done"] == 2
        # It comes again, and is neither judged nor kept again.
        assert put(store, "1.1", bytes([1]), "MODALITY") == "known"
        assert not store.received.path(done.sha256).exists()

    def test_an_object_of_two_images_stays_while_one_needs_it(self, store: Store) -> None:
        for number in range(2):
            settle(store, received(store, bytes([number]), f"1.{number}"), DONE, OBJECTS, ["a"])
        for each in outbox.due(store, "a", 0, 2):
            outbox.mark_sent(store, each)
        assert remove_old(store, 0) == 1
        for each in outbox.due(store, "a", 0, 2):
            assert store.objects.path(each.sha256).exists()

    def test_what_a_killed_process_left_is_removed_later(self, store: Store) -> None:
        image = received(store)
        left = [store.received.put(b"left"), store.objects.put(b"left too")]
        draft = store.received.path(image.sha256).with_name(".image.dcm.0123abcd")
        draft.write_bytes(b"half")
        store.sweep()
        assert len(files_of(store.folder)) == 3
        for path in [draft, *files_of(store.folder)]:
            os.utime(path, (time.time() - 7200,) * 2)
        store.sweep()
        assert [path.stem for path in files_of(store.folder)] == [image.sha256]
        assert image.sha256 not in left
        assert not draft.exists()


def test_a_folder_has_one_node(store: Store) -> None:
    with store.locked(), Store(store.folder) as other, refuses("node-running"), other.locked():
        pass
    with store.locked():
        pass


def full(*_: object) -> NoReturn:
    raise OSError(errno.ENOSPC, "No space left on device")
