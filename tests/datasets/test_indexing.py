import os
from pathlib import Path

import pytest

from pulmo.core.boxes import Box, boxes_of_text
from pulmo.datasets.indexing import INDEX, index_entries
from pulmo.datasets.source import Entry, Problem


def test_an_index_holds_what_the_source_says(tmp_path: Path) -> None:
    box = Box("mass", 0.1, 0.2, 0.3, 0.4)
    problem = Problem("row 7", "it has no finding", failed=False)
    items: list[Entry | Problem] = [
        Entry(tmp_path / "a.png", "covid", "COVID-19", "p1", age=40.0, boxes=(box,)),
        problem,
        Entry(tmp_path / "b.png", "normal", offset=3),
    ]
    calls: list[tuple[int, int]] = []
    entries, problems = index_entries(items, lambda done, total: calls.append((done, total)))
    assert problems == [problem]
    assert calls == [(1, 0), (2, 0)]
    assert entries.schema == INDEX
    first, second = entries.to_pylist()
    assert first["path"] == f"{tmp_path}/a.png"
    assert (first["label"], first["patient"], first["age"], first["offset"]) == (
        "covid", "p1", 40.0, None,
    )  # fmt: skip
    assert boxes_of_text(first["boxes"]) == (box,)
    assert (second["label"], second["boxes"], second["offset"]) == ("normal", None, 3.0)


def test_paths_are_those_of_the_files_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.png").touch()
    (tmp_path / "folder").symlink_to("real")
    (tmp_path / "b.png").symlink_to("real/a.png")
    monkeypatch.chdir(tmp_path)
    for path in (tmp_path / "folder" / "a.png", tmp_path / "b.png", Path("folder/a.png")):
        entries, _ = index_entries([Entry(path, "covid")])
        assert entries["path"].to_pylist() == [str((tmp_path / "real" / "a.png").resolve())]


def test_names_that_are_not_utf8_are_problems(tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"\xff")
    (tmp_path / "fine").mkdir()
    odd.symlink_to("fine")
    # The finding would be the folder's name.
    items = [Entry(odd / "a.png", "covid", odd.name), Entry(tmp_path / f"{odd.name}.png", "covid")]
    entries, problems = index_entries(items)
    assert len(entries) == 0
    assert [problem.path for problem in problems] == [str(item.path) for item in items]
    assert {problem.reason for problem in problems} == {
        "its name is not UTF-8, as a manifest needs; rename it"
    }


def test_a_file_with_several_entries_counts_once_or_not_at_all(tmp_path: Path) -> None:
    labels = {"a": ["covid"], "b": ["covid"] * 3, "c": ["viral", "covid", "viral"], "d": ["other"]}
    rows = [(name, label) for n in range(3) for name, several in labels.items()
            for label in several[n : n + 1]]  # fmt: skip
    entries, problems = index_entries([Entry(tmp_path / name, label) for name, label in rows])
    assert [Path(path).name for path in entries["path"].to_pylist()] == ["a", "b", "d"]
    assert problems == [
        Problem(f"{tmp_path}/c", "it is found with different labels: covid, viral"),
        Problem(f"{tmp_path}/b", "it is found twice; one counts"),
        Problem(f"{tmp_path}/b", "it is found twice; one counts"),
    ]
