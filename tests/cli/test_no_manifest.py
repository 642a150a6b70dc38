"""A folder or a table of images where a manifest was expected: the lines to type, which work."""

import os
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from pulmo.core.errors import NoManifestError
from pulmo.core.folders import RunFolder
from pulmo.datasets.importing import import_source
from pulmo.datasets.manifest import Manifest, read_manifest

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def here(images: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to be in, next to a folder with images in class folders."""
    for row in images.itertuples():
        place = tmp_path / "my images" / str(row.label) / Path(str(row.path)).name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(str(row.path), place)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path


def lines_of(err: str) -> list[list[str]]:
    """The commands that a message tells to type, without the program's name."""
    lines = [shlex.split(line) for line in err.splitlines() if line.startswith("  pulmo ")]
    assert lines, err
    return [words[1:] for words in lines]


def test_the_lines_to_type_can_be_typed(pulmo: Call, here: Path) -> None:
    folder = here / "my images"
    status, out, err = pulmo("data", "split", folder, "--val", "0.3", "-o", "m.parquet")
    assert (status, out) == (3, "")
    assert f"{folder} is a folder; a manifest was expected" in err
    first, last = lines_of(err)
    assert last == ["data", "split", "my images.parquet", "--val", "0.3", "-o", "m.parquet"]
    for line in (first, last):
        assert pulmo(*line)[0] == 0
    assert set(read_manifest("m.parquet").frame["split"]) == {"train", "val", "test"}


@pytest.mark.parametrize(
    "words",
    [
        ["train", "demo", "-o", "run", "--data", "FOLDER"],
        ["train", "demo", "-o", "run", "--data=FOLDER"],
        ["search", "demo", "--space", "s.toml", "-o", "x", "--data", "FOLDER"],
        ["evaluate", "BUNDLE", "-o", "x", "--data", "FOLDER"],
        ["audit", "BUNDLE", "-o", "x", "--data", "FOLDER"],
    ],
)
def test_commands_that_need_a_split_are_refused(
    pulmo: Call, here: Path, bundle: Path, words: list[str]
) -> None:
    Path("s.toml").write_text('"train.lr" = {low = 1e-4, high = 1e-2}\n')
    folder = os.path.relpath(here / "my images")
    typed = [w.replace("FOLDER", f"{folder}/").replace("BUNDLE", str(bundle)) for w in words]
    status, out, err = pulmo(*typed)
    assert (status, out) == (3, "")
    first, second, last = lines_of(err)
    assert first == ["data", "import", "folder", folder, "-o", "my images.parquet"]
    assert second == ["data", "split", "my images.parquet", "-o", "my images.parquet"]
    assert last == [
        w.replace("FOLDER", "my images.parquet").replace("BUNDLE", str(bundle)) for w in words
    ]
    assert not Path("run").exists()


def test_a_folder_with_a_split_of_its_own_keeps_it(pulmo: Call, here: Path) -> None:
    for side in ("train", "val"):
        shutil.copytree(here / "my images", here / "keras" / side)
    _, _, err = pulmo("train", "demo", "--data", here / "keras", "-o", "run")
    assert "--keep-official" in lines_of(err)[1]


def test_names_that_are_near_labels_are_in_the_line_to_type(pulmo: Call, here: Path) -> None:
    (here / "my images" / "covid").rename(here / "my images" / "COVID 19")
    _, _, err = pulmo("data", "inspect", here / "my images", "-o", "i")
    assert "COVID 19 as covid" in err
    for line in lines_of(err):
        assert pulmo(*line)[0] == 0
    assert "covid" in set(read_manifest("my images.parquet").frame["label"])


def test_a_name_that_is_not_clear_is_left_to_the_user(pulmo: Call, here: Path) -> None:
    (here / "my images" / "covid").rename(here / "my images" / "A")
    for side in ("train", "val"):
        shutil.copytree(here / "my images", here / "keras" / side)
    _, _, err = pulmo("train", "demo", "--data", here / "keras", "-o", "run")
    first, second, _ = lines_of(err)
    assert "A=LABEL" in first
    assert "--keep-official" in second


def test_what_the_import_will_say_is_said(pulmo: Call, here: Path) -> None:
    _, _, err = pulmo("data", "inspect", here, "-o", "i")
    assert f" {here / 'my images'} is meant." in err


def test_a_table_and_a_run_are_distinguished(
    pulmo: Call, phantoms: Path, images: pd.DataFrame, here: Path
) -> None:
    _, _, err = pulmo("train", "demo", "--data", phantoms, "-o", "run")
    assert lines_of(err)[0] == ["data", "import", "csv", str(phantoms), "-o", "phantoms.parquet"]
    run = RunFolder(here / "run")
    Manifest(images).save(run.manifest)
    _, _, err = pulmo("data", "inspect", run.root, "-o", "i")
    assert lines_of(err) == [["data", "inspect", str(run.manifest), "-o", "i"]]


def test_paths_may_be_text(images: pd.DataFrame, here: Path) -> None:
    text = str(here / "m.parquet")
    Manifest(images).save(text)
    pd.testing.assert_frame_equal(read_manifest(text).frame, images)
    assert len(import_source("folder", str(here / "my images")).manifest) == len(images)
    with pytest.raises(NoManifestError) as error:
        read_manifest(str(here))
    assert error.value.code == "manifest-expected"
    assert error.value.path == here


def test_without_a_name_the_output_is_named_after_what_is_read(pulmo: Call, here: Path) -> None:
    status, out, err = pulmo("data", "import", "folder", here / "my images")
    assert (status, out.startswith("my images.parquet: ")) == (0, True)
    assert err.splitlines()[0] == "No -o was given. The output is my images.parquet."
    status, _, err = pulmo("data", "split", "my images.parquet")
    assert (status, "The output is my images-split.parquet." in err) == (0, True)
    assert read_manifest("my images-split.parquet").frame["split"].notna().all()
    status, _, err = pulmo("train", "demo", "--data", "none.parquet", "--from-scratch")
    assert (status, "run-demo" in err) == (3, False)
    assert not Path("run-demo").exists()
    status, _, err = pulmo("train", "--resume")
    assert (status, "-o RUN" in err) == (2, True)
