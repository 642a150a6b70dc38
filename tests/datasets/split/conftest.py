"""Manifests of many groups in several strata, made without an image."""

from typing import Protocol

import numpy as np
import pandas as pd
import pytest

STRATA = [("covid", "a"), ("normal", "a"), ("viral", "b"), ("normal", "b"), ("other", "c")]


class MakeGroups(Protocol):
    """Makes a manifest; see `make_groups`."""

    def __call__(self, groups: int = 600, *, seed: int = 0, largest: int = 6) -> pd.DataFrame: ...


@pytest.fixture
def make_groups(images: pd.DataFrame) -> MakeGroups:
    """A manifest of `groups` groups of one to `largest` images, five strata of unequal size."""

    def make(groups: int = 600, *, seed: int = 0, largest: int = 6) -> pd.DataFrame:
        generator = np.random.default_rng(seed)
        chosen = generator.choice(5, groups, p=[0.5, 0.25, 0.15, 0.08, 0.02])
        member = np.repeat(np.arange(groups), generator.integers(1, largest + 1, groups))
        base = images.iloc[np.zeros(len(member), int)].reset_index(drop=True)
        return base.assign(
            path=[f"/{n}" for n in range(len(member))],
            sha256=[f"{n:064x}" for n in range(len(member))],
            pixels_sha256=None,
            group=[f"g{n}" for n in member],
            patient=None,
            label=[STRATA[chosen[n]][0] for n in member],
            source=[STRATA[chosen[n]][1] for n in member],
            origin=None,
            root=None,
            split=None,
            fold=None,
        )

    return make
