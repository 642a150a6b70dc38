from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from pulmo.audit.checks.sources import sources
from pulmo.audit.context import AuditContext
from pulmo.bundle.card import Card

Rows = Callable[..., pd.DataFrame]
Tell = Callable[..., AuditContext]

HOMES = ["a"] * 80 + ["b"] * 80


@pytest.fixture
def rows(make_rows: Rows) -> pd.DataFrame:
    """Both classes from both sources, most covid from the second."""
    labels = (["normal"] * 60 + ["covid"] * 20) + (["normal"] * 20 + ["covid"] * 60)
    return make_rows(labels).assign(source=HOMES)


def seeing(
    rows: pd.DataFrame, generator: np.random.Generator, *, source: float, disease: float
) -> NDArray[np.float64]:
    """Returns what a model says that sees the source and the disease so well."""
    odds = generator.normal(size=len(rows))
    odds += source * (rows["source"] == "b") + disease * (rows["label"] == "covid")
    scores = 1 / (1 + np.exp(-odds + odds.mean()))
    return np.stack([1 - scores, scores], axis=1)


def test_silent_where_the_disease_is_seen(
    rows: pd.DataFrame, tell: Tell, generator: np.random.Generator
) -> None:
    table = seeing(rows, generator, source=0, disease=2)
    result = sources(tell(rows, table))
    assert result.verdict == "passes"
    positive = (rows["label"] == "covid").to_numpy()
    inside = [
        roc_auc_score(positive[side], table[side, 1])
        for side in (np.arange(160) < 80, np.arange(160) >= 80)
    ]
    # Either source has 60 x 20 pairs.
    within = result.metrics["within a source, covid against normal"]
    assert within.value == pytest.approx(np.mean(inside))
    across = result.metrics["across sources, covid against normal"]
    crossed = [
        np.mean(np.subtract.outer(table[one & positive, 1], table[two & ~positive, 1]) > 0)
        for one, two in (
            (np.arange(160) < 80, np.arange(160) >= 80),
            (np.arange(160) >= 80, np.arange(160) < 80),
        )
    ]
    assert across.value == pytest.approx(np.average(crossed, weights=[400, 3600]))
    assert "lowest-source" in result.kinds


def test_fires_where_only_the_source_is_seen(
    rows: pd.DataFrame, tell: Tell, generator: np.random.Generator
) -> None:
    result = sources(tell(rows, seeing(rows, generator, source=4, disease=0)))
    assert result.verdict == "fails"
    assert "only-across" in result.kinds


def test_warns_where_the_source_helps_much(
    rows: pd.DataFrame, tell: Tell, generator: np.random.Generator
) -> None:
    result = sources(tell(rows, seeing(rows, generator, source=6, disease=0.8)))
    assert result.verdict == "warns"
    assert "lower-within" in result.kinds


def test_warns_where_classes_share_no_source(
    make_rows: Rows, tell: Tell, make_card: Callable[..., Card], generator: np.random.Generator
) -> None:
    rows = make_rows(["normal"] * 30 + ["viral"] * 30 + ["covid"] * 30)
    rows["source"] = ["a"] * 60 + ["b"] * 30
    truth = np.repeat(np.arange(3), 30)
    table = generator.random((90, 3)) + 2 * np.eye(3)[truth]
    card = make_card(("normal", "viral", "covid"))
    result = sources(tell(rows, table / table.sum(axis=1, keepdims=True), card=card))
    assert result.verdict == "warns"
    assert "10 images of both covid and normal, viral and covid:" in result.conclusion
    assert "no-shared-source" in result.kinds
    assert "the AUC of viral against normal is" in result.conclusion
    assert result.metrics["across sources, viral against normal"].value is None
    recalls = {row[0]: row[3:] for row in result.tables[0].rows}
    assert [cell[3] for cell in recalls["a"] if isinstance(cell, tuple)] == [30, 30, 0]


def test_a_set_that_is_made_of_others_is_no_source(
    make_rows: Rows, tell: Tell, generator: np.random.Generator
) -> None:
    rows = make_rows(["normal", "covid"] * 40)
    table = seeing(rows, generator, source=0, disease=2)
    assert sources(tell(rows, table)).verdict == "passes"
    rows["origin"] = rows["label"].map({"normal": "nih", "covid": "cohen"})
    result = sources(tell(rows, table))
    assert result.verdict == "warns"
    assert "no-shared-source" in result.kinds
    assert result.metrics["within a source, covid against normal"].value is None


def test_chance_within_one_source_warns(
    make_rows: Rows, tell: Tell, generator: np.random.Generator
) -> None:
    rows = make_rows(["normal", "covid"] * 40)
    result = sources(tell(rows, seeing(rows, generator, source=0, disease=0)))
    assert result.verdict == "warns"
    assert "at-chance" in result.kinds


def test_one_class_is_unknown(make_rows: Rows, tell: Tell) -> None:
    result = sources(tell(make_rows(["covid"] * 20), np.full((20, 2), 0.5)))
    assert result.verdict == "could_not_run"
    assert result.kinds == ("one-class",)


@pytest.mark.parametrize(
    ("fitted", "origin", "kind"),
    [
        (["a", "b"], None, "internal-test"),
        (["a"], None, "partly-external-test"),
        (["c"], None, "external-test"),
        (["c"], "c", "internal-test"),
    ],
)
def test_external_sources_are_named(
    rows: pd.DataFrame,
    make_rows: Rows,
    tell: Tell,
    generator: np.random.Generator,
    fitted: list[str],
    origin: str | None,
    kind: str,
) -> None:
    fit = make_rows(["normal"] * len(fitted), 1000).assign(source=fitted)
    rows["origin"] = origin
    result = sources(tell(rows, seeing(rows, generator, source=0, disease=2), fit=fit))
    assert kind in result.kinds


def test_files_of_the_users_own_are_no_hospital(
    make_rows: Rows, tell: Tell, generator: np.random.Generator
) -> None:
    rows = make_rows(["normal", "covid"] * 40).assign(source="mine", root="/mine")
    table = seeing(rows, generator, source=0, disease=2)
    result = sources(tell(rows, table))
    assert result.verdict == "could_not_run"
    assert result.kinds == ("unstated-source",)
    assert "0 of 80" in result.conclusion
    assert "when the images are imported" in result.conclusion
    assert sources(tell(rows.assign(origin="north"), table)).verdict == "passes"
    apart = rows.assign(origin=rows["label"].map({"normal": "north", "covid": "south"}))
    assert sources(tell(apart, table)).verdict == "warns"


def test_a_class_whose_source_is_not_stated_is_not_vouched_for(
    make_rows: Rows, tell: Tell, make_card: Callable[..., Card], generator: np.random.Generator
) -> None:
    rows = make_rows(["normal"] * 30 + ["viral"] * 30 + ["covid"] * 30)
    mine = rows["label"] == "covid"
    rows["root"] = pd.Series("/mine", rows.index).where(mine)
    table = generator.random((90, 3)) + 2 * np.eye(3)[np.repeat(np.arange(3), 30)]
    card = make_card(("normal", "viral", "covid"))
    result = sources(tell(rows, table / table.sum(axis=1, keepdims=True), card=card))
    assert result.verdict == "warns"
    texts = {message.kind: message.text for message in result.messages}
    assert "30 of 90" in texts["left-out"]
    assert "both covid and normal, viral and covid:" in texts["no-shared-source"]
