from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from fixtures.refuses import refuses
from pulmo.datasets.curate import Curated, CurationProgress, curate
from pulmo.datasets.curate.report import COLUMNS
from pulmo.datasets.manifest import Manifest
from pulmo.datasets.schema import SCHEMA
from pulmo.datasets.source import Problem

Pixels = NDArray[np.float32]
Write = Callable[[Mapping[str, Pixels]], pd.DataFrame]

PATHS = ("path", "other_path")


def rows(done: Curated) -> list[tuple[str, str, str, str]]:
    """Returns the report's rows: name, action, reason, name of the other."""
    report = done.report
    paths = (report[name].fillna("").map(lambda path: Path(path).stem) for name in PATHS)
    return list(zip(next(paths), report["action"], report["reason"], next(paths), strict=True))


def names(table: pd.DataFrame) -> list[str]:
    return [Path(path).stem for path in table["path"]]


@pytest.fixture
def images(drawn: list[Pixels], crop: Pixels) -> dict[str, Pixels]:
    """Two sources: three images each, one of them shared and cropped."""
    return {
        "north/covid/a": drawn[0],
        "north/covid/b": drawn[1],
        "north/normal/c": drawn[2],
        "south/covid/crop": crop,
        "south/normal/d": drawn[3],
        "south/normal/e": drawn[4],
    }


def test_a_crop_in_another_source_falls_into_the_group(
    write: Write, images: dict[str, Pixels]
) -> None:
    table = write(images)
    steps: list[tuple[int, int]] = []
    done = curate(Manifest(table), progress=CurationProgress(lambda *step: steps.append(step)))
    assert list(done.manifest.frame.columns) == list(SCHEMA.columns)
    assert names(done.manifest.frame) == names(table)
    groups = dict(zip(names(done.manifest.frame), done.manifest.frame["group"], strict=True))
    assert groups["a"] == groups["crop"]
    assert len(set(groups.values())) == 5
    assert steps == [(step, 6) for step in range(1, 7)]
    assert done.problems == []
    assert list(done.report.columns) == list(COLUMNS)
    row = done.report.iloc[0]
    assert rows(done) == [("crop", "grouped", "near copy", "a")]
    assert row[["image", "source", "other_source"]].to_list() == [1, "south", "north"]
    assert row[["label", "other_label"]].to_list() == ["covid", "covid"]
    assert row["inliers"] >= 30
    assert row["displacement"] < 0.22
    assert row["correlation"] > 0.75
    assert row["overlap"] > 0.95
    assert not row["mirrored"]


def test_the_same_images_give_the_same_report(write: Write, images: dict[str, Pixels]) -> None:
    table = write(images)
    pd.testing.assert_frame_equal(curate(Manifest(table)).report, curate(Manifest(table)).report)


def test_groups_chain_through_patients_and_are_never_taken_apart(
    write: Write, images: dict[str, Pixels]
) -> None:
    table = write(images).assign(patient=None)
    table.loc[[0, 1], "patient"] = "7"
    table.loc[[4, 5], "group"] = "earlier"
    done = curate(Manifest(table))
    groups = dict(zip(names(done.manifest.frame), done.manifest.frame["group"], strict=True))
    assert groups["a"] == groups["b"] == groups["crop"] == "north:7"
    assert groups["d"] == groups["e"] == table["sha256"].iloc[[4, 5]].min()[:16]
    assert len(set(groups.values())) == 3


def test_exact_copies_are_found_without_a_hash_of_the_pixels(
    write: Write, images: dict[str, Pixels]
) -> None:
    table = write({**images, "south/covid/same": images["north/covid/b"]})
    other = Path(table["path"].iloc[0]).with_suffix(".tiff")
    expected = table["pixels_sha256"].copy()
    done = curate(Manifest(table.assign(pixels_sha256=None)))
    assert not other.exists()
    assert done.manifest.frame["pixels_sha256"].to_list() == expected.to_list()
    assert ("same", "grouped", "same file", "b") in rows(done)
    exact = done.report[done.report["reason"] == "same file"].iloc[0]
    assert exact[["hash_distance", "inliers", "correlation", "mirrored"]].isna().all()


