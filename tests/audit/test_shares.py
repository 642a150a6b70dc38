from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score

from pulmo.audit.context import AuditContext
from pulmo.audit.shares import accuracy, balanced_accuracy, balanced_difference
from pulmo.core.estimate import wilson


def test_shares_of_some_rows(
    make_rows: Callable[..., pd.DataFrame],
    tell: Callable[..., AuditContext],
    generator: np.random.Generator,
) -> None:
    context = tell(make_rows(["normal"] * 30 + ["covid"] * 10), np.full((40, 2), 0.5))
    numbers = np.arange(5, 40)
    one, two = generator.integers(2, size=(2, 35))
    truth = context.truth[numbers]
    plain = accuracy(context, numbers, one)
    assert plain.value == pytest.approx(accuracy_score(truth, one))
    balanced = [balanced_accuracy(context, numbers, each).value for each in (one, two)]
    expected = [balanced_accuracy_score(truth, each) for each in (one, two)]
    assert balanced == pytest.approx(expected)
    difference = balanced_difference(context, numbers, one, two)
    assert difference.estimate.value == pytest.approx(expected[0] - expected[1])
    # Where all are right each group counts once.
    assert accuracy(context, numbers, truth)[1:3] == pytest.approx(wilson(1.0, 35))
