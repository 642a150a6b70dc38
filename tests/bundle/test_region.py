"""A model that sees the lungs alone: from the training to the map on the image, by one path."""

import base64
import io
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest
from numpy.typing import NDArray
from onnx import helper
from PIL import Image
from sklearn.metrics import balanced_accuracy_score

import pulmo
from fixtures.lungs import Blind
from fixtures.refuses import refuses
from pulmo.bundle.card import FINDER_KEY, Input, parse_card, read_card
from pulmo.bundle.export import export_run
from pulmo.bundle.manifest_predictions import predict_manifest
from pulmo.bundle.predictor import CARD_KEY, Predictor
from pulmo.core.files import sha256
from pulmo.core.folders import RunFolder
from pulmo.core.noted import kinds_of
from pulmo.core.recipe import Recipe, load_recipe
from pulmo.datasets.manifest import Manifest
from pulmo.explain.overlay import LONG_SIDE
from pulmo.explain.trained.network import open_run
from pulmo.lungs import LungFinder, shipped_finder
from pulmo.lungs import finder as module
from pulmo.lungs.framing import framed_input
from pulmo.radiograph import Radiograph, read_radiograph
from pulmo.radiograph.geometry import to_image
from pulmo.train import training_data
from pulmo.train.callbacks import Callbacks
from pulmo.train.run import Place, train_run
from pulmo.train.torch_dataset import torch_dataset
from pulmo.workflows.explain import explain
from pulmo.workflows.features import features
from pulmo.workflows.options.evaluation import FeaturesOptions
from pulmo.workflows.predict import predict

BLIND = 2
"""Training images in which no lungs are found."""


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    settings = ["image.size=64", "train.epochs=1", "train.batch=8", "image.region=lungs"]
    shown = [
        "frame=moments",
        "spread=2.5",
        "normalise=lungs",
        "outside=mean",
        "margin=0.1",
        "aspect=squash",
    ]
    return load_recipe("demo", [*settings, *(f"image.{setting}" for setting in shown)])


@pytest.fixture(scope="module")
def blind(_images: pd.DataFrame) -> Blind:
    return Blind(_images[_images["split"] == "train"]["sha256"].head(BLIND))


@pytest.fixture(scope="module")
def run(
    _images: pd.DataFrame,
    recipe: Recipe,
    blind: Blind,
    tmp_path_factory: pytest.TempPathFactory,
) -> RunFolder:
    root = tmp_path_factory.mktemp("lungs")
    place = Place(RunFolder(root / "run"), root / "cache", "cpu")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training_data, "finder_for", lambda _: blind)
        train_run(recipe, Manifest(_images), place, Callbacks())
    return place.folder


@pytest.fixture(scope="module")
def bundle(run: RunFolder) -> Path:
    folder = run.root.parent / "bundle"
    export_run(run, folder)
    return folder


@pytest.fixture
def slope(tmp_path: Path) -> Path:
    """An image without lungs."""
    file = tmp_path / "slope.png"
    file.write_bytes(_png(np.tile(np.linspace(0, 255, 120).astype(np.uint8), (100, 1))))
    return file