def test_copies_that_contradict_each_other_all_go(write: Write, images: dict[str, Pixels]) -> None:
    images["south/normal/crop"] = images.pop("south/covid/crop")
    done = curate(Manifest(write(images)))
    assert names(done.manifest.frame) == ["b", "c", "d", "e"]
    assert rows(done) == [
        ("a", "removed", "contradiction", "crop"),
        ("crop", "grouped", "near copy", "a"),
        ("crop", "removed", "contradiction", "a"),
    ]
    assert len(set(done.report["inliers"])) == 1
    assert done.report["image"].to_list() == [1, 1, 1]


def test_the_label_of_a_trusted_source_stays(write: Write, images: dict[str, Pixels]) -> None:
    images["south/normal/crop"] = images.pop("south/covid/crop")
    table = write(images)
    assert names(curate(Manifest(table), trust=["south"]).manifest.frame) == [
        "b",
        "c",
        "crop",
        "d",
        "e",
    ]
    assert names(curate(Manifest(table), trust=["north"]).manifest.frame) == [
        "a",
        "b",
        "c",
        "d",
        "e",
    ]
    with refuses("source-unknown", "'east'", "north, south"):
        curate(Manifest(table), trust=["north", "east"])


def test_pneumonia_of_unstated_cause_contradicts_no_cause(
    write: Write, images: dict[str, Pixels]
) -> None:
    images["south/pneumonia/crop"] = images.pop("south/covid/crop")
    assert [row[1] for row in rows(curate(Manifest(write(images))))] == ["grouped"]


def test_the_largest_copy_stays(write: Write, images: dict[str, Pixels]) -> None:
    images |= {"south/covid/z": images["north/covid/a"] * 0.9}
    done = curate(Manifest(write(images)), drop_copies=True)
    assert names(done.manifest.frame) == ["a", "b", "c", "d", "e"]
    assert [row for row in rows(done) if row[1] == "removed"] == [
        ("crop", "removed", "copy", "a"),
        ("z", "removed", "copy", "a"),
    ]


def test_what_contradicts_is_no_copy_that_could_stay(
    write: Write, images: dict[str, Pixels]
) -> None:
    images["south/normal/crop"] = images.pop("south/covid/crop")
    images["south/pneumonia/z"] = images["north/covid/a"] * 0.9
    done = curate(Manifest(write(images)), trust=["south"], drop_copies=True)
    assert names(done.manifest.frame) == ["b", "c", "d", "e"]


def test_images_that_cannot_be_read_are_named_and_the_rest_is_done(
    write: Write, images: dict[str, Pixels]
) -> None:
    table = write(images)
    gone, changed = table["path"].iloc[1], table["path"].iloc[4]
    Path(gone).unlink()
    Path(changed).write_bytes(Path(table["path"].iloc[5]).read_bytes())
    done = curate(Manifest(table))
    assert done.problems == [
        Problem(gone, "it does not exist"),
        Problem(changed, "it has changed since it was imported; import it again"),
    ]
    assert names(done.manifest.frame) == ["a", "c", "crop", "e"]
    assert [row for row in rows(done) if row[1] == "removed"] == [
        ("b", "removed", "it does not exist", ""),
        ("d", "removed", "it has changed since it was imported; import it again", ""),
    ]
    lost = done.report[done.report["action"] == "removed"]
    assert lost[["image", "other_label", "inliers"]].isna().all(axis=None)
    assert lost["source"].to_list() == ["north", "south"]


def test_nothing_may_be_left(write: Write, images: dict[str, Pixels]) -> None:
    pair = {"a/covid/x": images["north/covid/a"], "b/normal/y": images["south/covid/crop"]}
    table = write(pair)
    with refuses("curation-empty"):
        curate(Manifest(table))
    for path in table["path"]:
        Path(path).write_text("none")
    with refuses("images-unreadable"):
        curate(Manifest(table))
    with refuses("manifest-empty"):
        curate(Manifest(table.iloc[:0]))
