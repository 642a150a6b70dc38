import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn

from fixtures.refuses import refuses
from pulmo.bundle.card import WeightFormat, read_card
from pulmo.bundle.export import (
    Arrays,
    ExportWrapper,
    check_parity,
    drawn_images,
    export_run,
    to_onnx,
    trained_classifier,
)
from pulmo.bundle.model_card import model_card, point_sentence
from pulmo.bundle.outcome import Outputs
from pulmo.bundle.predictor import CARD_KEY, Predictor
from pulmo.bundle.seen import SeenImages
from pulmo.core.errors import InputError
from pulmo.core.files import sha256
from pulmo.core.folders import RunFolder
from pulmo.core.sections import ModelSection
from pulmo.models.classifier import make_classifier
from pulmo.models.heads import HEADS
from pulmo.models.stored_weights import stored_weights

_HASHES = ("sha256", "pixels_sha256")


def test_a_bundle_is_whole(run: RunFolder, bundle: Path) -> None:
    card = read_card(bundle / "card.json")
    assert sorted(p.name for p in bundle.iterdir()) == [
        "MODEL_CARD.md",
        "card.json",
        "model.onnx",
        "test.sha256",
        "training.sha256",
    ]
    assert card.files == {
        name: sha256((bundle / name).read_bytes())
        for name in ("model.onnx", "MODEL_CARD.md", "training.sha256", "test.sha256")
    }
    network = onnx.load(bundle / "model.onnx")
    embedded = {p.key: p.value for p in network.metadata_props}[CARD_KEY]
    assert json.loads(embedded) == json.loads(card.to_json()) | {"files": {}}
    assert card.network.sha256 == sha256(run.model.read_bytes())


def test_a_bundle_tells_whose_images_it_has_seen(images: pd.DataFrame, bundle: Path) -> None:
    seen = Predictor.open(bundle).seen
    used = images[images["split"] != "test"]
    assert seen.short == {each[:16] for name in _HASHES for each in used[name]}
    unused = images[images["split"] == "test"]
    for name in _HASHES:
        assert seen.among(used[name]).all()
        assert not seen.among(unused[name]).any()
    assert seen.has("0" * 64, used["sha256"].iloc[0])
    assert not seen.has(*unused["sha256"])
    # The network alone does not say.
    assert not Predictor.open(bundle / "model.onnx").seen


def test_a_list_of_whole_hashes_says_the_same(bundle: Path, images: pd.DataFrame) -> None:
    used = images[images["split"] != "test"]
    whole = "\n".join([*used["sha256"], *used["pixels_sha256"]]).encode()
    assert SeenImages.parse(whole) == Predictor.open(bundle).seen
    assert SeenImages.parse(whole).listed() == (bundle / "training.sha256").read_bytes()


def test_the_network_takes_bytes_and_any_batch(bundle: Path) -> None:
    network = onnx.load(bundle / "model.onnx")
    (radiograph,) = network.graph.input
    assert radiograph.name == "radiograph"
    assert radiograph.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    dims = radiograph.type.tensor_type.shape.dim
    assert dims[0].dim_param
    assert [d.dim_value for d in dims[1:]] == [1, 64, 64]
    assert [output.name for output in network.graph.output] == ["logits", "activation", "features"]


@pytest.mark.parametrize("head", HEADS)
def test_export_equals_torch(head: str, bundle: Path) -> None:
    section = ModelSection.model_validate({"backbone": "capstone-baseline", "head": head})
    card = read_card(bundle / "card.json")
    classifier = make_classifier(section, card.labels.order, seed=3, size=64).classifier.eval()
    predictor = Predictor(to_onnx(classifier, card), "it", threads=1)
    inputs = np.random.default_rng(1).integers(0, 256, (4, 64, 64), dtype=np.uint8)
    with torch.no_grad():
        logits, maps = classifier.explain(torch.from_numpy(inputs[:, None]).float() / 255)
    outputs = predictor.run(inputs)
    assert np.allclose(outputs.logits, logits.numpy(), atol=1e-4)
    assert np.allclose(outputs.activation, maps.numpy(), atol=1e-4)
    features = predictor.features(inputs)
    assert features is not None
    with torch.no_grad():
        read = classifier.features(torch.from_numpy(inputs[:, None]).float() / 255)
    assert np.allclose(features, read.mean(dim=(2, 3)).numpy(), atol=1e-4)


@pytest.mark.parametrize("weight_format", ["fp16", "int8"])
def test_weights_may_be_stored_smaller(
    run: RunFolder, bundle: Path, tmp_path: Path, weight_format: WeightFormat
) -> None:
    card = export_run(run, tmp_path / "bundle", weight_format)
    assert card.network.weight_format == weight_format
    assert card.network.sha256 == read_card(bundle / "card.json").network.sha256
    assert f"| Weights are stored as | {weight_format};" in model_card(card)
    small, full = Predictor.open(tmp_path / "bundle"), Predictor.open(bundle)
    assert len(small.model) < {"fp16": 0.8, "int8": 0.7}[weight_format] * len(full.model)
    inputs = drawn_images(16, card.input.size)
    found, expected = small.run(inputs), full.run(inputs)
    spread = expected.logits.std()
    assert 0 < np.abs(found.logits - expected.logits).max() < 0.1 * spread


