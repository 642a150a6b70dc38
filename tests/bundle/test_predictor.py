import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest
from scipy.special import softmax

from fixtures.refuses import refuses
from pulmo.bundle.card import Card, parse_card, read_card
from pulmo.bundle.manifest_predictions import predict_manifest
from pulmo.bundle.model_card import model_card
from pulmo.bundle.outcome import Outputs, outcomes, probabilities
from pulmo.bundle.predictor import Predictor
from pulmo.datasets.manifest import Manifest
from pulmo.radiograph import read_radiograph

WITHOUT_TORCH = """
import sys
from pathlib import Path
from pulmo.bundle.predictor import Predictor
from pulmo.radiograph import read_radiograph
outcome = Predictor.open(Path(sys.argv[1])).predict(read_radiograph(Path(sys.argv[2])))
assert abs(sum(outcome.probabilities.values()) - 1) < 1e-9
heavy = {"torch", "timm", "onnx", "pandas", "scipy", "sklearn", "matplotlib", "pydicom", "cv2"}
print(sorted(heavy & set(sys.modules)))
"""


@pytest.fixture
def copy(bundle: Path, tmp_path: Path) -> Path:
    """A bundle that the test may damage."""
    return Path(shutil.copytree(bundle, tmp_path / "bundle"))


def test_the_folder_and_the_file_alone_are_the_same_model(bundle: Path, image: Path) -> None:
    folder, alone = Predictor.open(bundle), Predictor.open(bundle / "model.onnx")
    assert folder.card == alone.card
    assert folder.sha256 == alone.sha256 == read_card(bundle / "card.json").files["model.onnx"]
    radiograph = read_radiograph(image)
    assert folder.predict(radiograph).probabilities == alone.predict(radiograph).probabilities


def test_an_outcome_follows_the_card(bundle: Path, image: Path) -> None:
    predictor = Predictor.open(bundle, threads=1)
    radiograph = read_radiograph(image)
    outcome = predictor.predict(radiograph)
    outputs = predictor.run(predictor.to_input(radiograph)[None])
    expected = softmax(outputs.logits[0].astype(float) / predictor.card.temperature)
    assert list(outcome.probabilities) == list(predictor.card.labels.order)
    assert np.allclose(list(outcome.probabilities.values()), expected)
    assert outcome.decision == predictor.card.labels.order[expected.argmax()]
    assert outcome.positive_probability == outcome.probabilities["covid"]
    assert outcome.positive == (outcome.positive_probability >= predictor.card.decision.threshold)
    assert predictor.card.bands is not None
    assert predictor.card.sets is not None
    score, least = outcome.positive_probability, predictor.card.sets.least
    low, high = (getattr(predictor.card.bands, name).threshold for name in ("rule_out", "rule_in"))
    expected_band = "negative" if score < low else "positive" if score >= high else "uncertain"
    assert outcome.band == expected_band
    assert outcome.prediction_set == tuple(
        label for label, p in outcome.probabilities.items() if p >= least
    )
    grid = (predictor.card.activation.rows, predictor.card.activation.columns)
    assert outcome.activation.shape == (4, *grid)


def test_a_card_from_before_there_were_bands_still_opens(bundle: Path) -> None:
    fields = json.loads((bundle / "card.json").read_text())
    del fields["bands"], fields["sets"]
    for name in ("metric", "confidence", "reason", "independent"):
        del fields["decision"][name]
    card = parse_card(json.dumps(fields), "card.json")
    assert card.decision.threshold == read_card(bundle / "card.json").decision.threshold
    assert (card.decision.metric, card.decision.confidence) == ("sensitivity", None)
    (outcome,) = outcomes(
        card, Outputs(np.zeros((1, 4), np.float32), np.zeros((1, 4, 1, 1), np.float32))
    )
    assert (outcome.band, outcome.prediction_set) == (None, None)
    text = model_card(card)
    assert "which is not guaranteed." in text
    assert "Triage" not in text
    assert "Conformal" not in text


def test_a_batch_gives_what_its_images_give_alone(bundle: Path) -> None:
    predictor = Predictor.open(bundle, threads=1)
    size = predictor.card.input.size
    batch = np.random.default_rng(0).integers(0, 256, (5, size, size), dtype=np.uint8)
    together = predictor.run(batch)
    for number, image in enumerate(batch):
        assert np.allclose(predictor.run(image[None]).logits[0], together.logits[number], atol=1e-5)


def test_features_are_given_where_the_bundle_has_them(bundle: Path, tmp_path: Path) -> None:
    predictor = Predictor.open(bundle, threads=1)
    size = predictor.card.input.size
    batch = np.random.default_rng(0).integers(0, 256, (3, size, size), dtype=np.uint8)
    features = predictor.features(batch)
    assert features is not None
    assert features.dtype == np.float32
    assert features.shape[0] == 3
    network = onnx.load(bundle / "model.onnx")
    del network.graph.output[2]
    (tmp_path / "old.onnx").write_bytes(network.SerializeToString())
    old = Predictor.open(tmp_path / "old.onnx", threads=1)
    assert old.features(batch) is None
    assert np.allclose(old.run(batch).logits, predictor.run(batch).logits, atol=1e-6)


def test_prediction_loads_neither_torch_nor_tables(
    bundle: Path, image: Path, unmeasured: dict[str, str]
) -> None:
    result = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, str(bundle), str(image)],
        capture_output=True,
        text=True,
        check=True,
        env=unmeasured,
    )
    assert result.stdout.strip() == "[]"


