"""Validation pictures that are drawn from a known world."""

from typing import Protocol

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from pulmo.bundle.validated import Validated


class Draw(Protocol):
    """Draws validation pictures; see `draw`."""

    def __call__(self, scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> Validated: ...


@pytest.fixture
def draw() -> Draw:
    """Pictures of two classes with the given scores, each a patient of its own."""

    def made(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> Validated:
        n = len(scores)
        rows = pd.DataFrame({"group": range(n), "sha256": [f"{i:064x}" for i in range(n)]})
        table = np.column_stack([scores, 1 - scores])
        truth = (~positive).astype(np.intp)
        return Validated.of(table, truth, rows, ("covid", "normal"), ("covid",))

    return made
