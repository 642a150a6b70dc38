import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from typing import NoReturn

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pulmo.core.errors import InputError, UsageError
from pulmo.datasets import manifest as module
from pulmo.datasets.manifest import group, import_source, merge
from pulmo.datasets.source import Entry, Problem


def test_import_reads_what_table_and_files_say(phantoms: Path) -> None:
    calls: list[tuple[int, int]] = []
    imported = import_source(
        "csv", phantoms, on_progress=lambda done, total: calls.append((done, total))
    )
    table = pd.read_csv(phantoms)
    assert not imported.problems
    assert imported.manifest["label"].tolist() == table["label"].tolist()
    assert imported.manifest["patient"].tolist() == table["patient"].astype(str).tolist()
    assert imported.manifest["width"].tolist() == table["width"].tolist()
    assert imported.manifest["age"].tolist() == table["age"].astype(float).tolist()
    assert set(imported.manifest["source"]) == {"csv"}
    assert calls[-1] == (64, 64)
    assert imported.manifest["group"].nunique() == table["patient"].nunique()


def test_unreadable_files_are_named_and_the_rest_is_done(tmp_path: Path, film: Path) -> None:
    folder = tmp_path / "normal"
    folder.mkdir()
    shutil.copy(film, folder / "a.png")
    (folder / "b.png").write_text("text")
    (folder / "c.png").touch()
    (folder / "d.png").write_bytes(film.read_bytes()[:500])
    imported = import_source("folder", tmp_path, called="mine")
    assert len(imported.manifest) == 1
    assert set(imported.manifest["source"]) == {"mine"}
    assert [Path(p.path).name for p in imported.problems] == ["b.png", "c.png", "d.png"]
    assert all(p.failed for p in imported.problems)


def test_a_set_without_one_good_picture_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "normal").mkdir()
    with pytest.raises(InputError, match=r"no readable, labelled picture\..*holds no file"):
        import_source("folder", tmp_path)
    with pytest.raises(UsageError, match="Did you mean 'kermany'"):
        import_source("kermani", tmp_path)


def test_a_file_that_is_found_twice_counts_once(tmp_path: Path, film: Path) -> None:
    (tmp_path / "normal").mkdir()
    shutil.copy(film, tmp_path / "normal" / "a.png")
    (tmp_path / "Normal").symlink_to("normal")
    imported = import_source("folder", tmp_path)
    path = str(tmp_path / "normal" / "a.png")
    assert imported.manifest["path"].tolist() == [path]
    assert imported.problems == [Problem(path, "it is found twice; one counts")]


def test_copies_with_different_labels_are_all_left_out(tmp_path: Path, film: Path) -> None:
    other = sorted(film.parent.iterdir())[1]
    places = ["covid/a.png", "normal/a.png", "normal/b.png", "viral/c.png", "viral/d.png"]
    for place in places:
        (tmp_path / place).parent.mkdir(exist_ok=True)
        shutil.copy(other if place.startswith("viral") else film, tmp_path / place)
    imported = import_source("folder", tmp_path)
    assert [Path(p).name for p in imported.manifest["path"]] == ["c.png", "d.png"]
    a, b, c = (str(tmp_path / place) for place in places[:3])
    assert imported.problems == [
        Problem(a, f"it is labelled covid, and its copy {b} normal"),
        Problem(b, f"it is labelled normal, and its copy {a} covid"),
        Problem(c, f"it is labelled normal, and its copy {a} covid"),
    ]
    shutil.rmtree(tmp_path / "viral")
    with pytest.raises(InputError, match=r"no readable, labelled picture\. The first: .*labelled"):
        import_source("folder", tmp_path)


def test_reading_ends_with_its_user(phantoms: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Entry] = []
    sixth = Event()

    def count(entry: Entry) -> Problem:
        opened.append(entry)
        if len(opened) > 5:
            sixth.set()
        return Problem(str(entry.path), "it is not read here")

    def interrupted(_done: int, _total: int) -> NoReturn:
        assert not sixth.wait(0.5)
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_read", count)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    with pytest.raises(KeyboardInterrupt):
        import_source("csv", phantoms, on_progress=interrupted)
    assert len(opened) <= 5


def rows(films: pd.DataFrame, **columns: Sequence[str | None]) -> pd.DataFrame:
    count = len(next(iter(columns.values())))
    series = {name: pd.Series(np.array(values, object)) for name, values in columns.items()}
    return films.head(count).assign(**series)


def test_groups_follow_chains_of_patients_and_copies(films: pd.DataFrame) -> None:
    digests = [letter * 64 for letter in "abbcde"]
    table = rows(
        films,
        sha256=digests,
        patient=["1", "1", "2", "2", None, "1"],
        source=["x", "x", "x", "x", "x", "y"],
    )
    groups = group(table)["group"].tolist()
    assert groups == ["x:1"] * 4 + ["d" * 16, "y:1"]


def test_a_lossless_copy_is_in_the_group_of_its_original(tmp_path: Path, film: Path) -> None:
    for name in ("a.png", "b.tif"):
        (tmp_path / "normal").mkdir(exist_ok=True)
        Image.open(film).save(tmp_path / "normal" / name)
    table = import_source("folder", tmp_path).manifest
    assert table["sha256"].nunique() == 2
    assert len(set(table["group"])) == 1
    assert table["format"].tolist() == ["PNG", "TIFF"]
    assert table["bytes"].tolist() == [Path(path).stat().st_size for path in table["path"]]


def test_pictures_without_patients_are_grouped_by_content(films: pd.DataFrame) -> None:
    table = rows(films, sha256=["a" * 64, "a" * 64, "b" * 64], patient=[None] * 3)
    assert group(table)["group"].tolist() == ["a" * 16, "a" * 16, "b" * 16]


def test_merge_finds_copies_across_sources(films: pd.DataFrame) -> None:
    copy = films.head(3).assign(
        path=[f"/copy/{n}" for n in range(3)], patient=["9", "8", "7"], source="copy"
    )
    joined = merge([films, copy])
    assert len(joined) == 67
    assert joined["group"].nunique() == films["group"].nunique()
    with pytest.raises(InputError, match="is in more than one of the manifests"):
        merge([films, films.head(1)])


def test_merge_refuses_sources_that_contradict_each_other(films: pd.DataFrame) -> None:
    copy = films.head(2).assign(path=["/copy/0", "/copy/1"], source="copy")
    copy["label"] = [films["label"][0], "other"]
    with pytest.raises(InputError, match="2 pictures of the manifests contradict") as caught:
        merge([films, copy])
    known = f"{films['path'][1]}: it is labelled {films['label'][1]}"
    assert f"{known}, and its copy /copy/1 other." in str(caught.value)
