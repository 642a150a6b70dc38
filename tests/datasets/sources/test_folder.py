from pathlib import Path

import pytest

from pulmo.core.errors import InputError, UsageError
from pulmo.datasets.source import SOURCES, Entry, Problem


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
    assert [p.reason for p in problems] == ["the folder holds no file; links are not followed"]
    with pytest.raises(UsageError, match="--map 'No_findings'=LABEL"):
        index(tmp_path)
    with pytest.raises(UsageError, match="Did you mean 'normal'"):
        index(tmp_path, {"No_findings": "nromal"})
    with pytest.raises(UsageError, match=r"says what 'Covib' means, but .* it has Covid, No_find"):
        index(tmp_path, {"Covib": "covid"})


def test_a_link_is_no_picture_of_the_set(tmp_path: Path) -> None:
    touch(tmp_path, "set/normal/a.png", "elsewhere/b.png")
    (tmp_path / "set" / "normal" / "same.png").symlink_to("a.png")
    (tmp_path / "set" / "normal" / "other.png").symlink_to(tmp_path / "elsewhere" / "b.png")
    (tmp_path / "set" / "normal" / "deep").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "set" / "normal" / "loop").symlink_to(".")
    entries, problems = index(tmp_path / "set")
    assert [entry.path.name for entry in entries] == ["a.png"]
    assert not problems


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