def test_positives_are_the_sum_of_their_classes(bundle: Path) -> None:
    card = read_card(bundle / "card.json")
    two = card.decision.model_copy(update={"positive": ("covid", "viral"), "threshold": 0.6})
    card = card.model_copy(update={"decision": two, "temperature": 1.0})
    logits = np.log(np.array([[0.3, 0.2, 0.3, 0.2], [0.29, 0.2, 0.3, 0.21]], np.float32))
    results = outcomes(card, Outputs(logits, np.zeros((2, 4, 1, 1), np.float32)))
    assert [round(r.positive_probability, 4) for r in results] == [0.6, 0.59]
    assert [r.positive for r in results] == [results[0].positive_probability >= 0.6, False]


def test_an_image_of_another_modality_is_refused(bundle: Path, image: Path) -> None:
    predictor = Predictor.open(bundle)
    assert predictor.card.training.modalities == ("X-ray",)
    radiograph = read_radiograph(image)
    for modality in (None, "X-ray"):
        predictor.predict(replace(radiograph, facts=radiograph.facts._replace(modality=modality)))
    of_ct = replace(radiograph, facts=radiograph.facts._replace(modality="CT"))
    with refuses("modality-out-of-scope", "a.dcm", "CT", "demo", "X-ray"):
        predictor.predict(of_ct, "a.dcm")
    training = predictor.card.training.model_copy(update={"modalities": ("CT",)})
    predictor.card = predictor.card.model_copy(update={"training": training})
    predictor.predict(of_ct)


def test_probabilities_are_stable_for_huge_logits() -> None:
    table = probabilities(np.array([[1e4, 0, -1e4]], np.float32), 1.0)
    assert table.tolist() == [[1.0, 0.0, 0.0]]


def test_a_result_that_is_no_number_is_an_error(bundle: Path) -> None:
    card = read_card(bundle / "card.json")
    with refuses("output-not-finite"):
        outcomes(card, Outputs(np.full((1, 4), np.nan, np.float32), np.zeros((1, 4, 1, 1), "f4")))


@pytest.mark.parametrize("name", ["model.onnx", "MODEL_CARD.md"])
def test_a_tampered_file_is_named(copy: Path, name: str) -> None:
    with (copy / name).open("ab") as file:
        file.write(b"x")
    with refuses("bundle-file-changed", name):
        Predictor.open(copy)


@pytest.mark.parametrize("name", ["model.onnx", "MODEL_CARD.md", "card.json"])
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with refuses("file-missing", name):
        Predictor.open(copy)


def test_a_changed_card_is_found(copy: Path) -> None:
    card = json.loads((copy / "card.json").read_text())
    card["decision"]["threshold"] = 0.999
    (copy / "card.json").write_text(json.dumps(card))
    with refuses("card-differs"):
        Predictor.open(copy)


def test_a_card_must_vouch_for_the_files_and_no_others(copy: Path) -> None:
    card = json.loads((copy / "card.json").read_text())
    others: list[dict[str, str]] = [{}, card["files"] | {"../../secret": "0" * 64}]
    for files in others:
        (copy / "card.json").write_text(json.dumps(card | {"files": files}))
        with refuses("bundle-hash-missing"):
            Predictor.open(copy)


def test_a_network_that_its_card_does_not_describe_is_refused(copy: Path) -> None:
    network = onnx.load(copy / "model.onnx")
    (entry,) = network.metadata_props
    card = json.loads(entry.value)
    card["input"]["size"] = 65
    entry.value = json.dumps(card)
    (copy / "other.onnx").write_bytes(network.SerializeToString())
    with refuses("network-not-of-card"):
        Predictor.open(copy / "other.onnx")


@pytest.mark.parametrize(
    ("part", "key", "value", "refused"),
    [
        ("decision", "positive", ["plague"], ("record-invalid", "decision.positive is not a part")),
        ("training", "best_epoch", 99, ("record-invalid", "best_epoch is not in")),
        ("decision", "threshold", 1.5, ("record-invalid", "decision.threshold")),
    ],
)
def test_a_card_whose_parts_disagree_is_refused(
    bundle: Path, part: str, key: str, value: object, refused: tuple[str, ...]
) -> None:
    card = json.loads((bundle / "card.json").read_text())
    card[part][key] = value
    with refuses(*refused):
        parse_card(json.dumps(card), "it")


def test_a_network_of_others_is_refused(copy: Path, tmp_path: Path) -> None:
    network = onnx.load(copy / "model.onnx")
    del network.metadata_props[:]
    (tmp_path / "other.onnx").write_bytes(network.SerializeToString())
    with refuses("card-missing", "other.onnx"):
        Predictor.open(tmp_path / "other.onnx")
    (tmp_path / "text.onnx").write_text("text")
    with refuses("onnx-invalid", "text.onnx"):
        Predictor.open(tmp_path / "text.onnx")
    with refuses("file-missing"):
        Predictor.open(tmp_path / "none")


def test_a_card_must_be_whole(bundle: Path) -> None:
    text = (bundle / "card.json").read_text()
    assert isinstance(parse_card(text, "it"), Card)
    with refuses("record-invalid", "it", "a model card", "temperature"):
        parse_card(text.replace('"temperature"', '"heat"'), "it")
    with refuses("record-invalid", "it", "a model card", "the text"):
        parse_card("{", "it")


def test_the_manifest_and_one_file_agree(bundle: Path, images: pd.DataFrame) -> None:
    predictor = Predictor.open(bundle, threads=1)
    table = predict_manifest(predictor, Manifest(images.head(3))).frame
    for _, row in table.iterrows():
        outcome = predictor.predict(read_radiograph(Path(str(row["path"]))))
        assert outcome.probabilities["covid"] == pytest.approx(row["p_covid"], abs=1e-6)
