from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from pulmo.audit.checks.shortcuts import shortcuts
from pulmo.audit.context import AuditContext

Rows = Callable[..., pd.DataFrame]
Tell = Callable[..., AuditContext]

LABELS = ["normal", "covid"] * 40


def right(share: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """What a model says that is right about this share of either class."""
    covid = (np.arange(80) % 2 == 1) ^ (np.arange(80) // 2 >= share * 40)
    return np.where(covid[:, None], [0.1, 0.9], [0.9, 0.1])


def aged(rows: pd.DataFrame, *, tell_apart: bool) -> pd.DataFrame:
    ages = np.array([5.0, 60.0] * 40) if tell_apart else np.arange(80) // 2 % 50 + 20.0
    return rows.assign(age=ages)


def test_fires_where_the_age_tells_as_much(make_rows: Rows, tell: Tell) -> None:
    fit = aged(make_rows(LABELS, 100), tell_apart=True)
    context = tell(aged(make_rows(LABELS), tell_apart=True), right(0.9), fit=fit)
    result = shortcuts(context)
    assert result.verdict == "fails"
    assert result.kinds == ("best-baseline", "not-better")
    assert "age alone" in result.messages[1].text
    assert result.metrics["age"].value == 1.0
    assert result.metrics["model"].value == 0.9


def test_silent_where_nothing_else_tells(
    make_rows: Rows, tell: Tell, generator: np.random.Generator
) -> None:
    # An image holds its number alone, and no number tells a class that was drawn.
    fit = aged(make_rows(generator.permutation(LABELS).tolist(), 100), tell_apart=False)
    order = generator.permutation(80)
    test = aged(make_rows(np.array(LABELS)[order].tolist()), tell_apart=False)
    result = shortcuts(tell(test, right(0.95)[order], fit=fit))
    assert result.verdict == "passes"
    assert result.metrics.keys() == {"model", "age", "histogram", "thumbnail", "border"}
    assert result.kinds == ("best-baseline",)


def test_a_published_accuracy_below_a_baseline_is_named(make_rows: Rows, tell: Tell) -> None:
    fit, test = (aged(make_rows(LABELS, first), tell_apart=True) for first in (100, 0))
    context = tell(test, right(1.0), fit=fit)
    context.options = replace(context.options, published=0.9)
    found = {message.kind: message.text for message in shortcuts(context).messages}
    assert "age alone 1.000" in found["above-published"]
    context.options = replace(context.options, published=1.0)
    assert "above-published" not in shortcuts(context).kinds


def test_unknown_where_no_baseline_can_be_fitted(make_rows: Rows, tell: Tell) -> None:
    result = shortcuts(tell(make_rows(LABELS), right(0.9)))
    assert result.verdict == "could_not_run"
    assert result.kinds == ("no-training-images",)
    one = tell(make_rows(LABELS), right(0.9), fit=make_rows(["normal"] * 40, 1000))
    result = shortcuts(one)
    assert (result.verdict, result.kinds) == ("could_not_run", ("no-baseline",))
    assert result.metrics["model"].value == 0.9
