"""Tables of three findings per image, with and without missing labels."""

from typing import Protocol

import numpy as np
import pandas as pd
import pytest

FINDINGS = ("Edema", "Lung Opacity", "Fracture")


class MakeTable(Protocol):
    """Makes a random table; see `make_table`."""

    def __call__(self, n: int, missing: float = 0.0, per_patient: int = 1) -> pd.DataFrame: ...


@pytest.fixture
def generator() -> np.random.Generator:
    return np.random.default_rng(5)


@pytest.fixture
def make_table(generator: np.random.Generator) -> MakeTable:
    """Images with correlated findings, probabilities rounded so that some tie, and missing labels.

    `missing` is the share of labels that are missing, of all findings but the first.
    """

    def make(n: int, missing: float = 0.0, per_patient: int = 1) -> pd.DataFrame:
        sick = generator.normal(size=n)
        table = pd.DataFrame(
            {
                "path": [f"/images/Jane Doe/{number}.png" for number in range(n)],
                "patient": [f"p{number // per_patient}" for number in range(n)],
                "sex": generator.choice(["F", "M"], n),
            }
        )
        for place, label in enumerate(FINDINGS):
            score = sick + generator.normal(size=n)
            table[f"p_{label}"] = (1 / (1 + np.exp(-score))).round(2)
            truth = (score + generator.normal(size=n) > 0.3 * place).astype(float)
            truth[generator.random(n) < (missing if place else 0.0)] = np.nan
            table[f"y_{label}"] = truth
        return table

    return make
