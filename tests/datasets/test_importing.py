import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from fixtures.refuses import refuses
from pulmo.core.files import read_bytes
from pulmo.datasets import importing as module
from pulmo.datasets import reading as reading_module
from pulmo.datasets.importing import (
    NothingImportedError,
    Reading,
    import_source,
)
from pulmo.datasets.journal import Journal
from pulmo.datasets.manifest import Manifest
from pulmo.datasets.merge import merge, merge_agreeing
from pulmo.datasets.source import Problem


def test_import_reads_what_table_and_files_say(phantoms: Path) -> None:
    calls: list[tuple[int, int]] = []
    imported = import_source(
        "csv", phantoms, on_progress=lambda done, total: calls.append((done, total))
    )
    table = pd.read_csv(phantoms)
    assert not imported.problems
    assert imported.manifest.frame["label"].tolist() == table["label"].tolist()
    assert imported.manifest.frame["patient"].tolist() == table["patient"].astype(str).tolist()
    assert imported.manifest.frame["width"].tolist() == table["width"].tolist()
    assert imported.manifest.frame["age"].tolist() == table["age"].astype(float).tolist()
    assert set(imported.manifest.frame["root"]) == {str(phantoms.resolve())}
    assert set(imported.manifest.frame["origin"]) == {"phantom"}
    # First those found, while their number is unknown.
    assert calls == [(n, 0) for n in range(1, 65)] + [(n, 64) for n in range(1, 65)]
    assert imported.manifest.frame["group"].nunique() == table["patient"].nunique()


def test_unreadable_files_are_named_and_the_rest_is_done(tmp_path: Path, image: Path) -> None:
    folder = tmp_path / "normal"
    folder.mkdir()
    shutil.copy(image, folder / "a.png")
    (folder / "b.png").write_text("text")
    (folder / "c.png").touch()
    (folder / "d.png").write_bytes(image.read_bytes()[:500])
    imported = import_source("folder", tmp_path, called="mine")
    assert len(imported.manifest) == 1
    assert set(imported.manifest.frame["source"]) == {"mine"}
    assert [Path(p.path).name for p in imported.problems] == ["b.png", "c.png", "d.png"]
    assert all(p.failed for p in imported.problems)


def test_a_set_without_one_good_image_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "normal").mkdir()
    with refuses("import-empty"):
        import_source("folder", tmp_path)
    with refuses("registry-name-unknown", "Did you mean 'kermany'"):
        import_source("kermani", tmp_path)


def test_a_link_is_a_row_of_the_problems_and_never_followed(tmp_path: Path, image: Path) -> None:
    (tmp_path / "set" / "normal" / "deep").mkdir(parents=True)
    shutil.copy(image, tmp_path / "set" / "normal" / "a.png")
    links: dict[str, str | Path] = {
        "Normal": "normal",
        "normal/again.png": "a.png",
        "normal/deep/out": tmp_path,
        "normal/gone.png": "nowhere",
        "normal/loop": ".",
    }
    for name, target in links.items():
        (tmp_path / "set" / name).symlink_to(target)
    imported = import_source("folder", tmp_path / "set")
    assert imported.manifest.frame["path"].tolist() == [str(tmp_path / "set" / "normal" / "a.png")]
    reason = "it is a link, and links are not followed"
    assert imported.problems == [
        Problem(str(tmp_path / "set" / name), reason, failed=False) for name in links
    ]


def test_copies_with_different_labels_are_all_left_out(tmp_path: Path, image: Path) -> None:
    other = sorted(image.parent.iterdir())[1]
    places = ["covid/a.png", "normal/a.png", "normal/b.png", "viral/c.png", "viral/d.png"]
    for place in places:
        (tmp_path / place).parent.mkdir(exist_ok=True)
        shutil.copy(other if place.startswith("viral") else image, tmp_path / place)
    imported = import_source("folder", tmp_path)
    assert [Path(p).name for p in imported.manifest.frame["path"]] == ["c.png", "d.png"]
    a, b, c = (str(tmp_path / place) for place in places[:3])
    assert imported.problems == [
        Problem(a, f"it is labelled covid, and its copy normal: {b}"),
        Problem(b, f"it is labelled normal, and its copy covid: {a}"),
        Problem(c, f"it is labelled normal, and its copy covid: {a}"),
    ]
    shutil.rmtree(tmp_path / "viral")
    with pytest.raises(NothingImportedError) as nothing:
        import_source("folder", tmp_path)
    assert nothing.value.code == "import-empty"
    assert len(nothing.value.problems) == 3


