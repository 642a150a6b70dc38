from pathlib import Path

import pytest

from pulmo.core.errors import InputError, UsageError
from pulmo.datasets.source import SOURCES, Entry, Problem, left_out_link


def index(root: Path, label_map: dict[str, str] | None = None) -> tuple[list[Entry], list[Problem]]:
    items = list(SOURCES["folder"].entries(root, label_map or {}))
    entries = [item for item in items if isinstance(item, Entry)]
    return entries, [item for item in items if isinstance(item, Problem)]


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_a_folder_is_a_label_or_in_the_map(tmp_path: Path) -> None:
    touch(tmp_path, "Covid/a.png", "No_findings/deep/b.png", ".hidden/c.png", "notes.txt")
    (tmp_path / "viral").mkdir()
    entries, problems = index(tmp_path, {"No_findings": "normal"})
    assert [(e.path.name, e.label) for e in entries] == [("a.png", "covid"), ("b.png", "normal")]
    assert [e.finding for e in entries] == ["Covid", "No_findings"]
    assert [p.reason for p in problems] == ["the folder holds no file"]
    with pytest.raises(UsageError, match="--map 'No_findings'=LABEL"):
        index(tmp_path)
    with pytest.raises(UsageError, match="Did you mean 'normal'"):
        index(tmp_path, {"No_findings": "nromal"})
    with pytest.raises(UsageError, match=r"says what 'Covib' means, but .* it has Covid, No_find"):
        index(tmp_path, {"Covib": "covid"})


def test_a_link_is_no_picture_and_no_class(tmp_path: Path) -> None:
    touch(tmp_path, "elsewhere/b.png")
    (tmp_path / "set" / "normal").mkdir(parents=True)
    for name in ("normal/other.png", "covid"):
        (tmp_path / "set" / name).symlink_to(tmp_path / "elsewhere")
    entries, problems = index(tmp_path / "set")
    assert not entries
    assert problems == [
        left_out_link(tmp_path / "set" / "covid"),
        left_out_link(tmp_path / "set" / "normal" / "other.png"),
        Problem(str(tmp_path / "set" / "normal"), "the folder holds no file"),
    ]
    (tmp_path / "set" / "normal" / "other.png").unlink()
    (tmp_path / "set" / "normal").rmdir()
    with pytest.raises(InputError, match="and a link is none"):
        index(tmp_path / "set")


def test_a_folder_inside_a_hidden_one_is_read(tmp_path: Path) -> None:
    touch(tmp_path, ".data/set/normal/a.png")
    entries, _ = index(tmp_path / ".data" / "set")
    assert len(entries) == 1


def test_a_set_without_a_folder_is_refused(tmp_path: Path) -> None:
    touch(tmp_path, "a.png")
    with pytest.raises(InputError, match="holds no folder; one folder a class was expected"):
        index(tmp_path)
    with pytest.raises(InputError, match=r"a.png is not a folder"):
        index(tmp_path / "a.png")
