import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from threading import Event
from typing import NoReturn

import numpy as np
import pandas as pd
import pytest

from fixtures.lungs import Blind
from fixtures.refuses import refuses
from pulmo.core.sections import ImageSection
from pulmo.datasets import cache as module
from pulmo.datasets.cache import cache_folder, cached_images
from pulmo.datasets.manifest import Manifest
from pulmo.lungs import shipped_finder
from pulmo.lungs.framing import framed_input
from pulmo.radiograph import Radiograph, read_radiograph
from pulmo.radiograph.geometry import to_input
from pulmo.radiograph.grey.equalise import Equalise
from pulmo.radiograph.grey.plain import PLAIN

SMALL = ImageSection(size=32)
FILL = """
import resource, sys
from pathlib import Path
from pulmo.core.sections import ImageSection
from pulmo.datasets.manifest import Manifest, read_manifest
from pulmo.datasets.cache import cached_images
resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))
cached_images(read_manifest(Path(sys.argv[1])), ImageSection(size=64), Path(sys.argv[2]))
"""


LUNGS = ImageSection(size=32, region="lungs")


def shards(folder: Path) -> list[Path]:
    """The files of all stores."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_the_cache_holds_what_the_predictor_would_see(images: pd.DataFrame, tmp_path: Path) -> None:
    shuffled = images.sample(frac=1, random_state=0)
    cached = cached_images(Manifest(shuffled), ImageSection(size=48, aspect="crop"), tmp_path)
    rows = np.array([5, 0, 5])
    expected = [
        to_input(read_radiograph(Path(shuffled["path"].iloc[row])).pixels, 48, "crop")
        for row in rows
    ]
    assert np.array_equal(cached.take(rows), np.stack(expected))


def test_images_are_decoded_once(
    images: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[int, int]] = []
    first = cached_images(Manifest(images), SMALL, tmp_path, lambda *done: calls.append(done))
    assert calls[-1] == (64, 64)
    monkeypatch.setattr(module, "read_radiograph", None)
    again = cached_images(Manifest(images.assign(split="train")[::-1]), SMALL, tmp_path)
    everything = np.arange(64)
    assert np.array_equal(again.take(everything), first.take(everything[::-1]))
    assert len(shards(tmp_path)) == 1


def test_another_choice_decodes_what_is_new(
    images: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []

    def count(path: Path) -> Radiograph:
        read.append(path)
        return read_radiograph(path)

    monkeypatch.setattr(module, "read_radiograph", count)
    monkeypatch.setattr(module, "_SHARD", 8)
    cached_images(Manifest(images.head(20)), SMALL, tmp_path)
    assert (len(read), len(shards(tmp_path))) == (20, 3)
    mixed = images.iloc[[3, 40, 19, 50, 0]]
    cached = cached_images(Manifest(mixed), SMALL, tmp_path)
    assert sorted(map(str, read[20:])) == sorted(images["path"].iloc[[40, 50]])
    expected = [to_input(read_radiograph(Path(p)).pixels, 32, "pad") for p in mixed["path"]]
    assert np.array_equal(cached.take(np.arange(5)), np.stack(expected))


def test_each_grey_scale_has_its_own_store(images: pd.DataFrame, tmp_path: Path) -> None:
    row = np.arange(1)
    plain, equalised = (
        cached_images(Manifest(images.head(1)), ImageSection(size=32, grey=grey), tmp_path).take(
            row
        )
        for grey in (PLAIN, Equalise())
    )
    assert not np.array_equal(plain, equalised)


def test_a_copy_is_stored_once(images: pd.DataFrame, tmp_path: Path) -> None:
    twice = pd.concat([images, images.assign(path=images["path"] + "x")], ignore_index=True)
    assert cached_images(Manifest(twice), SMALL, tmp_path).shards[0].shape == (64, 32, 32)


def test_a_changed_or_missing_image_is_named(images: pd.DataFrame, tmp_path: Path) -> None:
    changed = tmp_path / "image.png"
    shutil.copy(images["path"][0], changed)
    images.loc[1, "path"] = str(changed)
    with refuses("image-changed", "image.png"):
        cached_images(Manifest(images), SMALL, tmp_path / "cache")
    changed.unlink()
    with refuses("file-missing", "image.png"):
        cached_images(Manifest(images), SMALL, tmp_path / "cache")
    assert not shards(tmp_path / "cache")


def test_an_interruption_does_not_wait_for_all_images(
    images: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []
    sixth = Event()

    def read(path: Path) -> Radiograph:
        opened.append(path)
        if len(opened) > 5:
            sixth.set()
        return read_radiograph(path)

    def interrupted(_done: int, _total: int) -> NoReturn:
        assert not sixth.wait(0.5)
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "read_radiograph", read)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    with pytest.raises(KeyboardInterrupt):
        cached_images(Manifest(images), SMALL, tmp_path, interrupted)
    assert len(opened) <= 5
    assert not shards(tmp_path)


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "shape", "type"])
def test_a_cache_that_is_not_whole_is_built_anew(
    images: pd.DataFrame, tmp_path: Path, damage: str
) -> None:
    few, everything = images.head(4), np.arange(4)
    whole = cached_images(Manifest(few), SMALL, tmp_path).take(everything)
    (path,) = shards(tmp_path)
    if damage in ("shape", "type"):
        with path.open("wb") as file:
            np.save(file, whole[:2] if damage == "shape" else whole.astype(np.float32))
    else:
        path.write_bytes({"cut": path.read_bytes()[:-1], "empty": b"", "text": b"PK"}[damage])
    again = cached_images(Manifest(few), SMALL, tmp_path)
    assert np.array_equal(again.take(everything), whole)
    assert shards(tmp_path) == [path]


def test_a_cache_folder_that_cannot_be_is_a_sentence(images: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with refuses("cache-not-written"):
        cached_images(Manifest(images.head(1)), SMALL, tmp_path / "file" / "x")


def test_a_full_disk_is_a_sentence_and_leaves_nothing(
    images: pd.DataFrame, tmp_path: Path, unmeasured: dict[str, str]
) -> None:
    Manifest(images).save(tmp_path / "m.parquet")
    result = subprocess.run(
        [sys.executable, "-c", FILL, str(tmp_path / "m.parquet"), str(tmp_path / "cache")],
        capture_output=True,
        text=True,
        check=False,
        env=unmeasured,
    )
    assert "Set PULMO_CACHE to a folder with more room" in result.stderr
    assert not shards(tmp_path / "cache")
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 20000


def test_the_cache_lies_where_the_user_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULMO_CACHE", "/a")
    assert cache_folder() == Path("/a")
    monkeypatch.delenv("PULMO_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/b")
    assert cache_folder() == Path("/b/pulmo")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "pulmo"


def test_images_of_the_lungs_are_kept_with_the_part_that_they_show(
    images: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = images.iloc[4:10]  # drawings in which lungs are found
    finder = Blind([rows["sha256"].iloc[4]])
    first = cached_images(Manifest(rows), LUNGS, tmp_path, finder=finder)
    expected = [framed_input(read_radiograph(Path(path)), LUNGS, finder) for path in rows["path"]]
    monkeypatch.setattr(module, "read_radiograph", None)
    again = cached_images(Manifest(rows[::-1]), LUNGS, tmp_path, finder=finder)
    for cached, order in ((first, range(6)), (again, range(5, -1, -1))):
        for row, number in enumerate(order):
            assert np.array_equal(cached.take(np.array([row]))[0], expected[number].pixels)
            assert cached.box(row) == expected[number].box
    assert expected[4].box is None
    assert expected[0].box is not None
    assert np.flatnonzero(first.without_lungs).tolist() == [4]
    assert np.flatnonzero(again.without_lungs).tolist() == [1]


def test_all_that_decides_what_is_shown_has_its_own_store(
    images: pd.DataFrame, tmp_path: Path
) -> None:
    row, other = Manifest(images.head(1)), Blind(())
    other.sha256 = "1" * 64
    shown = [
        (SMALL, None),
        (LUNGS, shipped_finder()),
        (LUNGS, other),
        (LUNGS.model_copy(update={"margin": 0.1}), shipped_finder()),
        (LUNGS.model_copy(update={"outside": "black"}), shipped_finder()),
        (LUNGS.model_copy(update={"outside": "mean"}), shipped_finder()),
        (LUNGS.model_copy(update={"frame": "moments"}), shipped_finder()),
        (LUNGS.model_copy(update={"frame": "moments", "spread": 3.0}), shipped_finder()),
        (LUNGS.model_copy(update={"normalise": "lungs"}), shipped_finder()),
    ]
    for image, finder in shown * 2:
        cached_images(row, image, tmp_path, finder=finder)
    assert len(list(tmp_path.iterdir())) == len(shards(tmp_path)) == len(shown)
    whole = cached_images(row, SMALL, tmp_path)
    assert (whole.boxes, whole.box(0), whole.without_lungs.tolist()) == (None, None, [False])
    with pytest.raises(ValueError, match="network of the lungs"):
        cached_images(row, LUNGS, tmp_path)


def test_a_shard_of_the_lungs_that_is_cut_short_is_made_again(
    images: pd.DataFrame, tmp_path: Path
) -> None:
    rows, finder = Manifest(images.head(4)), shipped_finder()
    first = cached_images(rows, LUNGS, tmp_path, finder=finder)
    boxes = [first.box(row) for row in range(4)]
    (path,) = shards(tmp_path)
    path.write_bytes(path.read_bytes()[:-16])
    again = cached_images(rows, LUNGS, tmp_path, finder=finder)
    assert [again.box(row) for row in range(4)] == boxes
