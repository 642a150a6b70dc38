import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.refuses import refuses
from pulmo.datasets.importing import import_source
from pulmo.datasets.source import images_below, left_out_link


def test_files_come_in_path_order_and_as_they_are_asked_for(tmp_path: Path) -> None:
    names = ["b/2.png", "b/10.png", "a.png", "a/z/y/x.png", "a-b/1.png", "c.png", "a/1.png"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = images_below(tmp_path)
    assert next(found) == tmp_path / "a" / "1.png"
    assert [tmp_path / "a" / "1.png", *found] == sorted(tmp_path / name for name in names)


def test_hidden_files_and_pipes_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / ".hidden").mkdir()
    for name in ("a/1.png", "a/.2.png", ".hidden/3.png"):
        (tmp_path / name).touch()
    (tmp_path / "a" / ".link.png").symlink_to("1.png")
    os.mkfifo(tmp_path / "a" / "pipe.png")
    assert list(images_below(tmp_path)) == [tmp_path / "a" / "1.png"]


def test_a_link_is_a_problem_in_the_place_of_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "b.png").touch()
    for name, target in (("a", ".."), ("c", "."), ("d", "d"), ("e", "b.png"), ("f", "gone")):
        (tmp_path / "set" / name).symlink_to(target)
    first, image, *others = images_below(tmp_path / "set")
    assert image == tmp_path / "set" / "b.png"
    assert [first, *others] == [left_out_link(tmp_path / "set" / name) for name in "acdef"]
    assert left_out_link(tmp_path).failed is False


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "1.png").touch()
    (tmp_path / "link").symlink_to("real")
    assert list(images_below(tmp_path / "link")) == [tmp_path / "link" / "1.png"]


@pytest.fixture
def deep_file(tmp_path: Path) -> Iterator[Path]:
    """A file below more folders than Python's calls can be nested; it is removed as carefully."""
    here, path = os.open(tmp_path, os.O_RDONLY), tmp_path
    for _ in range(1200):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here, path = below, path / "d"
    os.close(here)
    (path / "1.png").touch()
    yield path / "1.png"
    (path / "1.png").unlink()
    while path != tmp_path:
        path.rmdir()
        path = path.parent


def test_deep_folders_are_walked(tmp_path: Path, deep_file: Path) -> None:
    assert list(images_below(tmp_path)) == [deep_file]


def test_a_folder_that_cannot_be_opened_is_named_and_the_rest_is_done(
    tmp_path: Path, image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a/1.png", "locked/2.png", "z/3.png"):
        (tmp_path / "normal" / name).parent.mkdir(parents=True)
        (tmp_path / "normal" / name).write_bytes(image.read_bytes())
    scan = os.scandir

    def refuse(path: Path) -> object:
        if path.name == "locked":
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    imported = import_source("folder", tmp_path)
    assert [Path(path).name for path in imported.manifest.frame["path"]] == ["1.png", "3.png"]
    assert [tuple(problem) for problem in imported.problems] == [
        (str(tmp_path / "normal" / "locked"), "it could not be read: Permission denied", True)
    ]


def test_what_is_no_folder_is_an_error_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name in ("none", "file"):
        with refuses("folder-missing"):
            images_below(tmp_path / name)
