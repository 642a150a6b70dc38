"""Maps of a network, and maps that are the image itself whatever the network has learnt."""

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.stats import spearmanr

from pulmo.audit.check import CHECKS
from pulmo.audit.check_result import CheckResult
from pulmo.audit.checks.explanations import (
    FEW,
    _verdict,
    rank_correlation,
    weighted_medians,
)
from pulmo.audit.context import AuditContext
from pulmo.audit.parts import AuditedModel, AuditOptions, Part
from pulmo.bundle.predictor import Predictor
from pulmo.explain.methods import Maps
from pulmo.explain.methods.occlusion import Occlusion
from pulmo.stats.estimate import Estimate

Show = Callable[..., AuditContext]


def with_maps_of_the_image(model: Path, to: Path) -> Path:
    """Puts the shrunk image in the place of every class activation map."""
    network = onnx.load(model)
    for node in network.graph.node:
        node.output[:] = ["old" if name == "activation" else name for name in node.output]
    helper = onnx.helper
    float_ = onnx.TensorProto.FLOAT
    network.graph.node.extend(
        [
            helper.make_node("Cast", ["radiograph"], ["grey"], to=float_),
            helper.make_node(
                "AveragePool", ["grey"], ["small"], kernel_shape=[16, 16], strides=[16, 16]
            ),
            helper.make_node("Concat", ["small"] * 4, ["activation"], axis=1),
        ]
    )
    to.write_bytes(network.SerializeToString())
    return to


@pytest.fixture
def ask(images: pd.DataFrame, tmp_path: Path) -> Callable[[Path], CheckResult]:
    """Asks of a bundle's file, on drawn images."""

    def make(model: Path) -> CheckResult:
        part = Part(AuditedModel.from_predictor(Predictor.open(model, threads=1)), None, images)
        return CHECKS["explanations"](
            AuditContext([part], AuditOptions(tmp_path / "cache", replicates=200))
        )

    return make


@pytest.fixture
def fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries the methods that ask the network hundreds of times on two images only."""
    monkeypatch.setattr(import_module("pulmo.audit.checks.explanations"), "FEW", 2)


def test_the_maps_of_a_network_pass(bundle: Path, ask: Callable[[Path], CheckResult]) -> None:
    result = ask(bundle)
    assert result.verdict == "passes"
    estimate = result.metrics["median rank correlation"]
    assert estimate.n == 64
    assert estimate.low is not None
    assert estimate.value is not None
    assert estimate.high is not None
    assert estimate.low <= estimate.value <= estimate.high < 0.5
    others = {f"median rank correlation, {name}" for name in ("lime", "occlusion", "rise")}
    assert set(result.metrics) == {"median rank correlation", *others}
    assert {result.metrics[name].n for name in others} == {FEW}
    assert result.kinds == ("shuffled-weights", "shuffled-weights-few")


@pytest.mark.usefixtures("fewer")
def test_maps_of_the_image_alone_fail(
    bundle: Path, tmp_path: Path, ask: Callable[[Path], CheckResult]
) -> None:
    result = ask(with_maps_of_the_image(bundle / "model.onnx", tmp_path / "edges.onnx"))
    assert result.verdict == "fails"
    assert result.metrics["median rank correlation"].value == pytest.approx(1)


@pytest.mark.usefixtures("fewer")
def test_the_worst_method_decides(
    bundle: Path, ask: Callable[[Path], CheckResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    def edges(_self: object, _model: object, images: NDArray[np.uint8], *_: object) -> Maps:
        return Maps(images.astype(np.float32))

    monkeypatch.setattr(Occlusion, "find", edges)
    result = ask(bundle)
    assert result.verdict == "fails"
    assert result.metrics["median rank correlation, occlusion"].value == pytest.approx(1)
    assert (result.metrics["median rank correlation"].value or 0) < 0.5


@pytest.mark.usefixtures("fewer")
def test_it_is_unknown_without_onnx(
    bundle: Path, ask: Callable[[Path], CheckResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    result = ask(bundle)
    assert result.verdict == "could_not_run"
    assert result.kinds == ("missing-package",)
    assert "onnx" in result.conclusion


def test_it_is_unknown_of_maps_with_one_position(show: Show) -> None:
    images = np.zeros((4, 64, 64), np.uint8)
    result = CHECKS["explanations"](
        show(
            images,
            lambda it: np.zeros((len(it), 2)),
            ["normal", "covid"] * 2,
            maps=lambda it: np.zeros((len(it), 2, 1, 1)),
        )
    )
    assert result.verdict == "could_not_run"
    assert result.kinds == ("one-position",)


def test_rank_correlation_is_spearmans(generator: np.random.Generator) -> None:
    one, other = generator.integers(0, 9, (2, 20, 16)).astype(np.float32)
    expected = [spearmanr(a, b).statistic for a, b in zip(one, other, strict=True)]
    assert np.allclose(rank_correlation(one, other), expected)
    assert np.allclose(rank_correlation(one, one), 1)


@pytest.mark.parametrize("broken", [0.0, np.nan, np.inf])
def test_maps_without_an_order_are_not_alike(broken: float) -> None:
    good = np.arange(16, dtype=np.float32)[np.newaxis]
    bad = np.zeros_like(good)
    bad[0, 3:] = broken
    assert rank_correlation(good, bad).tolist() == [0.0]
    assert rank_correlation(bad, good).tolist() == [0.0]


@pytest.mark.parametrize(
    ("estimate", "verdict"),
    [
        (Estimate(0.7, 0.6, 0.8, 50), "fails"),
        (Estimate(0.5, 0.4, 0.6, 50), "warns"),
        (Estimate(0.1, 0.0, 0.2, 50), "passes"),
        (Estimate(1.0, None, None, 50, "all alike"), "fails"),
    ],
)
def test_alike_maps_fail(estimate: Estimate, verdict: str) -> None:
    assert _verdict(estimate) == verdict


@pytest.mark.parametrize("m", [1, 5, 6])
def test_medians_are_those_of_repeated_values(m: int) -> None:
    generator = np.random.default_rng(m)
    values = generator.normal(size=m).round(1)
    weights = np.concatenate([np.ones((1, m), int), generator.integers(0, 3, (200, m))])
    weights = weights[weights.sum(axis=1) > 0]
    expected = [np.median(np.repeat(values, row)) for row in weights]
    np.testing.assert_allclose(weighted_medians(values, weights), expected)
