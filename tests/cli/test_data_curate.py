from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from pulmo.datasets.importing import import_source
from pulmo.datasets.manifest import Manifest, read_manifest
from pulmo.datasets.phantom import draw

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def sets(tmp_path: Path) -> list[Path]:
    """The manifests of two sources; the second has a crop of the first's first image."""
    generator = np.random.default_rng(7)
    drawn = [draw("normal", patient, generator, 200).pixels * 255 for patient in range(4)]
    images = {
        "north": {"covid/a": drawn[0], "normal/b": drawn[1]},
        "south": {"covid/c": drawn[0][8:180, 20:190], "normal/d": drawn[2]},
    }
    manifests = []
    for source, named in images.items():
        for name, pixels in named.items():
            path = tmp_path / source / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), pixels.astype(np.uint8))
        manifests.append(tmp_path / f"{source}.parquet")
        imported = import_source("folder", tmp_path / source, called=source)
        imported.manifest.save(manifests[-1])
    return manifests


def test_what_was_found_is_reported_and_written(
    pulmo: Call, sets: list[Path], tmp_path: Path
) -> None:
    output = tmp_path / "new" / "all.parquet"
    status, out, err = pulmo("data", "curate", *sets, "-o", output)
    assert (status, err) == (0, "")
    report = output.with_name("all.curation.csv")
    labels = "(2 covid, 2 normal)"
    assert out.splitlines() == [
        f"{output}: 4 images in 3 groups {labels}, of 4 images in 4 groups {labels}",
        "copies: 1 pairs of 1 images (1 near copy)",
        "  in both north and south: 1",
        f"{report}: a row for each pair and each removal, with the evidence",
    ]
    assert read_manifest(output).frame["group"].nunique() == 3
    (row,) = pd.read_csv(report).itertuples()
    assert (row.action, row.reason, row.source, row.other_source) == (
        "grouped", "near copy", "south", "north",
    )  # fmt: skip
    assert [Path(str(path)).name for path in (row.path, row.other_path)] == ["c.png", "a.png"]


def test_a_curated_manifest_may_be_curated_again(
    pulmo: Call, sets: list[Path], tmp_path: Path
) -> None:
    output = tmp_path / "all.parquet"
    assert pulmo("data", "curate", *sets, "-o", output)[0] == 0
    before = read_manifest(output)
    status, out, err = pulmo("data", "curate", output, "-o", output, "--drop-copies")
    assert (status, err) == (0, "")
    assert "removed: 1 (copy)" in out.splitlines()
    after = read_manifest(output)
    assert len(after) == 3
    assert set(after.frame["group"]) == set(before.frame["group"])


def test_a_manifest_without_copies(pulmo: Call, sets: list[Path], tmp_path: Path) -> None:
    status, out, _ = pulmo("data", "curate", sets[0], "-o", tmp_path / "m.parquet")
    assert status == 0
    assert out.splitlines()[1] == "copies: none"
    assert "m.curation.csv: no row" in out.splitlines()[2]
    assert len(pd.read_csv(tmp_path / "m.curation.csv")) == 0


def test_trust_decides_and_a_source_that_is_not_there_is_an_error(
    pulmo: Call, sets: list[Path], tmp_path: Path
) -> None:
    doubtful = read_manifest(sets[1]).frame.replace({"label": {"covid": "viral"}})
    Manifest(doubtful).save(sets[1])
    output = tmp_path / "m.parquet"
    status, out, _ = pulmo("data", "curate", *sets, "-o", output)
    assert status == 0
    assert "removed: 2 (contradiction)" in out.splitlines()
    assert len(read_manifest(output)) == 2
    status, out, _ = pulmo("data", "curate", *sets, "-o", output, "--trust", "south")
    assert status == 0
    assert "removed: 1 (contradiction)" in out.splitlines()
    assert (read_manifest(output).frame["label"] == "viral").any()
    status, _, err = pulmo("data", "curate", *sets, "-o", output, "--trust", "east")
    assert status == 2
    assert "no source 'east'" in err


def test_what_cannot_be_read_is_named_and_the_rest_is_done(
    pulmo: Call, sets: list[Path], tmp_path: Path
) -> None:
    lost = tmp_path / "south" / "normal" / "d.png"
    lost.write_text("hello")
    output = tmp_path / "m.parquet"
    status, out, err = pulmo("data", "curate", *sets, "-o", output)
    assert status == 4
    assert out.startswith(f"{output}: 3 images in 2 groups")
    assert f"{lost}: it is not a PNG, JPEG, TIFF, " in err
    assert "1 could not be read; the rest is curated." in err


def test_a_table_of_another_kind_is_not_overwritten(
    pulmo: Call, sets: list[Path], tmp_path: Path
) -> None:
    other = tmp_path / "m.curation.csv"
    other.write_text("name,age\n")
    status, out, err = pulmo("data", "curate", *sets, "-o", tmp_path / "m.parquet")
    assert (status, out) == (3, "")
    assert "is not overwritten" in err
    assert other.read_text() == "name,age\n"


def test_an_image_in_two_manifests_is_an_error(
    pulmo: Call, sets: list[Path], tmp_path: Path
) -> None:
    status, _, err = pulmo("data", "curate", sets[0], sets[0], "-o", tmp_path / "m.parquet")
    assert status == 3
    assert "is in more than one of the manifests" in err