@pytest.mark.parametrize("head", HEADS)
def test_every_head_is_stored_in_eight_bits(head: str, bundle: Path) -> None:
    section = ModelSection.model_validate({"backbone": "capstone-baseline", "head": head})
    card = read_card(bundle / "card.json")
    card = card.model_copy(
        update={"network": card.network.model_copy(update={"weight_format": "int8"})}
    )
    classifier = make_classifier(section, card.labels.order, seed=3, size=64).classifier.eval()
    model = to_onnx(classifier, card)
    stored = stored_weights(onnx.load_from_string(model))
    own = classifier.state_dict()
    found = {n: torch.tensor(stored[f"classifier.{n}"]) for n in own if f"classifier.{n}" in stored}
    assert all(name in found for name, each in own.items() if each.ndim)
    classifier.load_state_dict(own | found)
    inputs = drawn_images(4, 64)
    with torch.no_grad():
        logits, maps = classifier.explain(torch.from_numpy(inputs[:, None]).float() / 255)
    outputs = Predictor(model, "it", threads=1).run(inputs)
    assert np.allclose(outputs.logits, logits.numpy(), atol=1e-4)
    assert np.allclose(outputs.activation, maps.numpy(), atol=1e-4)


def test_parity_refuses_a_network_that_differs(run: RunFolder) -> None:
    shipped = ExportWrapper(trained_classifier(run, read_card(run.card)))

    def exact(inputs: NDArray[np.uint8]) -> Arrays:
        with torch.no_grad():
            return tuple(part.numpy() for part in shipped(torch.from_numpy(inputs[:, None])))

    assert check_parity(shipped, exact, 64) == 0
    for error in (1e-2, np.nan):
        for faulty in range(3):

            def fault(
                inputs: NDArray[np.uint8], error: float = error, faulty: int = faulty
            ) -> Arrays:
                parts = exact(inputs)
                return tuple(
                    part + np.float32(error) * (place == faulty) for place, part in enumerate(parts)
                )

            with refuses("export-result-differs"):
                check_parity(shipped, fault, 64)
    with refuses("export-shape-differs"):
        check_parity(shipped, lambda inputs: (exact(inputs)[0][:1], *exact(inputs)[1:]), 64)
    with refuses("export-shape-differs"):
        check_parity(shipped, lambda inputs: exact(inputs)[:2], 64)


class Sensitive(nn.Module):
    """Rounds away what is below a thousandth, as a sum with a huge term does."""

    huge: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("huge", torch.tensor(1e4))

    def forward(self, radiograph: Tensor) -> tuple[Tensor, Tensor]:
        mean = (radiograph.to(self.huge.dtype) / 255).mean(dim=(2, 3))
        return mean + self.huge - self.huge, torch.zeros(len(mean), 1, 2, 2)


def test_parity_tells_rounding_from_a_fault() -> None:
    def exported(inputs: NDArray[np.uint8], fault: float) -> Outputs:
        mean = inputs.mean(axis=(1, 2)).astype(np.float64)[:, None] / 255
        return Outputs((mean + fault).astype(np.float32), np.zeros((len(inputs), 1, 2, 2), "f4"))

    assert check_parity(Sensitive(), lambda inputs: exported(inputs, 0), 64) > 1e-4
    with refuses("export-result-differs", "0.0034"):
        check_parity(Sensitive(), lambda inputs: exported(inputs, 3e-3), 64)


def test_parity_measures_a_map_by_its_largest_value() -> None:
    class Large(nn.Module):
        def forward(self, radiograph: Tensor) -> tuple[Tensor, Tensor]:
            maps = torch.tensor([[[[1e3, 0.0]]]]).expand(len(radiograph), 1, 1, 2)
            return torch.zeros(len(radiograph), 1), maps

    def exported(inputs: NDArray[np.uint8], error: float) -> Outputs:
        maps = np.array([[[[1e3, error]]]], np.float32).repeat(len(inputs), axis=0)
        return Outputs(np.zeros((len(inputs), 1), np.float32), maps)

    assert check_parity(Large(), lambda inputs: exported(inputs, 0.05), 64) == pytest.approx(5e-5)
    with refuses("export-result-differs"):
        check_parity(Large(), lambda inputs: exported(inputs, 0.5), 64)