def _png(pixels: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def _shown_whole(rows: pd.DataFrame) -> list[bool]:
    """Which images show no lungs to the network that comes with pulmo."""
    return [not shipped_finder().find(read_radiograph(path)).found for path in rows["path"]]


def _without_lungs(rows: pd.DataFrame) -> int:
    return sum(_shown_whole(rows))


def test_the_card_says_what_is_seen_and_what_lacked_lungs(
    run: RunFolder, bundle: Path, images: pd.DataFrame
) -> None:
    card, shipped = read_card(bundle / "card.json"), shipped_finder()
    shown = card.input
    assert (shown.region, shown.margin, shown.outside) == ("lungs", 0.1, "mean")
    assert (shown.frame, shown.spread, shown.normalise) == ("moments", 2.5, "lungs")
    assert shown.lungs == shipped.sha256
    assert run.finder.read_bytes() == shipped.model
    for name in ("train", "val"):
        rows = images[images["split"] == name]
        whole = np.array(_shown_whole(rows))
        whole[:BLIND] |= name == "train"
        expected = rows["label"][whole].value_counts()
        counts = card.training.without_lungs[name]
        assert {label: n for label, n in counts.items() if n} == expected.to_dict()
        assert list(counts) == list(card.labels.order)
    text = (bundle / "MODEL_CARD.md").read_text()
    said = ", ".join(f"{label} {n}" for label, n in card.training.without_lungs["train"].items())
    assert f"shown whole: train: {said}; val: " in text
    assert shipped.sha256 in text
    assert FINDER_KEY in text
    assert "2.5 standard deviations to each side of the middle of the lungs" in text
    assert "mean grey at 128" in text


def test_the_network_file_alone_is_complete(
    bundle: Path, image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = Predictor.open(bundle).predict(read_radiograph(image))
    monkeypatch.setattr(module, "SHIPPED", Path("another"))
    monkeypatch.setattr(module, "shipped_finder", None)
    alone = Predictor.open(bundle / "model.onnx")
    assert alone.finder is not None
    assert alone.finder.sha256 == alone.card.input.lungs
    outcome = alone.predict(read_radiograph(image))
    assert outcome.probabilities == expected.probabilities
    assert outcome.box == expected.box


def test_every_path_gives_the_same_bytes(
    run: RunFolder, bundle: Path, recipe: Recipe, images: pd.DataFrame, tmp_path: Path
) -> None:
    manifest = Manifest(images)
    learnt = training_data.gather(recipe, manifest, tmp_path)
    predictor, network = Predictor.open(bundle), open_run(run.root)
    items = torch_dataset(manifest, recipe, split="val")
    for place, row in enumerate(learnt.val):
        radiograph = read_radiograph(Path(learnt.manifest.frame["path"].iloc[row]))
        given = learnt.images.take(np.array([row]))[0]
        prepared = predictor.prepare(radiograph)
        assert np.array_equal(prepared.input, given)
        assert prepared.box == learnt.images.box(row)
        assert np.array_equal(network.to_input(radiograph), given)
        item = items[place][0].numpy()[0]
        assert np.array_equal(np.rint(255 * item).astype(np.uint8), given)
    whole = learnt.images.without_lungs[learnt.val].sum()
    assert whole == _without_lungs(learnt.manifest.frame.iloc[learnt.val])
    assert whole < len(learnt.val) / 4


def test_the_history_is_what_the_bundle_gives(bundle: Path, images: pd.DataFrame) -> None:
    predictor = Predictor.open(bundle, threads=1)
    table = predict_manifest(predictor, Manifest(images[images["split"] == "val"])).frame
    expected = predictor.card.training.history[0].val_balanced_accuracy
    assert balanced_accuracy_score(table["label"], table["decision"]) == pytest.approx(expected)


def test_an_image_without_lungs_is_noted_in_every_output(
    run: RunFolder, bundle: Path, images: pd.DataFrame, slope: Path, image: Path
) -> None:
    without, with_lungs = predict(str(bundle), [slope, image])
    assert "no-lungs" in {note.kind for note in without.notes}
    assert "no-lungs" not in {note.kind for note in with_lungs.notes}
    result = pulmo.load(bundle).predict(slope)
    assert result.outcome.box is None
    assert "No lungs were found" in result._repr_html_()
    quick = FeaturesOptions(depths=1, channels=1, steps=0, device="cpu")
    found = features(run.root, slope, options=quick).features
    assert "no-lungs" in {note.kind for note in found.notes}
    predictor, test = Predictor.open(bundle), images[images["split"] == "test"]
    predictor.finder = Blind(test["sha256"].head(3))
    noted = predict_manifest(predictor, Manifest(test)).frame["notes"]
    assert sum("no-lungs" in kinds_of(cell) for cell in noted) == 3 + _without_lungs(test[3:])


def test_channels_are_asked_about_the_lungs(
    run: RunFolder, images: pd.DataFrame, image: Path, tmp_path: Path
) -> None:
    left = shutil.ignore_patterns("test-access.jsonl", "checkpoints")
    own = Path(shutil.copytree(run.root, tmp_path / "run", ignore=left))
    quick = FeaturesOptions(depths=1, channels=1, steps=0, device="cpu")
    report = features(own, image, data=Manifest(images), options=quick)
    expected = framed_input(read_radiograph(image), load_recipe(str(run.recipe)).image,
                            shipped_finder())  # fmt: skip
    assert np.array_equal(report.image, expected.pixels)
    used = images[images["split"] != "train"]
    (note,) = (note for note in report.features.notes if note.kind == "no-lungs")
    assert note.text.startswith(f"{_without_lungs(used)} image")


def test_a_map_lies_where_the_lungs_are(run: RunFolder, bundle: Path, image: Path) -> None:
    radiograph = read_radiograph(image)
    box = shipped_finder().find(radiograph).frame(2.5)
    assert box is not None
    height, width = radiograph.pixels.shape
    inside = box.inside(height, width)
    assert inside != box  # the frame of these lungs sticks out of the image
    for model in (bundle, run.root):
        drawn = explain(model, image, label="covid")
        assert drawn.box == box
        on_image = to_image(drawn.array, (height, width), drawn.aspect, drawn.box)
        rows, columns = np.nonzero(np.isfinite(on_image))
        assert (rows.min(), rows.max() + 1) == (inside.top, inside.bottom)
        assert (columns.min(), columns.max() + 1) == (inside.left, inside.right)
        painted = _painted(drawn.png())
        scaled = inside.scaled((height, width), painted.shape)
        unseen = np.ones(painted.shape, bool)
        unseen[scaled.top : scaled.bottom, scaled.left : scaled.right] = False
        assert unseen.any()
        assert not painted[unseen].any()


def test_detections_lie_in_the_part(bundle: Path, image: Path) -> None:
    result = pulmo.load(bundle).predict(image)
    box = result.outcome.box
    assert box is not None
    height, width = result.radiograph.pixels.shape
    label = next(iter(result.card.activation.detections))
    grid = np.full_like(result.outcome.activation, 1e3)  # evidence everywhere in the part
    seen = replace(result, outcome=result.outcome._replace(activation=grid))
    found = seen.heatmap(label).annotations.detections
    assert found
    for each in found:
        assert each.top * height > box.top - 2
        assert (each.top + each.height) * height < box.bottom + 2
        assert each.left * width > box.left - 2
        assert (each.left + each.width) * width < box.right + 2


def test_the_outline_is_that_of_the_models_own_network(bundle: Path, image: Path) -> None:
    model = pulmo.load(bundle)
    assert model.predict(image).heatmap().annotations.outline is not None
    model.predictor.finder = Blind([read_radiograph(image).sha256])
    assert model.predict(image).heatmap().annotations.outline is None


def _painted(png: bytes) -> NDArray[np.bool_]:
    """Where a sheet's second image has colour, [height, width]."""
    sheet = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), np.int_)
    margin, gap = 18, 10
    below = sheet[margin:]
    sheet_colour = np.array([12, 14, 17])
    column = below[:, margin]
    height = int(np.argmax((column == sheet_colour).all(axis=1))) or LONG_SIDE
    row = sheet[margin + height // 2, margin:]
    width = int(np.argmax((row == sheet_colour).all(axis=1)))
    second = sheet[margin : margin + height, margin + width + gap :][:, :width]
    return np.asarray(np.ptp(second, axis=2) > 12)


def test_the_file_of_values_has_the_part(bundle: Path, image: Path, tmp_path: Path) -> None:
    drawn = explain(bundle, image)
    drawn.save_values(tmp_path / "map.npz")
    with np.load(tmp_path / "map.npz", allow_pickle=False) as values:
        assert tuple(values["box"]) == drawn.box


def test_a_gallery_shows_the_part(bundle: Path, images: pd.DataFrame, tmp_path: Path) -> None:
    data = Manifest(images[images["split"] == "test"])
    report = pulmo.evaluate(bundle, data, output=tmp_path / "evaluation")
    page = (tmp_path / "evaluation" / "report.html").read_text()
    assert "to each side of the middle of the lungs" in page
    assert report.image_notes.get("no-lungs", 0) == _without_lungs(data.frame)


def test_a_network_file_without_its_network_of_the_lungs_is_refused(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = onnx.load(bundle / "model.onnx")
    metadata = {each.key: each.value for each in model.metadata_props}
    for value in ("", "no Base64", metadata[FINDER_KEY][:-8]):
        helper.set_model_props(model, {CARD_KEY: metadata[CARD_KEY], FINDER_KEY: value})
        with refuses("lungs-network-missing", "it.onnx"):
            Predictor(model.SerializeToString(), "it.onnx")
    # It need not repeat the network that comes with pulmo; it needs another one.
    helper.set_model_props(model, {CARD_KEY: metadata[CARD_KEY]})
    own = Predictor(model.SerializeToString(), "it.onnx").finder
    assert own is not None
    assert own.sha256 == sha256(base64.b64decode(metadata[FINDER_KEY]))
    other = LungFinder(_other_network(), "another")
    monkeypatch.setattr("pulmo.bundle.predictor.finder_for", lambda _: other)
    with refuses("lungs-network-missing", "it.onnx"):
        Predictor(model.SerializeToString(), "it.onnx")


def test_a_run_with_another_network_of_the_lungs_is_refused(run: RunFolder, tmp_path: Path) -> None:
    left = shutil.ignore_patterns("checkpoints")
    own = RunFolder(Path(shutil.copytree(run.root, tmp_path / "run", ignore=left)))
    own.finder.write_bytes(_other_network())
    with refuses("run-file-changed", own.finder):
        export_run(own, tmp_path / "bundle")
    with refuses("run-file-changed", own.finder):
        open_run(own.root)
    own.finder.unlink()
    with refuses("file-missing", own.finder):
        export_run(own, tmp_path / "bundle")


def _other_network() -> bytes:
    """A network of the lungs with another hash."""
    model = onnx.load_model_from_string(shipped_finder().model)
    model.doc_string = "another"
    data: bytes = model.SerializeToString()
    return data


def test_a_run_goes_on_with_the_network_that_it_began_with(
    recipe: Recipe, images: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(RunFolder(tmp_path / "run"), tmp_path / "cache", "cpu")
    first = module.LungFinder(_other_network(), "another")
    stop = iter([False, True])
    with monkeypatch.context() as patch:
        patch.setattr(training_data, "finder_for", lambda _: first)
        with refuses("training-stopped"):
            watch = Callbacks(should_stop=lambda: next(stop))
            train_run(recipe, Manifest(images), place, watch)
    card = train_run(recipe, Manifest(images), place, Callbacks(), resume=True)
    assert card.input.lungs == first.sha256 != shipped_finder().sha256


def test_a_card_from_before_there_were_regions_still_opens(bundle: Path) -> None:
    fields = json.loads((bundle / "card.json").read_text())
    for name in ("region", "margin", "outside", "lungs", "frame", "spread", "normalise"):
        del fields["input"][name]
    del fields["training"]["without_lungs"]
    card = parse_card(json.dumps(fields), "card.json")
    assert (card.input.region, card.input.lungs) == ("all", None)
    assert card.training.without_lungs == {}
    assert card.input.shown == "the whole image"


def test_a_card_that_names_no_network_of_the_lungs_is_refused(bundle: Path) -> None:
    fields = json.loads((bundle / "card.json").read_text())
    for name, value in (("lungs", None), ("region", "all")):
        wrong = fields | {"input": fields["input"] | {name: value}}
        with refuses("record-invalid"):
            parse_card(json.dumps(wrong), "card.json")
    with pytest.raises(ValueError, match="outside"):
        Input(size=64, aspect="pad", mean=0.5, std=0.25, outside="black")


def test_the_lungs_are_looked_for_once_and_drawn_as_they_were_found(
    bundle: Path, image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    radiograph, model = read_radiograph(image), pulmo.load(bundle)
    expected = shipped_finder().find(radiograph)
    looked: list[Radiograph] = []
    look = module.LungFinder.look

    def noted(finder: module.LungFinder, one: Radiograph) -> NDArray[np.float32]:
        looked.append(one)
        return look(finder, one)

    monkeypatch.setattr(module.LungFinder, "look", noted)
    result = model.predict(image)
    drawn = [result.heatmap(label) for label in model.card.labels.order]
    assert len(looked) == 1
    for each in drawn:
        assert each.annotations.outline is not None
        assert np.array_equal(each.annotations.outline, expected.mask)
        assert np.array_equal(each.input, framed_input(
            radiograph, model.card.input.image, shipped_finder()
        ).pixels)  # fmt: skip
    looked.clear()
    (written,) = pulmo.explain(bundle, [image], tmp_path / "maps")
    assert written.status == "done"
    assert len(looked) == 1
