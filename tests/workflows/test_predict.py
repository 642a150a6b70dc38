"""The use case behind `pulmo predict`, called from Python."""

import itertools
import os
import shutil
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from pulmo.bundle.card import Card
from pulmo.bundle.predictor import Predictor
from pulmo.core.parallel import PAUSE, Pause, cores
from pulmo.datasets.source import Problem
from pulmo.radiograph import read_radiograph
from pulmo.workflows.found import Found, images_of, is_image
from pulmo.workflows.model import Model, load
from pulmo.workflows.predict import predict


@pytest.fixture(scope="module")
def model(bundle: Path) -> Model:
    return load(str(bundle), threads=1)


@pytest.fixture(scope="module")
def predictor(model: Model) -> Predictor:
    return model.predictor


def test_a_result_is_that_of_the_predictor(model: Model, predictor: Predictor, image: Path) -> None:
    (result,) = predict(model, [str(image)])
    radiograph = read_radiograph(str(image))
    outcome = predictor.predict(radiograph)
    assert (result.file, result.status, result.sha256) == (str(image), "done", radiograph.sha256)
    assert result.probabilities == outcome.probabilities
    assert (result.decision, result.positive, result.band, result.prediction_set) == (
        outcome.decision, outcome.positive, outcome.band, outcome.prediction_set,
    )  # fmt: skip
    assert result.notes == outcome.notes
    assert result.positive_probability == outcome.positive_probability


def test_what_the_model_has_to_do_with_an_image_is_noted(
    predictor: Predictor, image: Path, tmp_path: Path
) -> None:
    kinds = [note.kind for note in predictor.predict(read_radiograph(image)).notes]
    assert kinds == ["drawings", "seen"]
    # A lossless copy has other bytes and the same pixels.
    with Image.open(image) as opened:
        opened.save(tmp_path / "copy.tif", compression="tiff_lzw")
    copied = predictor.predict(read_radiograph(tmp_path / "copy.tif"))
    assert [note.kind for note in copied.notes] == ["drawings", "seen"]


@pytest.mark.parametrize(("drawings", "source", "expected"), [
    (0, "kermany", False), (3, "kermany", True), (0, "phantom", True),
])  # fmt: skip
def test_a_card_knows_of_drawings(
    plain_card: Card, drawings: int, source: str, *, expected: bool
) -> None:
    training = plain_card.training.model_copy(
        update={"drawings": drawings, "sources": {"covid": {source: 5}}}
    )
    assert plain_card.model_copy(update={"training": training}).has_drawings == expected


def test_names_are_taken_as_they_are_needed(model: Model, image: Path) -> None:
    """There is no end of them, and only a few are read ahead."""
    taken: list[int] = []

    def names() -> Iterator[Path]:
        for number in itertools.count():
            taken.append(number)
            yield image

    results = predict(model, names())
    assert [next(results).status for _ in range(3)] == ["done"] * 3
    results.close()
    assert len(taken) <= 2 * min(cores(), 8) + 3


def test_many_names_take_no_memory(model: Model) -> None:
    tracemalloc.start()
    try:
        names = (f"/nowhere/{number}.png" for number in range(20_000))
        results = predict(model, names)
        assert {next(results).status for _ in range(100)} == {"failed"}
        before = tracemalloc.get_traced_memory()[0]
        assert sum(1 for _ in results) == 19_900
        assert tracemalloc.get_traced_memory()[0] - before < 200_000
    finally:
        tracemalloc.stop()


def test_before_a_pause_is_over_all_results_are_there(model: Model, image: Path) -> None:
    there: list[str] = []

    def names() -> Iterator[str | Pause]:
        for number in range(3):
            yield str(image)
            yield PAUSE
            assert len(there) == number + 1

    for result in predict(model, names()):
        there += [result.status]
    assert there == ["done"] * 3


def test_a_folder_that_cannot_be_opened_is_reported(
    model: Model, image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shut").mkdir()
    shutil.copy(image, tmp_path / "image.png")
    scandir = os.scandir

    def refuse(path: Path) -> object:
        if Path(path).name == "shut":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    good, bad = predict(model, [tmp_path])
    assert (good.status, bad.status) == ("done", "failed")
    assert bad.reason == f"{tmp_path / 'shut'} could not be read: Permission denied."


class TestFound:
    """Files of folders."""

    def test_only_those_found_in_a_folder_are_marked(self, image: Path, tmp_path: Path) -> None:
        shutil.copy(image, tmp_path / "a.png")
        (tmp_path / "b.png").symlink_to(image)
        first, pause, second, link = images_of([image, PAUSE, tmp_path])
        assert (first, pause) == (Found(image), PAUSE)
        assert second == Found(tmp_path / "a.png", inside=True)
        assert isinstance(link, Found)
        assert isinstance(link.problem, Problem)
        assert not link.problem.failed

    def test_the_place_of_results_is_not_searched(self, image: Path, tmp_path: Path) -> None:
        for name in ("maps/x.png", "maps-2/x.png", "a.png"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            shutil.copy(image, tmp_path / name)
        link = tmp_path.with_name(f"{tmp_path.name}-link")
        link.symlink_to(tmp_path)
        for folder in (tmp_path, link):
            found = [each for each in images_of([folder], tmp_path / "maps") if each is not PAUSE]
            assert [each.path for each in found if isinstance(each, Found)] == [
                folder / "a.png", folder / "maps-2" / "x.png",
            ]  # fmt: skip

    def test_several_places_of_results_are_not_searched(self, image: Path, tmp_path: Path) -> None:
        for name in ("maps/x.png", "objects/y.png", "a.png"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            shutil.copy(image, tmp_path / name)
        places = (None, tmp_path / "maps", tmp_path / "objects")
        (found,) = images_of([tmp_path], *places)
        assert found == Found(tmp_path / "a.png", inside=True)

    def test_name_or_content_makes_an_image(self, image: Path, tmp_path: Path) -> None:
        for name in ("image", "Thumbs.db", "report.txt", "cut.JPG", "DICOMDIR"):
            (tmp_path / name).write_text("hello")
        shutil.copy(image, tmp_path / "image")
        images = {path.name for path in tmp_path.iterdir() if is_image(path)}
        assert images == {"image", "cut.JPG"}
