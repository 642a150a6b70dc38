"""The benchmark, on a few drawn images; it has the makers of copies too."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

from pulmo.datasets.curate.fingerprint import Fingerprint, fingerprint

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "curation.py"
KINDS = (
    "crop", "rescale", "recompress", "contrast", "border",
    "flip", "quarter_turn", "rotate", "text", "several",
)  # fmt: skip


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("curation", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def images(benchmark: ModuleType) -> list[NDArray[np.uint8]]:
    """Two images of each of six patients."""
    images: list[NDArray[np.uint8]] = benchmark.drawn_images(6)
    return images


@pytest.fixture(scope="module")
def image_prints(images: list[NDArray[np.uint8]]) -> list[Fingerprint]:
    """Their fingerprints."""
    return [fingerprint(np.asarray(image / 255, np.float32)) for image in images]


def test_every_kind_is_tried(benchmark: ModuleType) -> None:
    assert tuple(kind.__name__ for kind in benchmark.KINDS) == KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_made_copies_are_found_and_nothing_else(
    benchmark: ModuleType,
    images: list[NDArray[np.uint8]],
    image_prints: list[Fingerprint],
    kind: str,
) -> None:
    ours, by_hash = benchmark.score_kind(images, image_prints, getattr(benchmark, kind), 3)
    assert ours.copies == len(images) == 12
    assert ours.right >= 11
    assert ours.found - ours.right <= 1
    assert ours.right >= by_hash.right
