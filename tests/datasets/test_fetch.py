"""Downloads against a server in this process, which keeps a log of what it was asked for."""

import hashlib
import json
import re
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import IO, Any

import pytest

from fixtures.refuses import refuses
from pulmo.datasets.fetch import Web, fetch, resume
from pulmo.datasets.source import SOURCES, Published, Repository

DATA = bytes(range(256)) * 4096
MD5 = f"md5:{hashlib.md5(DATA, usedforsecurity=False).hexdigest()}"
REPOSITORY = Repository("owner/set", "c" * 40, ("table.csv", "images"), 2)


@dataclass
class Behaviour:
    """What the server does, and what it was asked for."""

    files: dict[str, bytes] = field(default_factory=dict)
    status: dict[str, int] = field(default_factory=dict)
    etag: str | None = '"one"'
    ranges: bool = True
    content_range: str | None = None
    # Bytes of an answer after which the connection is dropped, or held until the test lets go.
    drop_after: int | None = None
    hold_after: int | None = None
    let_go: Event = field(default_factory=Event)
    log: list[tuple[str, str | None, str | None]] = field(default_factory=list)


class _Handler(BaseHTTPRequestHandler):
    behaviour: Behaviour

    def do_GET(self) -> None:
        it = self.behaviour
        asked, condition = self.headers.get("Range"), self.headers.get("If-Range")
        it.log.append((self.path.removesuffix("?download=1"), asked, condition))
        path = self.path.removesuffix("?download=1")
        if path not in it.files or path in it.status:
            self.send_error(it.status.get(path, 404))
            return
        data, start = it.files[path], 0
        if asked and it.ranges and condition in (None, it.etag):
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            if start >= len(data):
                self.send_response(416)
                self.send_header("Content-Range", it.content_range or f"bytes */{len(data)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206)
            whole = f"bytes {start}-{len(data) - 1}/{len(data)}"
            self.send_header("Content-Range", it.content_range or whole)
        else:
            self.send_response(200)
        if it.etag:
            self.send_header("ETag", it.etag)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        self._send(data[start:])

    def _send(self, data: bytes) -> None:
        it = self.behaviour
        if it.drop_after is not None:
            self.wfile.write(data[: it.drop_after])
            self.close_connection = True
        elif it.hold_after is not None:
            self.wfile.write(data[: it.hold_after])
            it.let_go.wait(30)
        else:
            self.wfile.write(data)

    def log_message(self, *_args: object) -> None:
        """Says nothing on stderr."""


@pytest.fixture
def behaviour() -> Behaviour:
    return Behaviour(files={"/file.npz": DATA})


@pytest.fixture
def server(behaviour: Behaviour) -> Iterator[str]:
    handler = type("Handler", (_Handler,), {"behaviour": behaviour})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        running.daemon_threads = True
        thread = Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        behaviour.let_go.set()
        running.shutdown()
        thread.join()


@pytest.fixture
def remote(server: str) -> dict[str, Published]:
    return {"only": Published(f"{server}/file.npz?download=1", MD5)}


def git_sha1(data: bytes) -> str:
    """What `git hash-object` prints."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


@pytest.fixture
def web(server: str, behaviour: Behaviour) -> Web:
    """GitHub with one repository."""
    serve(behaviour, {"table.csv": b"a,b\n", "images/a b#1.png": DATA, "images/deep/c.png": b"c"})
    return Web(f"{server}/api", f"{server}/raw")


def serve(behaviour: Behaviour, files: dict[str, bytes], *more: dict[str, Any]) -> None:
    tree = [
        {"path": p, "mode": "100644", "type": "blob", "sha": git_sha1(d), "size": len(d)}
        for p, d in files.items()
    ]
    tree.append({"path": "images", "mode": "040000", "type": "tree", "sha": "0" * 40})
    answer = {"tree": [*tree, *more], "truncated": False}
    behaviour.files = {
        f"/raw/owner/set/{REPOSITORY.commit}/{path.replace(' ', '%20').replace('#', '%23')}": data
        for path, data in files.items()
    }
    behaviour.files[API] = json.dumps(answer).encode()


API = f"/api/repos/owner/set/git/trees/{REPOSITORY.commit}?recursive=1"


def files_below(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


class TestPublished:
    """One file with a hash."""

    def test_a_file_arrives_whole_under_its_name(
        self, remote: dict[str, Published], tmp_path: Path, behaviour: Behaviour
    ) -> None:
        calls: list[tuple[int, int]] = []
        found = fetch(
            remote, tmp_path / "new", on_progress=lambda done, total: calls.append((done, total))
        )
        assert found == (tmp_path / "new" / "file.npz", 1, len(DATA))
        assert found.root.read_bytes() == DATA
        assert files_below(tmp_path) == ["new/file.npz"]
        assert behaviour.log == [("/file.npz", None, None)]
        assert calls[-1] == (len(DATA), len(DATA))
        assert [done for done, _ in calls] == sorted(done for done, _ in calls)

    def test_a_file_that_is_there_is_not_asked_for(
        self, remote: dict[str, Published], tmp_path: Path, behaviour: Behaviour
    ) -> None:
        (tmp_path / "file.npz").write_bytes(DATA)
        assert fetch(remote, tmp_path).size == len(DATA)
        assert not behaviour.log

    def test_another_file_of_that_name_is_kept(
        self, remote: dict[str, Published], tmp_path: Path, behaviour: Behaviour
    ) -> None:
        (tmp_path / "file.npz").write_bytes(b"mine")
        with refuses("download-target-differs"):
            fetch(remote, tmp_path)
        assert (tmp_path / "file.npz").read_bytes() == b"mine"
        assert not behaviour.log

    def test_a_dropped_connection_goes_on_where_it_stopped(
        self, remote: dict[str, Published], tmp_path: Path, behaviour: Behaviour
    ) -> None:
        behaviour.drop_after = 500_000
        with refuses("download-interrupted"):
            fetch(remote, tmp_path)
        assert files_below(tmp_path) == ["file.npz.part", "file.npz.part.etag"]
        have = (tmp_path / "file.npz.part").stat().st_size
        assert 400_000 < have <= 500_000
        behaviour.drop_after = None
        calls: list[int] = []
        found = fetch(remote, tmp_path, on_progress=lambda done, _: calls.append(done))
        assert found.root.read_bytes() == DATA
        assert behaviour.log[1:] == [("/file.npz", f"bytes={have}-", '"one"')]
        assert min(calls) > have
        assert files_below(tmp_path) == ["file.npz"]

    @pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
    def test_a_killed_download_goes_on_where_it_stopped(
        self,
        remote: dict[str, Published],
        tmp_path: Path,
        behaviour: Behaviour,
        how: signal.Signals,
    ) -> None:
        behaviour.hold_after = 700_000
        # A shell that runs the tests in the background has its children ignore SIGINT.
        program = (
            "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
            "from pathlib import Path; from pulmo.datasets.fetch import fetch; "
            "from pulmo.datasets.source import Published; "
            "fetch({'only': Published(*sys.argv[1:3])}, Path(sys.argv[3]), "
            "on_progress=lambda done, _: print(done, flush=True))"
        )
        words = [sys.executable, "-c", program, *remote["only"], str(tmp_path)]
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
            reached = read_until(child.stdout, 600_000)
            child.send_signal(how)
            assert child.wait(30) != 0
        have = (tmp_path / "file.npz.part").stat().st_size
        assert reached <= have < 700_000
        behaviour.hold_after = None
        assert fetch(remote, tmp_path).root.read_bytes() == DATA
        assert behaviour.log[1:] == [("/file.npz", f"bytes={have}-", '"one"')]

    def test_a_server_without_ranges_starts_over(
        self, remote: dict[str, Published], tmp_path: Path, behaviour: Behaviour
    ) -> None:
        behaviour.ranges = False
        (tmp_path / "file.npz.part").write_bytes(DATA[:1000])
        assert fetch(remote, tmp_path).root.read_bytes() == DATA
        assert behaviour.log == [("/file.npz", "bytes=1000-", None)]

    def test_a_file_that_changed_meanwhile_starts_over(
        self, remote: dict[str, Published], tmp_path: Path, behaviour: Behaviour
    ) -> None:
        (tmp_path / "file.npz.part").write_bytes(b"of the old version")
        (tmp_path / "file.npz.part.etag").write_text('"old"')
        assert fetch(remote, tmp_path).root.read_bytes() == DATA
        assert behaviour.log == [("/file.npz", "bytes=18-", '"old"')]

    @pytest.mark.parametrize("etag", ['W/"weak"', None])
    def test_a_version_without_a_strong_name_is_not_asked_for(
        self,
        remote: dict[str, Published],
        tmp_path: Path,
        behaviour: Behaviour,
        etag: str | None,
    ) -> None:
        behaviour.etag, behaviour.drop_after = etag, 500_000
        with refuses("download-interrupted"):
            fetch(remote, tmp_path)
        assert files_below(tmp_path) == ["file.npz.part"]
        behaviour.drop_after = None
        assert fetch(remote, tmp_path).root.read_bytes() == DATA
        assert behaviour.log[1][2] is None

    def test_a_part_that_is_whole_is_only_checked(
        self, remote: dict[str, Published], tmp_path: Path, behaviour: Behaviour
    ) -> None:
        (tmp_path / "file.npz.part").write_bytes(DATA)
        assert fetch(remote, tmp_path).root.read_bytes() == DATA
        assert behaviour.log == [("/file.npz", f"bytes={len(DATA)}-", None)]

    def test_a_part_that_is_too_long_starts_over(
        self, remote: dict[str, Published], tmp_path: Path, behaviour: Behaviour
    ) -> None:
        (tmp_path / "file.npz.part").write_bytes(DATA + b"more")
        assert fetch(remote, tmp_path).root.read_bytes() == DATA
        assert [asked for _, asked, _ in behaviour.log] == [f"bytes={len(DATA) + 4}-", None]

    @pytest.mark.parametrize("said", ["bytes 7-9/1048576", "nonsense"])
    def test_another_range_than_was_asked_for_starts_over(
        self, remote: dict[str, Published], tmp_path: Path, behaviour: Behaviour, said: str
    ) -> None:
        behaviour.content_range = said
        (tmp_path / "file.npz.part").write_bytes(DATA[:1000])
        assert fetch(remote, tmp_path).root.read_bytes() == DATA
        assert [asked for _, asked, _ in behaviour.log] == ["bytes=1000-", None]

    def test_a_server_that_sends_parts_unasked_is_named(
        self, remote: dict[str, Published], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(resume, "_attempt", lambda *_: False)
        with refuses("download-range-differs"):
            fetch(remote, tmp_path)

    def test_wrong_bytes_are_deleted(
        self, remote: dict[str, Published], tmp_path: Path, behaviour: Behaviour
    ) -> None:
        behaviour.files["/file.npz"] = DATA[:-1] + b"!"
        with refuses("download-hash-differs"):
            fetch(remote, tmp_path)
        assert files_below(tmp_path) == []

    @pytest.mark.parametrize(
        ("status", "code"),
        [(404, "download-gone"), (403, "download-refused"), (503, "download-refused")],
    )
    def test_an_answer_that_is_no_file_is_a_sentence(
        self,
        remote: dict[str, Published],
        tmp_path: Path,
        behaviour: Behaviour,
        status: int,
        code: str,
    ) -> None:
        behaviour.status["/file.npz"] = status
        with refuses(code, status):
            fetch(remote, tmp_path)
        assert files_below(tmp_path) == []

    def test_a_server_that_is_not_there(self, tmp_path: Path) -> None:
        # Port 9 discards; nothing listens on it.
        with refuses("download-interrupted", "0 bytes", "Failed to establish"):
            fetch({"a": Published("http://127.0.0.1:9/a.npz", MD5)}, tmp_path)

    def test_a_host_that_cannot_be_found(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def unknown(*_: object, **__: object) -> None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", unknown)
        monkeypatch.setenv("NO_PROXY", "*")
        url = "http://images.invalid/a.npz"
        with refuses("download-interrupted", url, "host images.invalid", "HTTPS_PROXY"):
            fetch({"a": Published(url, MD5)}, tmp_path)

    def test_a_full_disk_keeps_what_is_there(
        self, remote: dict[str, Published], tmp_path: Path, behaviour: Behaviour
    ) -> None:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
        try:
            with refuses("download-not-written", "npz.part"):
                fetch(remote, tmp_path)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        have = (tmp_path / "file.npz.part").stat().st_size
        assert fetch(remote, tmp_path).root.read_bytes() == DATA
        assert behaviour.log[1][1] == f"bytes={have}-"

    def test_the_first_part_is_taken_and_another_can_be_chosen(
        self, remote: dict[str, Published], tmp_path: Path, server: str, behaviour: Behaviour
    ) -> None:
        behaviour.files["/b.npz"] = b"b"
        digest = f"sha256:{hashlib.sha256(b'b').hexdigest()}"
        parts = remote | {"b": Published(f"{server}/b.npz", digest)}
        assert fetch(parts, tmp_path).root.name == "file.npz"
        assert fetch(parts, tmp_path, "b").root.name == "b.npz"
        with refuses("download-part-unknown", "'c'", "only, b"):
            fetch(parts, tmp_path, "c")


def read_until(stream: IO[bytes] | None, enough: int) -> int:
    """Reads a child's progress until it is far enough."""
    assert stream
    for line in stream:
        if int(line) >= enough:
            return int(line)
    raise AssertionError("the download ended early")


class TestRepository:
    """A repository at one commit."""

    def test_only_what_the_reader_needs_is_downloaded(
        self, web: Web, tmp_path: Path, behaviour: Behaviour
    ) -> None:
        serve(
            behaviour,
            {"table.csv": b"a,b\n", "images/a b#1.png": DATA, "imagesque/no.png": b"", "x.md": b""},
            {"path": "images/link", "mode": "120000", "type": "blob", "sha": "0" * 40, "size": 1},
        )
        calls: list[tuple[int, int]] = []
        found = fetch(REPOSITORY, tmp_path, on_progress=lambda *call: calls.append(call), web=web)
        assert found == (tmp_path, 2, len(DATA) + 4)
        assert files_below(tmp_path) == ["images/a b#1.png", "table.csv"]
        assert (tmp_path / "images" / "a b#1.png").read_bytes() == DATA
        assert [path for path, _, _ in behaviour.log] == [
            API,
            f"/raw/owner/set/{REPOSITORY.commit}/table.csv",
            f"/raw/owner/set/{REPOSITORY.commit}/images/a%20b%231.png",
        ]
        assert calls[-1] == (len(DATA) + 4, len(DATA) + 4)
        assert calls == sorted(calls)

    def test_git_itself_gives_the_same_names(self, tmp_path: Path) -> None:
        (tmp_path / "f").write_bytes(DATA)
        words = ["git", "hash-object", str(tmp_path / "f")]
        answer = subprocess.run(words, check=True, capture_output=True, text=True)
        assert answer.stdout.strip() == git_sha1(DATA)

    def test_a_dropped_set_goes_on_with_the_file_at_which_it_stopped(
        self, web: Web, tmp_path: Path, behaviour: Behaviour
    ) -> None:
        behaviour.status[f"/raw/owner/set/{REPOSITORY.commit}/images/deep/c.png"] = 503
        with refuses("download-refused", "503"):
            fetch(REPOSITORY, tmp_path, web=web)
        assert files_below(tmp_path) == ["images/a b#1.png", "table.csv"]
        behaviour.status.clear()
        behaviour.log.clear()
        assert fetch(REPOSITORY, tmp_path, web=web).files == 3
        assert [path.rsplit("/", 1)[-1] for path, _, _ in behaviour.log[1:]] == ["c.png"]

    def test_wrong_bytes_are_deleted_and_named(
        self, web: Web, tmp_path: Path, behaviour: Behaviour
    ) -> None:
        behaviour.files[f"/raw/owner/set/{REPOSITORY.commit}/table.csv"] = b"a,c\n"
        with refuses("download-hash-differs"):
            fetch(REPOSITORY, tmp_path, web=web)
        assert files_below(tmp_path) == []

    def test_a_file_that_a_person_changed_is_kept(
        self, web: Web, tmp_path: Path, behaviour: Behaviour
    ) -> None:
        (tmp_path / "table.csv").write_text("a,b\ncorrected,\n")
        with refuses("download-target-differs"):
            fetch(REPOSITORY, tmp_path, web=web)
        assert (tmp_path / "table.csv").read_text() == "a,b\ncorrected,\n"
        assert len(behaviour.log) == 1

    @pytest.mark.parametrize("name", ["images/../../evil.png", "images/out/evil.png"])
    def test_nothing_is_written_outside_the_folder(
        self, web: Web, tmp_path: Path, behaviour: Behaviour, name: str
    ) -> None:
        folder, outside = tmp_path / "set", tmp_path / "outside"
        (folder / "images").mkdir(parents=True)
        outside.mkdir()
        (folder / "images" / "out").symlink_to(outside)
        serve(behaviour, {"table.csv": b"", name: b"evil"})
        with refuses("download-failed", name):
            fetch(REPOSITORY, folder, web=web)
        assert files_below(tmp_path) == ["set/table.csv"]

    def test_a_commit_before_the_images_is_noticed(
        self, web: Web, tmp_path: Path, behaviour: Behaviour
    ) -> None:
        serve(behaviour, {"table.csv": b"", "imagesque/a.png": b""})
        with refuses("download-list-unexpected", 1, "table.csv, images", "c" * 40, 2):
            fetch(REPOSITORY, tmp_path, web=web)

    @pytest.mark.parametrize(
        "answer",
        [
            b"<html>",
            b"[]",
            b'{"tree": [{"path": "a"}], "truncated": false}',
            b'{"tree": [], "truncated": true}',
            b'{"tree": []}',
        ],
    )
    def test_a_list_that_is_none_or_cut_short(
        self, web: Web, tmp_path: Path, behaviour: Behaviour, answer: bytes
    ) -> None:
        behaviour.files[API] = answer
        with refuses("download-list-incomplete"):
            fetch(REPOSITORY, tmp_path, web=web)

    def test_github_that_wants_a_pause(
        self, web: Web, tmp_path: Path, behaviour: Behaviour
    ) -> None:
        behaviour.status[API] = 403
        with refuses("download-list-failed", "403"):
            fetch(REPOSITORY, tmp_path, web=web)

    def test_a_repository_has_no_parts(self, web: Web, tmp_path: Path) -> None:
        with refuses("download-without-parts"):
            fetch(REPOSITORY, tmp_path, "a", web=web)


def test_every_remote_is_pinned_and_hashed() -> None:
    remotes = [source.about.remote for source in SOURCES.values() if source.about.remote]
    assert remotes
    for remote in remotes:
        if isinstance(remote, Repository):
            assert re.fullmatch(r"[\w-]+/[\w.-]+", remote.name)
            assert re.fullmatch(r"[0-9a-f]{40}", remote.commit)
            assert 0 < len(remote.paths) < remote.least
        else:
            assert all(file.url.startswith("https://") for file in remote.values())
            assert all(re.fullmatch(r"md5:[0-9a-f]{32}", file.digest) for file in remote.values())