def test_drawn_images_are_smooth_and_span_the_range() -> None:
    images = drawn_images(4, 96)
    assert images.shape == (4, 96, 96)
    assert images.dtype == np.uint8
    assert np.array_equal(images, drawn_images(4, 96))
    assert images.min() < 20
    assert images.max() > 235
    steps = np.abs(np.diff(images.astype(int), axis=2))
    assert steps.mean() < 15 < images.std()


def test_a_bundle_is_never_overwritten(run: RunFolder, bundle: Path) -> None:
    with refuses("bundle-exists"):
        export_run(run, bundle)


def test_an_unfinished_or_changed_run_is_not_exported(run: RunFolder, tmp_path: Path) -> None:
    copy = RunFolder(Path(shutil.copytree(run.root, tmp_path / "run")))
    with copy.model.open("ab") as file:
        file.write(b"x")
    with refuses("run-file-changed"):
        export_run(copy, tmp_path / "bundle")
    copy.model.write_bytes(run.model.read_bytes())
    recipe = copy.recipe.read_text()
    copy.recipe.write_text(recipe.replace("mean = 0.449", "mean = 0.9"))
    with refuses("run-file-changed", "recipe.toml"):
        export_run(copy, tmp_path / "bundle")
    copy.card.unlink()
    with refuses("run-unfinished", "2"):
        export_run(copy, tmp_path / "bundle")
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_an_export_that_fails_leaves_nothing(
    run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> None:
        if path.name == "card.json":
            raise InputError("file-not-written", "The disk is full.")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)

    monkeypatch.setattr("pulmo.bundle.export.write_atomically", full)
    monkeypatch.setattr("pulmo.bundle.export.to_onnx", lambda *_: b"")
    monkeypatch.setattr("pulmo.bundle.export.Predictor", lambda *_: None)
    monkeypatch.setattr("pulmo.bundle.export.check_parity", lambda *_: 0.0)
    with refuses("file-not-written"):
        export_run(run, tmp_path / "bundle")
    assert not list(tmp_path.iterdir())


def test_trained_weights_are_what_is_loaded(run: RunFolder) -> None:
    weights = load_file(run.model)
    state = trained_classifier(run, read_card(run.card)).state_dict()
    assert all(torch.equal(state[name], tensor) for name, tensor in weights.items())


def test_the_model_card_says_what_the_card_says(bundle: Path) -> None:
    card = read_card(bundle / "card.json")
    merged = card.labels.__class__(("covid", "other"), {"viral": "other"})
    text = model_card(card)
    for phrase in (
        "For research, not diagnosis.",
        "covid, bacterial, viral, normal",
        "compact, linear head",
        f"{card.decision.threshold:.4f}",
        f"softmax(logits / {card.temperature:.4f})",
        "Every training image of covid came from phantom.",
        card.training.manifest_sha256,
    ):
        assert phrase in text
    assert "| Counted as other | viral |" in model_card(card.model_copy(update={"labels": merged}))


def test_the_model_card_takes_no_folder_for_a_hospital(bundle: Path) -> None:
    card = read_card(bundle / "card.json")
    assert "The hospital of" not in model_card(card)
    sources = {"covid": {"mine (hospital not stated)": 3}, "normal": {"north": 4}}
    training = card.training.model_copy(update={"sources": sources})
    text = model_card(card.model_copy(update={"training": training}))
    assert "The hospital of 3 of the training images is not stated" in text
    assert "Every training image of normal came from north." in text
    assert "Every training image of covid" not in text


def test_the_model_card_says_what_is_guaranteed(bundle: Path) -> None:
    card = read_card(bundle / "card.json")
    assert card.bands is not None
    assert card.sets is not None
    text = model_card(card)
    out, into = card.bands.rule_out, card.bands.rule_in
    for phrase in (
        f"fitted on validation images for a sensitivity of {card.decision.aim:g}, which is ",
        "which is not guaranteed: the recipe does not ask for a guarantee (decision.guaranteed).",
        f"a result below {out.threshold:.4f} is negative, one of {into.threshold:.4f} or more is",
        f"{into.independent} independent validation images are too few to guarantee a specif",
        f"- uncertain: {card.bands.shares['uncertain'].images} of the images, ",
        f"the set of an image has the classes with a probability of {card.sets.least:.4f} or more",
        f"Of the validation images {card.sets.covered} have",
        "and not for another hospital, prevalence or patient mix.",
    ):
        assert phrase in text
    sure = out.model_copy(update={"confidence": 0.95, "reason": None, "independent": 123})
    assert point_sentence(sure).endswith(
        "or more, which is guaranteed with 95% confidence by 123 independent images."
    )


def test_a_model_card_of_several_sources_does_not_blame_one(bundle: Path) -> None:
    card = read_card(bundle / "card.json")
    sources = {label: {"a": 1, "b": 2} for label in card.labels.order}
    training = card.training.model_copy(update={"sources": sources})
    assert "came from a" not in model_card(card.model_copy(update={"training": training}))
