"""Features that hold the class, the source, or both."""

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.metrics import balanced_accuracy_score

from pulmo.audit.check import CHECKS
from pulmo.audit.check_result import CheckResult
from pulmo.audit.checks.probe import _verdict, guess
from pulmo.audit.context import AuditContext
from pulmo.stats.estimate import Estimate

Images = NDArray[np.uint8]
Show = Callable[..., AuditContext]
CLASSES = np.repeat([0, 1], 100)
SOURCES = np.tile([0, 1], 100)


@pytest.fixture
def asked(show: Show, make_rows: Callable[..., pd.DataFrame]) -> Callable[..., CheckResult]:
    """Asks of features [200, channels], of which each image holds its number."""
    images = np.zeros((200, 64, 64), np.uint8)
    images[:, 0, 0] = np.arange(200)

    def ask(
        features: NDArray[np.floating] | None, sources: NDArray[np.intp] = SOURCES
    ) -> CheckResult:
        rows = make_rows(["normal"] * 100 + ["covid"] * 100)
        rows["source"] = [f"hospital {source}" for source in sources]
        context = show(images, lambda it: np.zeros((len(it), 2)), rows=rows)
        if features is not None:
            cast("Any", context.parts[0].model.predictor).read = lambda it: features[it[:, 0, 0]]
        return CHECKS["probe"](context)

    return ask


def features_of(of_class: float, of_source: float) -> NDArray[np.floating]:
    drawn = np.random.default_rng(0).normal(size=(200, 6))
    drawn[:, 0] += of_class * CLASSES
    drawn[:, 1] += of_source * SOURCES
    return drawn


def test_features_of_the_class_pass(asked: Callable[..., CheckResult]) -> None:
    result = asked(features_of(6, 0))
    assert result.verdict == "passes"
    assert (result.metrics["class"].value or 0) > 0.9
    assert abs(result.metrics["source within a class"].value or 0) < 0.2


def test_features_of_the_source_fail(asked: Callable[..., CheckResult]) -> None:
    result = asked(features_of(1, 6))
    assert result.verdict == "fails"
    assert (result.metrics["source within a class"].value or 0) > 0.9


def test_features_of_both_warn(asked: Callable[..., CheckResult]) -> None:
    result = asked(features_of(6, 6))
    assert result.verdict == "warns"
    assert result.tables[0].rows[0][0] == "class"


def test_a_source_a_class_cannot_be_distinguished(asked: Callable[..., CheckResult]) -> None:
    result = asked(features_of(6, 6), CLASSES)
    assert result.verdict == "could_not_run"
    assert result.kinds == ("no-shared-class",)


def test_a_bundle_without_features_is_unknown(asked: Callable[..., CheckResult]) -> None:
    result = asked(None)
    assert result.verdict == "could_not_run"
    assert result.kinds == ("no-features",)


def test_every_source_of_a_class_weighs_alike(asked: Callable[..., CheckResult]) -> None:
    # Only covid has two sources, one of them small; normal takes no part.
    sources = np.where(np.arange(200) < 180, 0, 1)
    found = asked(features_of(0, 0), sources).metrics["source within a class"]
    features = features_of(0, 0)[100:].astype(np.float32)
    said = guess(features, sources[100:], np.arange(100))
    expected = balanced_accuracy_score(sources[100:], said, adjusted=True)
    assert found.value == pytest.approx(expected)
    assert found.n == 100


def test_a_probe_never_saw_the_group_that_it_predicts() -> None:
    generator = np.random.default_rng(1)
    groups = np.repeat(np.arange(40), 5)
    # A group's images are alike, and its kind is drawn: only memory could tell it.
    features = generator.normal(size=(40, 50))[groups] + generator.normal(size=(200, 50)) / 50
    wanted = np.tile([0, 1], 20)[groups]
    said = guess(features.astype(np.float32), wanted, groups)
    assert balanced_accuracy_score(wanted, said) < 0.7


def test_no_interval_is_no_certainty() -> None:
    sure, unsure = Estimate(0.5, 0.4, 0.6, 99), Estimate(0.5, None, None, 99, "one group")
    assert _verdict(unsure, sure) == "passes"
    assert _verdict(sure, unsure) == "warns"
