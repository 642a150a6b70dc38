"""What may be expected at another hospital: of a model of shapes, and of one of greys."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from pulmo.audit.check import CHECKS
from pulmo.audit.context import AuditContext

Images = NDArray[np.uint8]
Model = Callable[[Images], NDArray[np.floating]]
Show = Callable[..., AuditContext]
MakeRows = Callable[..., pd.DataFrame]

LABELS = ["normal", "covid"] * 60


@pytest.fixture
def rows(make_rows: MakeRows) -> pd.DataFrame:
    return make_rows(LABELS)


def halves(*, bright: bool) -> Images:
    """Images of `LABELS`: covid is brighter, or as bright with its light on the other side."""
    generator = np.random.default_rng(2)
    covid = np.array(LABELS) == "covid"
    images = generator.normal(100, 8, (len(LABELS), 64, 64))
    if bright:
        images += np.where(covid, 12, -12)[:, np.newaxis, np.newaxis]
    side = np.where(covid, -1, 1) * generator.choice([1] * 9 + [-1], len(LABELS))
    images[:, :, :32] += 20 * side[:, np.newaxis, np.newaxis]
    images[:, :, 32:] -= 20 * side[:, np.newaxis, np.newaxis]
    return images.clip(0, 255).astype(np.uint8)


def by_side(images: Images) -> NDArray[np.floating]:
    """Says covid where the right half is the brighter one."""
    found = images[:, :, 32:].mean(axis=(1, 2)) - images[:, :, :32].mean(axis=(1, 2))
    return np.stack([-found, found], axis=1) / 100


def by_grey(images: Images) -> NDArray[np.floating]:
    """Says covid where the image is bright."""
    found = images.mean(axis=(1, 2)) - 100.0
    return np.stack([-found, found], axis=1) / 100


def test_what_has_a_shape_may_be_expected_elsewhere(show: Show, rows: pd.DataFrame) -> None:
    context = show(halves(bright=False), by_side, rows=rows[60:], fit=rows[:60])
    result = CHECKS["external"](context)
    inside, histogram = (result.metrics[name].value for name in ("internal", "histogram"))
    assert inside is not None
    assert inside > 0.75
    assert histogram == pytest.approx(0.5, abs=0.15)
    estimate = result.metrics["expected"]
    assert estimate.value == pytest.approx(inside - (histogram or 0) + 0.5)
    assert (estimate.low or 0) > 0.5
    # Without an external source there is only an expectation.
    assert result.verdict == "could_not_run"
    assert "no-external-source" in result.kinds


def test_greys_alone_promise_nothing_elsewhere(show: Show, rows: pd.DataFrame) -> None:
    context = show(halves(bright=True), by_grey, rows=rows[60:], fit=rows[:60])
    result = CHECKS["external"](context)
    assert result.metrics["internal"].value == 1.0
    assert result.metrics["expected"].value == pytest.approx(0.5, abs=0.05)
    assert result.verdict == "warns"


@pytest.mark.parametrize(("holds", "verdict"), [(True, "passes"), (False, "fails")])
def test_a_source_outside_decides(
    show: Show, rows: pd.DataFrame, *, holds: bool, verdict: str
) -> None:
    test = rows[40:].assign(source=["hospital"] * 40 + ["elsewhere"] * 40)
    images = halves(bright=False)
    if not holds:
        # There the light is on either side, whatever the class.
        images[80::4] = images[80::4, :, ::-1]
        images[81::4] = images[81::4, :, ::-1]
    result = CHECKS["external"](show(images, by_side, rows=test, fit=rows[:40]))
    assert result.verdict == verdict
    (table,) = result.tables
    ((source, n, auc, error),) = table.rows
    assert (source, n) == ("elsewhere", 40)
    assert auc == result.metrics["elsewhere"]
    estimate = result.metrics["expected"].value or 0
    assert isinstance(error, tuple)
    assert error[0] == pytest.approx(estimate - (result.metrics["elsewhere"].value or 0))


def test_a_source_that_is_fully_predicted_is_no_chance(show: Show, rows: pd.DataFrame) -> None:
    test = rows.assign(source="elsewhere")
    result = CHECKS["external"](show(halves(bright=True), by_grey, rows=test))
    assert result.metrics["elsewhere"][:3] == (1.0, None, None)
    assert result.verdict == "passes"


def test_without_the_training_there_is_no_estimate(show: Show, rows: pd.DataFrame) -> None:
    result = CHECKS["external"](show(halves(bright=False), by_side, rows=rows))
    assert result.verdict == "passes"
    assert result.metrics.keys() == {"expected", "hospital"}
    assert result.metrics["expected"].value is None
    assert "fewer than two classes" in (result.metrics["expected"].reason or "")
    few = show(halves(bright=False), by_side, rows=rows[:4], fit=rows[:4])
    assert CHECKS["external"](few).verdict == "could_not_run"
