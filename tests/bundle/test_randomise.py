"""A network with shuffled weights has the same numbers, and nothing of what it has learnt."""

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from pulmo.bundle.export import export_run
from pulmo.bundle.predictor import Predictor
from pulmo.bundle.randomise import randomised
from pulmo.core.folders import RunFolder
from pulmo.models.stored_weights import LEAST, stored_weights


def tensors(model: bytes) -> dict[str, NDArray[np.generic]]:
    network = onnx.load_model_from_string(model)
    return {each.name: onnx.numpy_helper.to_array(each) for each in network.graph.initializer}


def test_every_tensor_of_weights_is_shuffled_within_itself(bundle: Path) -> None:
    predictor = Predictor.open(bundle, threads=1)
    before = tensors(predictor.model)
    made = randomised(predictor, np.random.default_rng(0))
    after = tensors(made.model)
    assert made.card == predictor.card
    assert made.threads == 1
    assert before.keys() == after.keys()
    assert tensors(predictor.model).keys() == before.keys()
    moved = 0
    for name, values in before.items():
        assert after[name].shape == values.shape
        assert after[name].dtype == values.dtype
        assert (np.sort(after[name], axis=None) == np.sort(values, axis=None)).all()
        if not np.issubdtype(values.dtype, np.floating):
            assert (after[name] == values).all()
        moved += bool((after[name] != values).any())
    assert moved > 4


def test_it_answers_differently_and_by_its_seed(bundle: Path) -> None:
    predictor = Predictor.open(bundle, threads=1)
    size = predictor.card.input.size
    images = np.random.default_rng(0).integers(0, 256, (4, size, size), dtype=np.uint8)
    own = predictor.run(images)
    first, again, other = (
        randomised(predictor, np.random.default_rng(seed)).run(images) for seed in (0, 0, 1)
    )
    assert not np.allclose(first.activation, own.activation, atol=1e-3)
    assert (first.logits == again.logits).all()
    assert not np.allclose(first.logits, other.logits, atol=1e-3)
    assert (predictor.run(images).logits == own.logits).all()


def test_weights_of_eight_bits_are_shuffled_as_the_network_computes_with_them(
    run: RunFolder, tmp_path: Path
) -> None:
    export_run(run, tmp_path / "bundle", "int8")
    predictor = Predictor.open(tmp_path / "bundle", threads=1)
    stored = stored_weights(onnx.load_from_string(predictor.model))
    after = tensors(randomised(predictor, np.random.default_rng(0)).model)
    assert {values.dtype for values in after.values()} <= {np.dtype("f4"), np.dtype("i8")}
    large = [name for name, values in stored.items() if values.size >= LEAST]
    assert large
    for name in large:
        assert (after[name] != stored[name]).any()
        assert (np.sort(after[name], axis=None) == np.sort(stored[name], axis=None)).all()
