"""Copies in the real sets."""

import shutil
from pathlib import Path

import pytest

from pulmo.datasets.curate import curate
from pulmo.datasets.importing import import_source

DATA = Path(__file__).parents[4] / "shared" / "data"

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not DATA.is_dir(), reason="the real images are not next to the project"),
]


def test_the_mislabelled_image_and_every_squashed_copy_are_found(tmp_path: Path) -> None:
    root = DATA / "chest_xray_512"
    large = sorted((root / "train").glob("*/*.jpeg"))[::30]
    small = [DATA / "chest_xray" / each.relative_to(root) for each in large]
    virus = DATA / "chest_xray" / "train" / "PNEUMONIA" / "person1004_virus_1686.jpeg"
    figure1 = DATA / "Figure1-COVID-chestxray-dataset" / "images" / "COVID-00020.jpg"
    truth = [*zip(large, small, strict=True), (virus, figure1)]
    for number, (one, other) in enumerate(truth):
        for folder, path in (("viral", one), ("covid" if other == figure1 else "viral", other)):
            place = tmp_path / folder / f"{number}-{path.parts[-4]}{path.suffix}"
            place.parent.mkdir(exist_ok=True)
            shutil.copy(path, place)
    done = curate(import_source("folder", tmp_path).manifest)
    pairs = done.report[done.report["action"] == "grouped"]
    names = [pairs[column].map(lambda path: Path(path).name) for column in ("path", "other_path")]
    assert len(pairs) == len(truth) == 21
    for one, other in zip(*names, strict=True):
        assert one.split("-")[0] == other.split("-")[0]
    removed = done.report[done.report["action"] == "removed"]
    assert [Path(path).parent.name for path in removed["path"]] == ["covid", "viral"]
    assert {Path(path).name.split("-")[0] for path in removed["path"]} == {"20"}
    assert set(removed["reason"]) == {"contradiction"}
