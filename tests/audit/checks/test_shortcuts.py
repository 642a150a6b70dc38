from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pulmo.audit.checks.shortcuts import shortcuts
from pulmo.audit.context import AuditContext

pytestmark = pytest.mark.usefixtures("hasty_learners")

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
    assert result.kinds == ("best-baseline", "not-better", "not-better-within")
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
    names = {"age", "histogram", "thumbnail", "border"}
    assert result.metrics.keys() == {"model"} | names | {f"{n}, within one source" for n in names}
    assert result.kinds == ("best-baseline", "best-within")


def test_warns_where_a_baseline_is_as_good_within_one_source(
    make_rows: Rows, tell: Tell, generator: np.random.Generator
) -> None:
    """The age tells nothing between two hospitals, where the model is right, but much within."""
    fit = make_rows(LABELS, 100)
    fit["age"] = np.where(generator.random(80) < 0.65, [5.0, 60.0] * 40, [60.0, 5.0] * 40)
    rows = make_rows(LABELS * 4, 1000)
    covid = np.tile([False, True], 160)
    own = np.arange(320) < 60  # from a hospital that has both classes
    rows["source"] = np.where(own, "both", np.where(covid, "sick", "well"))
    rows["age"] = np.where(own & covid, 60.0, 5.0)
    said = np.where(own, 0.5, np.where(covid, 0.9, 0.1))
    result = shortcuts(tell(rows, np.stack([1 - said, said], axis=1), fit=fit))
    assert result.metrics["age, within one source"].value == 1.0
    assert "not-better-within" in result.kinds
    within = next(one.text for one in result.messages if one.kind == "not-better-within")
    assert "Within one source the AUC of the model is 0.500" in within
    assert "(age alone) 1.000" in within
    assert "not-better" not in result.kinds
    assert result.verdict == "warns"
    alone = rows.assign(source=np.where(covid, "sick", "well"))
    apart = shortcuts(tell(alone, np.stack([1 - said, said], axis=1), fit=fit))
    assert len(apart.tables) == 1
    assert not {"best-within", "not-better-within"} & set(apart.kinds)


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
