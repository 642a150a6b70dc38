from pathlib import Path

import pytest

from fixtures.refuses import refuses
from pulmo.datasets.class_names import UnknownClassesError
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
    with refuses("class-names-unknown", "normal for 'No_findings'"):
        index(tmp_path)
    with refuses("label-unknown", "Did you mean 'normal'"):
        index(tmp_path, {"No_findings": "nromal"})
    with refuses("mapped-class-missing", "'Covib'", "Covid, No_findings"):
        index(tmp_path, {"Covib": "covid"})


def test_folders_of_a_split_are_kept_as_the_split(tmp_path: Path) -> None:
    touch(
        tmp_path, "Training/covid/a.png", "Training/NORMAL/b.png", "valid/covid/c.png",
        "TEST/NORMAL/d.png", "TEST/notes.txt", "__MACOSX/TEST/._d.png", ".git/x",
    )  # fmt: skip
    entries, problems = index(tmp_path)
    assert not problems
    assert {(e.path.name, e.label, e.split, e.finding) for e in entries} == {
        ("a.png", "covid", "train", "covid"),
        ("b.png", "normal", "train", "NORMAL"),
        ("c.png", "covid", "val", "covid"),
        ("d.png", "normal", "test", "NORMAL"),
    }


def test_the_folder_of_a_split_is_never_a_class(tmp_path: Path) -> None:
    touch(tmp_path, "train/COVID19/a.png", "train/normal/b.png", "val/COVID19/c.png")
    with refuses("class-names-unknown") as unknown:
        index(tmp_path)
    assert "covid for 'COVID19'" in str(unknown.value)
    assert "train" not in str(unknown.value).removeprefix(str(tmp_path))
    entries, _ = index(tmp_path, {"COVID19": "covid"})
    assert [e.label for e in entries] == ["covid", "normal", "covid"]
    # To say what train is would label all that is in it.
    with refuses("mapped-class-missing", "'train'", "COVID19, normal"):
        index(tmp_path, {"train": "covid", "COVID19": "covid"})
    touch(tmp_path, "covid/d.png")
    with refuses("class-folders-mixed", "train, val", "covid"):
        index(tmp_path, {"COVID19": "covid"})


def test_a_split_without_classes_is_refused(tmp_path: Path) -> None:
    touch(tmp_path, "train/a.png", "test/b.png")
    with refuses("split-folder-without-classes", tmp_path / "test"):
        index(tmp_path)


@pytest.mark.parametrize(
    ("names", "place"),
    [
        (["dataset/covid/a.png", "dataset/normal/b.png"], "dataset"),
        (["dataset/covid/a.png", "README.md", "docs/x.txt"], "dataset"),
        (["a/b/covid/a.png", "a/b/normal/b.png"], "a/b"),
        (["data/train/covid/a.png", "data/val/normal/b.png"], "data"),
        (["data/COVID19/a.png", "data/Healthy/b.png"], "data"),
        (["patients/x1/a/a.png", "patients/x2/b/b.png"], "patients"),
        (["viral/covid/a.png", "viral/normal/b.png"], "viral"),
    ],
)
def test_a_folder_one_level_too_high_says_where_the_classes_are(
    tmp_path: Path, names: list[str], place: str
) -> None:
    touch(tmp_path, *names)
    first = place.partition("/")[0]
    several = any("normal" in name or "Healthy" in name for name in names)
    # Of one that is said to be a class, folders of another class tell.
    for label_map in ({}, {first: "covid"}) if several else ({},):
        with refuses("class-folders-deeper") as error:
            index(tmp_path, label_map)
        assert str(error.value).endswith(f" {tmp_path / place} is meant.")


def test_a_class_may_hold_a_folder_a_patient(tmp_path: Path) -> None:
    touch(tmp_path, "covid/p1/a.png", "Kontrolle/p2/b.png")
    with refuses("class-folders-nested", "'Kontrolle'"):
        index(tmp_path)
    entries, _ = index(tmp_path, {"Kontrolle": "normal"})
    assert {(e.path.name, e.label) for e in entries} == {("a.png", "covid"), ("b.png", "normal")}


def test_kinds_of_a_class_may_lie_in_its_folder(tmp_path: Path) -> None:
    touch(tmp_path, "pneumonia/viral/a.png", "pneumonia/bacterial/b.png", "normal/c.png")
    entries, _ = index(tmp_path)
    assert [e.label for e in entries] == ["normal", "pneumonia", "pneumonia"]
    touch(tmp_path, "pneumonia/normal/d.png")
    with refuses("class-folders-deeper", "pneumonia"):
        index(tmp_path)


def test_all_unknown_names_are_in_one_message(tmp_path: Path) -> None:
    touch(tmp_path, "COVID19/a.png", "Viral Pneumonia/b.png", "Foo/c.png", "normal/d.png")
    with refuses("class-names-unknown") as error:
        index(tmp_path)
    assert isinstance(error.value, UnknownClassesError)
    assert error.value.meant == {"COVID19": "covid", "Foo": None, "Viral Pneumonia": "viral"}
    assert all(repr(name) in str(error.value) for name in error.value.meant)


def test_a_flat_folder_is_of_the_class_that_is_said(tmp_path: Path) -> None:
    touch(tmp_path, "a.png", "deep/b.png")
    entries, _ = index(tmp_path, {".": "other"})
    assert [(e.path.name, e.label, e.split) for e in entries] == [
        ("a.png", "other", None),
        ("b.png", "other", None),
    ]
    with refuses("label-unknown", "Did you mean 'other'"):
        index(tmp_path, {".": "othr"})
    touch(tmp_path, "covid/c.png")
    with refuses("class-folders-present", "(covid)"):
        index(tmp_path, {".": "other"})


def test_a_link_is_no_image_and_no_class(tmp_path: Path) -> None:
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
    with refuses("class-folders-missing"):
        index(tmp_path / "set")


def test_a_folder_inside_a_hidden_one_is_read(tmp_path: Path) -> None:
    touch(tmp_path, ".data/set/normal/a.png")
    entries, _ = index(tmp_path / ".data" / "set")
    assert len(entries) == 1


def test_a_set_without_a_folder_is_refused(tmp_path: Path) -> None:
    touch(tmp_path, "a.png")
    with refuses("class-folders-missing"):
        index(tmp_path)
    with refuses("folder-missing", "a.png"):
        index(tmp_path / "a.png")
