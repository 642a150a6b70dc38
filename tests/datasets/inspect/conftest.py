"""A made-up manifest whose facts have nothing to do with its classes."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from pulmo.datasets.manifest import Manifest

Make = Callable[..., pd.DataFrame]
Fill = Callable[..., pd.DataFrame]


@pytest.fixture(scope="session")
def make() -> Make:
    """Makes a manifest of n images, one or two a group, each group of one class."""

    def made(
        n: int = 400, seed: int = 0, labels: tuple[str, ...] = ("covid", "viral", "normal")
    ) -> pd.DataFrame:
        generator = np.random.default_rng(seed)
        patient = np.sort(generator.integers(0, 3 * n // 4, n))
        label = generator.choice(labels, 3 * n // 4)[patient]
        return Manifest(
            pd.DataFrame(
                {
                    "path": [f"/data/Jane Doe/{number:05d}.png" for number in range(n)],
                    "sha256": [f"{number:064x}" for number in range(n)],
                    "pixels_sha256": [f"{number + n:064x}" for number in range(n)],
                    "label": label,
                    "patient": patient.astype(str),
                    "group": [f"s:{number}" for number in patient],
                    "source": generator.choice(["east", "west"], n),
                    "origin": generator.choice(["a", "b", "c"], n),
                    "view": generator.choice(["PA", "AP"], n),
                    "modality": generator.choice(["X-ray", "CT"], n),
                    "age": generator.integers(20, 80, n).astype(float),
                    "sex": generator.choice(["F", "M"], n),
                    "width": generator.integers(200, 2000, n),
                    "height": generator.integers(200, 2000, n),
                    "format": generator.choice(["PNG", "JPEG"], n),
                    "bits": generator.choice([8, 16], n),
                    "bytes": generator.integers(5_000, 500_000, n),
                    "notes": generator.choice(np.array(["colour", None]), n),
                }
            )
        ).frame

    return made


@pytest.fixture(scope="session")
def fill() -> Fill:
    """Gives a manifest with whole columns set to one value, each keeping its type."""

    def filled(table: pd.DataFrame, **columns: object) -> pd.DataFrame:
        table = table.copy()
        for name, value in columns.items():
            table[name] = pd.Series([value] * len(table), table.index, table[name].dtype)
        return table

    return filled


@pytest.fixture
def table(make: Make) -> pd.DataFrame:
    """Four hundred images; the test may change them."""
    return make()
