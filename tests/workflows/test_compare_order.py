"""Which of several models is better: one that knows the sources, or one that knows the disease."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from pulmo.evaluate.evaluate import Provenance
from pulmo.evaluate.evaluation import ModelName
from pulmo.predictions.decision_rule import DecisionRule
from pulmo.predictions.predictions import Predictions
from pulmo.report.comparison_page import render_comparison
from pulmo.report.comparison_text import comparison_text
from pulmo.workflows.compare import compare
from pulmo.workflows.evaluation_report import report_of

PLACES = np.arange(400)
COVID = PLACES % 2 == 1
SHARED = PLACES < 120
SOURCES = np.where(
    SHARED, np.where(PLACES < 60, "a", "b"), np.where(COVID, "sick", "well")
).tolist()
"""Two hospitals with both classes, and two that have one class each and more images."""


def saved(folder: Path, source: Sequence[str], p: NDArray[np.float64]) -> Path:
    """Writes the evaluation of a model that gives covid the probabilities `p`."""
    table = pd.DataFrame(
        {
            "path": [f"/images/{n}.png" for n in PLACES],
            "sha256": [f"{n:064x}" for n in PLACES],
            "label": np.where(COVID, "covid", "normal"),
            "group": [f"patient {n}" for n in PLACES],
            "source": source,
            "age": pd.array([None] * len(p), "Float64"),
            "split": "test",
            "p_covid": p,
            "p_normal": 1 - p,
            "positive_probability": p,
            "positive": p >= 0.5,
            "decision": np.where(p >= 0.5, "covid", "normal"),
        }
    )
    rule = DecisionRule(("covid", "normal"), {}, ("covid",), 0.5)
    name = ModelName(name=folder.name, version="1", sha256="0" * 64)
    report_of(Predictions(table, rule), Provenance(name, "0" * 64, "test")).save(folder, page=False)
    return folder


@pytest.fixture
def said() -> dict[str, NDArray[np.float64]]:
    """The probability of covid by either model."""
    noise = np.random.default_rng(5).normal(size=(2, len(PLACES)))
    scores = {
        "sources": np.where(SHARED, 0.0, np.where(COVID, 4.0, -4.0)) + noise[0],
        "disease": np.where(COVID, 0.8, -0.8) + noise[1],
    }
    return {name: 1 / (1 + np.exp(-score)) for name, score in scores.items()}


def test_the_figure_within_one_source_decides(
    said: dict[str, NDArray[np.float64]], tmp_path: Path
) -> None:
    content = compare([saved(tmp_path / name, SOURCES, p) for name, p in said.items()]).content
    comparison = content.comparison
    sources, disease = comparison.models
    assert (sources.metrics["auc"].value or 0) > (disease.metrics["auc"].value or 1)
    assert sources.within == ("covid against normal in a", "covid against normal in b")
    for model in (sources, disease):
        inside = (np.array(SOURCES) == name for name in ("a", "b"))
        each = [roc_auc_score(COVID[rows], said[model.name][rows]) for rows in inside]
        found = model.metrics["within_source_auc"]
        assert found.value == pytest.approx(np.mean(each))
        assert found.low is not None
        assert found.high is not None
        assert found.low < np.mean(each) < found.high
    (order,) = comparison.orders
    assert (order.by, order.names) == ("within_source_auc", ("disease", "sources"))
    assert order.pooled == ("sources", "disease")
    assert order.sentences[0].startswith(
        "Mean AUC within one source (covid against normal in a and covid against normal in b): "
        "disease is the best with 0."
    )
    assert order.sentences[1].startswith("AUC: sources is the best with 0.")
    assert order.sentences[2].startswith("The pooled figure prefers sources.")
    (test,) = [one for one in comparison.tests if one.metric == "within_source_auc"]
    values = [one.metrics["within_source_auc"].value or 0 for one in (sources, disease)]
    assert test.difference.value == pytest.approx(values[1] - values[0])
    assert test.p is not None
    assert test.p < 0.05
    assert "Which model is better" in render_comparison(content)
    assert "Order: disease, sources." in comparison_text(comparison)


def test_without_it_a_pooled_figure_decides_and_that_is_said(
    said: dict[str, NDArray[np.float64]], tmp_path: Path
) -> None:
    unstated = ["unstated"] * len(PLACES)
    folders = [saved(tmp_path / name, unstated, p) for name, p in said.items()]
    (order,) = compare(folders).comparison.orders
    assert (order.by, order.names) == ("auc", ("sources", "disease"))
    assert order.sentences[1].startswith(
        "Within-source evidence is missing (of sources, no stated source has 10 images of each"
    )
    known = saved(tmp_path / "known", SOURCES, said["disease"])
    (mixed,) = compare([known, folders[0]]).comparison.orders
    assert (mixed.by, mixed.names) == ("auc", ("sources", "known"))