def test_reading_ends_with_its_user_and_keeps_what_was_read(
    phantoms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []

    def count(path: Path) -> bytes:
        opened.append(path)
        return read_bytes(path)

    def interrupted(done: int, _total: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr(reading_module, "read_bytes", count)
    monkeypatch.setattr("pulmo.core.parallel.cores", lambda: 2)
    reading = Reading(journal=Journal(tmp_path / "j"))
    with pytest.raises(KeyboardInterrupt):
        import_source("csv", phantoms, on_progress=only_reading(interrupted), reading=reading)
    assert len(opened) <= 10
    begun = set(opened)
    opened.clear()
    resumed = import_source("csv", phantoms, reading=reading)
    assert resumed.kept == 5
    assert len(opened) == 59
    assert len(begun | set(opened)) == 64
    plain = import_source("csv", phantoms)
    assert (resumed.manifest == plain.manifest, plain.kept) == (True, 0)


def only_reading(report: Callable[[int, int], None]) -> Callable[[int, int], None]:
    return lambda done, total: report(done, total) if total else None


def test_a_journal_is_written_part_by_part(
    phantoms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As far as a process that is killed gets: no code of its own runs any more."""
    monkeypatch.setattr(module, "_CHUNK", 10)
    journal = Journal(tmp_path / "j")
    parts: list[int] = []

    def look(done: int, _total: int) -> None:
        parts.append(len(Journal(tmp_path / "j").read()) // 10 if done % 10 == 0 else -1)

    import_source("csv", phantoms, on_progress=only_reading(look), reading=Reading(journal=journal))
    assert [count for count in parts if count >= 0] == [1, 2, 3, 4, 5, 6]
    assert len(journal.read()) == 64


def test_an_import_reads_what_has_changed_and_believes_the_index(
    phantoms: Path, tmp_path: Path
) -> None:
    """Of the ways to change: touched, replaced, removed, added; and another word of the table."""
    shutil.copytree(phantoms.parent, tmp_path / "set")
    table = tmp_path / "set" / phantoms.name
    output = tmp_path / "m.parquet"
    first = import_source("csv", table, called="x", reading=Reading(earlier=output)).manifest
    first.save(output)
    names = [Path(path) for path in first.frame["path"]]
    os.utime(names[0], ns=(1, 1))
    names[1].write_bytes(names[2].read_bytes())
    names[3].unlink()
    shutil.copy(phantoms.parent / "images" / names[4].name, tmp_path / "set" / "new.png")
    rows = pd.read_csv(table)
    rows.loc[5, ["label", "view", "patient"]] = ["other", None, 999]
    rows = pd.concat([rows, rows.iloc[[4]].assign(path="new.png")])
    rows.loc[1, "label"] = rows["label"][2]
    rows.to_csv(table, index=False)
    again = import_source("csv", table, called="x", reading=Reading(earlier=output))
    plain = import_source("csv", table, called="x")
    assert again.manifest == plain.manifest
    assert again.problems == plain.problems
    assert len(again.problems) == 1
    assert again.kept == 61
    changed = again.manifest.frame.set_index("path").loc[str(names[5])]
    assert (changed["label"], changed["patient"]) == ("other", "999")


def test_headers_only_is_not_enough_for_a_later_import(phantoms: Path, tmp_path: Path) -> None:
    output = tmp_path / "m.parquet"
    headers = import_source("csv", phantoms, reading=Reading(decode=False))
    assert headers.manifest.frame["pixels_sha256"].isna().all()
    headers.manifest.save(output)
    assert import_source("csv", phantoms, reading=Reading(decode=False, earlier=output)).kept == 64
    whole = import_source("csv", phantoms, reading=Reading(earlier=output))
    assert whole.kept == 0
    decoded = ["pixels_sha256", "notes"]
    assert set(headers.manifest.frame["notes"]) == {"unknown"}
    assert whole.manifest.frame["notes"].isna().all()
    assert whole.manifest.frame.drop(columns=decoded).equals(
        headers.manifest.frame.drop(columns=decoded)
    )
    whole.manifest.save(output)
    # A hash that is known stays known.
    kept = import_source("csv", phantoms, reading=Reading(decode=False, earlier=output))
    assert kept.manifest == whole.manifest


def test_a_lossless_copy_is_in_the_group_of_its_original(tmp_path: Path, image: Path) -> None:
    for name in ("a.png", "b.tif"):
        (tmp_path / "normal").mkdir(exist_ok=True)
        Image.open(image).save(tmp_path / "normal" / name)
    table = import_source("folder", tmp_path).manifest
    assert table.frame["sha256"].nunique() == 2
    assert len(set(table.frame["group"])) == 1
    assert table.frame["format"].tolist() == ["PNG", "TIFF"]
    assert table.frame["bytes"].tolist() == [
        Path(path).stat().st_size for path in table.frame["path"]
    ]


def test_merge_finds_copies_across_sources(images: pd.DataFrame) -> None:
    copy = images.head(3).assign(
        path=[f"/copy/{n}" for n in range(3)], patient=["9", "8", "7"], source="copy"
    )
    joined = merge([Manifest(images), Manifest(copy)])
    assert len(joined) == 67
    assert joined.frame["group"].nunique() == images["group"].nunique()
    with refuses("image-in-several-manifests"):
        merge([Manifest(images), Manifest(images.head(1))])


def test_merge_keeps_what_curation_put_together(images: pd.DataFrame) -> None:
    groups = images["group"].where(images.index >= 2, "curated")
    other = images.tail(1).assign(
        path="/copy/0", sha256="0" * 64, pixels_sha256="1" * 64, patient=None, source="copy"
    )
    other["group"] = "another"
    joined = merge([Manifest(images.assign(group=groups)), Manifest(other)])
    first, second = joined.frame["group"][:2]
    assert images["group"][0] != images["group"][1]
    assert first == second
    assert joined.frame["group"].nunique() == images["group"].nunique()


def test_merge_refuses_sources_that_contradict_each_other(images: pd.DataFrame) -> None:
    copy = images.head(2).assign(path=["/copy/0", "/copy/1"], source="copy")
    copy["label"] = [images["label"][0], "other"]
    with refuses("image-labels-contradict") as caught:
        merge([Manifest(images), Manifest(copy)])
    known = f"{images['path'][1]}: it is labelled {images['label'][1]}"
    assert f"{known}, and its copy other: /copy/1." in str(caught.value)
    joined = merge_agreeing([Manifest(images), Manifest(copy)])
    assert [problem.path for problem in joined.problems] == [images["path"][1], "/copy/1"]
    assert joined.manifest.frame["path"].tolist() == [
        path for path in [*images["path"], "/copy/0"] if path != images["path"][1]
    ]
    with refuses("merge-empty"):
        merge_agreeing([Manifest(images[1:2]), Manifest(copy[1:])])
