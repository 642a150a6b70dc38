import numpy as np
import pandas as pd
import pytest

from pulmo.bundle.validated import Validated


def test_the_picture_of_a_group_with_the_lowest_digest_is_drawn() -> None:
    rows = pd.DataFrame({"group": ["b", "a", "b", "c", "a"], "sha256": list("53124")})
    table = np.array([[0.5, 0.2, 0.3]] * 5)
    seen = Validated.of(table, np.array([0, 1, 2, 0, 1]), rows, ("x", "y", "z"), ("x", "z"))
    assert seen.independent.tolist() == [False, True, True, True, False]
    assert seen.groups.tolist() == [0, 1, 0, 2, 1]
    assert seen.positive.tolist() == [True, False, True, True, False]
    assert seen.scores == pytest.approx(0.8)
