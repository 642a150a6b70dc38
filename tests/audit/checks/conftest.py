"""Subjects whose images are in memory: two lungs whose grey tells the class, and a marker."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from pulmo.audit.context import AuditContext
from pulmo.audit.parts import AuditedModel, AuditOptions, Part
from pulmo.bundle.card import Card
from pulmo.bundle.outcome import Outputs
from pulmo.datasets.manifest import Manifest

if TYPE_CHECKING:
    from pulmo.bundle.predictor import Predictor

SIZE = 64
LABELS = ["normal"] * 100 + ["covid"] * 100
LUNGS = np.zeros((SIZE, SIZE), np.bool_)
LUNGS[18:48, 14:28] = LUNGS[18:48, 36:50] = True
CORNER = np.s_[:, :6, :6]

Images = NDArray[np.uint8]
Answer = Callable[[Images], NDArray[np.floating]]


class Function:
    """Answers as a `Predictor` does, by functions of the images."""

    def __init__(self, card: Card, logits: Answer, maps: Answer | None) -> None:
        self.card, self.sha256, self.logits = card, "0" * 64, logits
        self.maps = maps or (lambda inputs: np.zeros((len(inputs), 2, 2, 2)))
        self.read: Answer | None = None
        self.finder = None

    def run(self, inputs: Images) -> Outputs:
        return Outputs(self.logits(inputs).astype(np.float32), self.maps(inputs).astype(np.float32))

    def features(self, inputs: Images) -> NDArray[np.float32] | None:
        return None if self.read is None else self.read(inputs).astype(np.float32)


class Shown(AuditContext):
    """A context without files: the number in a path is the place of its image and its mask."""

    held: Images
    masks: NDArray[np.bool_] | None = None

    def images_of(self, rows: pd.DataFrame) -> Images:
        return self.held[_places(rows)]

    def has_mask(self, rows: pd.DataFrame) -> NDArray[np.bool_]:
        return np.full(len(rows), self.masks is not None)

    def masks_of(self, rows: pd.DataFrame) -> NDArray[np.bool_]:
        return (
            np.zeros((0, SIZE, SIZE), np.bool_) if self.masks is None else self.masks[_places(rows)]
        )


def _places(rows: pd.DataFrame) -> NDArray[np.intp]:
    return np.array([int(Path(path).stem) for path in rows["path"]], np.intp)


Show = Callable[..., Shown]


@pytest.fixture
def show(
    make_card: Callable[..., Card], make_rows: Callable[..., pd.DataFrame], tmp_path: Path
) -> Show:
    """Makes a context of images and of a function that gives their logits."""

    def make(
        images: Images,
        logits: Answer,
        labels: Sequence[str] = LABELS,
        *,
        rows: pd.DataFrame | None = None,
        fit: pd.DataFrame | None = None,
        maps: Answer | None = None,
        masks: NDArray[np.bool_] | None = None,
    ) -> Shown:
        rows = make_rows(labels) if rows is None else rows
        model = cast("Predictor", Function(make_card(), logits, maps))
        known = None if fit is None else Manifest.from_rows(fit)
        means = AuditOptions(tmp_path / "cache", replicates=200)
        context = Shown(
            [Part(AuditedModel.from_predictor(model), known, rows)],
            means,
        )
        context.held, context.masks = images, masks
        return context

    return make


@pytest.fixture
def chests() -> Images:
    """Images of `LABELS`: the lungs of covid are bright, and a corner is too."""
    generator = np.random.default_rng(4)
    images = generator.normal(110, 4, (len(LABELS), SIZE, SIZE))
    covid = np.array(LABELS) == "covid"
    images[:, LUNGS] += np.where(covid, 60, -60)[:, np.newaxis]
    images[CORNER] = np.where(covid, 250, 10)[:, np.newaxis, np.newaxis]
    return images.clip(0, 255).astype(np.uint8)


def score(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """Returns logits [n, 2] that say covid where a value is above 0."""
    return np.stack([-values, values], axis=1) / 10


@pytest.fixture
def by_lungs() -> Answer:
    """Says covid where the middle of the image is bright."""
    return lambda images: score(images[:, 18:48, 14:50].mean(axis=(1, 2)) - 110.0)


@pytest.fixture
def by_marker() -> Answer:
    """Says covid where the upper left corner is bright."""
    return lambda images: score(images[CORNER].mean(axis=(1, 2)) - 100.0)


@pytest.fixture
def lungs() -> NDArray[np.bool_]:
    """Where the lungs of `chests` are."""
    return LUNGS.copy()
