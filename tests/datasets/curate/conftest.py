"""A few drawn images, and a manifest of them and of copies."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from pulmo.datasets.curate.fingerprint import Fingerprint, fingerprint
from pulmo.datasets.curate.gallery import Gallery
from pulmo.datasets.importing import import_source
from pulmo.datasets.manifest import Manifest
from pulmo.datasets.phantom import draw

Pixels = NDArray[np.float32]


@pytest.fixture(scope="session")
def drawn() -> list[Pixels]:
    """Images of eight patients; the last is a second one of the first patient."""
    generator = np.random.default_rng(7)
    return [draw("normal", patient % 7, generator, (224, 256)).pixels for patient in range(8)]


@pytest.fixture(scope="session")
def prints(drawn: list[Pixels]) -> list[Fingerprint]:
    """Their fingerprints."""
    return [fingerprint(pixels) for pixels in drawn]


@pytest.fixture
def gallery(prints: list[Fingerprint]) -> Iterator[Gallery]:
    """A gallery of the images."""
    with Gallery() as made:
        for each in prints:
            made.add(each)
        yield made


@pytest.fixture
def crop(drawn: list[Pixels]) -> Pixels:
    """The first image without a fifth of its width and a tenth of its height."""
    return np.ascontiguousarray(drawn[0][10:212, 30:236])


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Mapping[str, Pixels]], pd.DataFrame]:
    """Writes images as `SOURCE/LABEL/NAME.png` and returns a manifest of all sources."""

    def write(images: Mapping[str, Pixels]) -> pd.DataFrame:
        for name, pixels in images.items():
            path = tmp_path / "sets" / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), (pixels * 255).astype(np.uint8))
        folders = sorted((tmp_path / "sets").iterdir())
        tables = [import_source("folder", each, called=each.name).manifest for each in folders]
        return Manifest.concat(tables).frame

    return write
