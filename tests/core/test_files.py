import hashlib
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.refuses import refuses
from pulmo.core.files import read_bytes, sha256, write_atomically

FILL = """
import resource, sys
from pathlib import Path
from pulmo.core.files import write_atomically
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
write_atomically(Path(sys.argv[1]), bytes(2000))
"""


def test_a_written_file_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    write_atomically(path, b"one")
    write_atomically(path, b"two")
    assert read_bytes(path) == b"two"
    assert [p.name for p in path.parent.iterdir()] == ["file"]


def test_a_new_file_has_the_permissions_that_the_umask_gives(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a", b"")
    (tmp_path / "b").touch()
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_a_full_disk_leaves_the_old_file_whole(tmp_path: Path, unmeasured: dict[str, str]) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    result = subprocess.run(
        [sys.executable, "-c", FILL, str(path)],
        capture_output=True,
        text=True,
        check=False,
        env=unmeasured,
    )
    assert "could not be written" in result.stderr
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 1000


def test_a_file_cannot_be_written_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with refuses("file-not-written"):
        write_atomically(tmp_path / "file" / "x", b"")


def test_reading_names_what_is_wrong(tmp_path: Path) -> None:
    with refuses("file-missing"):
        read_bytes(tmp_path / "none")
    with refuses("file-is-folder"):
        read_bytes(tmp_path)
    (tmp_path / "file").touch()
    with refuses("file-unreadable"):
        read_bytes(tmp_path / "file" / "x")
    with refuses("file-name-invalid"):
        read_bytes(tmp_path / "a\0b")


def test_a_disk_that_gives_no_bytes_is_named() -> None:
    # A regular file to look at, whose first page cannot be read.
    with refuses("file-unreadable", "/proc/self/mem", "Input/output error"):
        read_bytes(Path("/proc/self/mem"))


def test_what_may_never_end_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/zero")
    for path in (Path("/dev/zero"), tmp_path / "pipe", tmp_path / "link"):
        with refuses("file-not-regular", path):
            read_bytes(path)


def test_a_link_to_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"image")
    (tmp_path / "link").symlink_to("file")
    assert read_bytes(tmp_path / "link") == b"image"


def test_sha256_is_hashlibs() -> None:
    assert sha256(b"image") == hashlib.sha256(b"image").hexdigest()


def test_an_interruption_leaves_no_part_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "a", b"data")
    assert list(tmp_path.iterdir()) == []
