"""Skill, beside scikit-learn's adjusted balanced accuracy."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score

from pulmo.audit.chance import chance, skill
from pulmo.audit.context import AuditContext
from pulmo.audit.shares import balanced_accuracy
from pulmo.core.estimate import Estimate


def test_skill_is_the_adjusted_balanced_accuracy(
    make_rows: Callable[..., pd.DataFrame],
    tell: Callable[..., AuditContext],
    generator: np.random.Generator,
) -> None:
    rows = make_rows(["normal"] * 30 + ["covid"] * 60)
    context = tell(rows, generator.dirichlet([1, 1], 90))
    numbers, decided = np.arange(90), context.sample.decided
    found = skill(balanced_accuracy(context, numbers, decided), chance(context, numbers))
    expected = balanced_accuracy_score(context.truth, decided, adjusted=True)
    assert found.value == pytest.approx(expected)
    assert found.low is not None
    assert found.high is not None
    assert found.low < expected < found.high
    assert chance(context, np.arange(30)) == 1.0


def test_skill_keeps_what_is_undefined() -> None:
    assert skill(Estimate(0.75, None, None, 9, "why"), 0.5) == (0.5, None, None, 9, "why")
