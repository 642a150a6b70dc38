"""Subjects whose model is a function of the images, with drawn images or with none."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

import cv2
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from pulmo.audit.context import AuditContext
from pulmo.audit.parts import AuditedModel, AuditOptions, Part
from pulmo.bundle.card import Card
from pulmo.bundle.outcome import Outputs
from pulmo.bundle.seen import SeenImages
from pulmo.core.files import sha256
from pulmo.core.labels import LabelScheme
from pulmo.datasets.manifest import Manifest
from pulmo.datasets.phantom import draw

if TYPE_CHECKING:
    from pulmo.bundle.predictor import Predictor

SIZE = 64

Answer = Callable[[NDArray[np.uint8]], NDArray[np.floating]]
"""Images uint8 [n, size, size] -> logits [n, classes], or maps [n, classes, rows, columns]."""


class Fake:
    """Answers as a `Predictor` does, by functions instead of a network."""

    def __init__(self, card: Card, answer: Answer, maps: Answer | None = None) -> None:
        self.card = card
        self.sha256 = "0" * 64
        self.seen = SeenImages()
        self.answer = answer
        self.maps = maps
        self.finder = None

    def run(self, inputs: NDArray[np.uint8]) -> Outputs:
        logits = self.answer(inputs).astype(np.float32)
        maps = self.maps(inputs) if self.maps else np.zeros((*logits.shape, 2, 2))
        return Outputs(logits, maps.astype(np.float32))


class WithoutFiles(AuditContext):
    """A context without files: an image holds nothing but the number in its path."""

    def images_of(self, rows: pd.DataFrame) -> NDArray[np.uint8]:
        numbers = np.array([int(Path(path).stem) for path in rows["path"]], np.uint32)
        images = np.zeros((len(rows), SIZE, SIZE), np.uint8)
        images[:, 0, :4] = numbers[:, np.newaxis].view(np.uint8)
        return images


def known(fit: pd.DataFrame | None) -> Manifest | None:
    """Takes rows for the training images; None if they are unknown."""
    return None if fit is None else Manifest.from_rows(fit)


class MakeCard(Protocol):
    """Makes a card; see `make_card`."""

    def __call__(self, order: Sequence[str] = ..., positive: Sequence[str] = ...) -> Card: ...


class MakeRows(Protocol):
    """Makes a manifest; see `make_rows`."""

    def __call__(self, labels: Sequence[str], first: int = 0) -> pd.DataFrame: ...


class MakeContext(Protocol):
    """Makes a context; see `make_context`."""

    def __call__(
        self,
        test: pd.DataFrame,
        answer: Answer,
        fit: pd.DataFrame | None = None,
        card: Card | None = None,
        maps: Answer | None = None,
        options: AuditOptions | None = None,
    ) -> AuditContext: ...


class Tell(Protocol):
    """Makes a context; see `tell`."""

    def __call__(
        self,
        test: pd.DataFrame,
        probabilities: NDArray[np.floating],
        fit: pd.DataFrame | None = None,
        card: Card | None = None,
    ) -> AuditContext: ...


@pytest.fixture
def generator() -> np.random.Generator:
    return np.random.default_rng(20)


@pytest.fixture
def make_card(plain_card: Card) -> MakeCard:
    """The card of a model of `order`; all but its first class are positive if not said."""

    def make(order: Sequence[str] = ("normal", "covid"), positive: Sequence[str] = ()) -> Card:
        called = tuple(positive) or tuple(order[1:])
        return plain_card.model_copy(
            update={
                "name": "fake",
                "labels": LabelScheme(tuple(order)),
                "input": plain_card.input.model_copy(update={"size": SIZE, "aspect": "squash"}),
                "decision": plain_card.decision.model_copy(update={"positive": called}),
            }
        )

    return make


@pytest.fixture
def make_rows() -> MakeRows:
    """A manifest of images that are not there, `first` the number of the first of them.

    Each is a group of its own, of one source; nothing else is known.
    """

    def make(labels: Sequence[str], first: int = 0) -> pd.DataFrame:
        numbers = range(first, first + len(labels))
        return Manifest(
            pd.DataFrame(
                {
                    "path": [f"/images/{number:06}.png" for number in numbers],
                    "sha256": [sha256(b"%d" % number) for number in numbers],
                    "label": list(labels),
                    "group": [f"group {number}" for number in numbers],
                    "source": "hospital",
                    "width": SIZE,
                    "height": SIZE,
                }
            )
        ).frame

    return make


@pytest.fixture
def write_images(make_rows: MakeRows, tmp_path: Path) -> MakeRows:
    """The same, of images drawn into `tmp_path/images`, their masks into `masks/images`."""

    def write(labels: Sequence[str], first: int = 0) -> pd.DataFrame:
        rows = make_rows(labels, first)
        paths = [tmp_path / "images" / Path(path).name for path in rows["path"]]
        masks = tmp_path / "masks" / "images"
        for folder in (tmp_path / "images", masks):
            folder.mkdir(parents=True, exist_ok=True)
        for number, (path, label) in enumerate(zip(paths, labels, strict=True), start=first):
            generator = np.random.default_rng(number)
            image = draw(label, number, generator, (SIZE, SIZE))
            cv2.imwrite(str(path), (image.pixels * 255).astype(np.uint8))
            cv2.imwrite(str(masks / path.name), image.lungs.astype(np.uint8) * 255)
        return Manifest(
            rows.assign(
                path=[str(path) for path in paths],
                sha256=[sha256(path.read_bytes()) for path in paths],
            )
        ).frame

    return write


@pytest.fixture
def make_context(make_card: MakeCard, tmp_path: Path) -> MakeContext:
    """What asks a function of the images: `answer` gives the logits, `maps` the activation."""

    def make(
        test: pd.DataFrame,
        answer: Answer,
        fit: pd.DataFrame | None = None,
        card: Card | None = None,
        maps: Answer | None = None,
        options: AuditOptions | None = None,
    ) -> AuditContext:
        fake = cast("Predictor", Fake(card or make_card(), answer, maps))
        return AuditContext(
            [Part(AuditedModel.from_predictor(fake), known(fit), test)],
            options or AuditOptions(tmp_path / "cache"),
        )

    return make


@pytest.fixture
def tell(make_card: MakeCard, tmp_path: Path) -> Tell:
    """What a model says of images that are not there: `probabilities` [n, classes], as given."""

    def make(
        test: pd.DataFrame,
        probabilities: NDArray[np.floating],
        fit: pd.DataFrame | None = None,
        card: Card | None = None,
    ) -> AuditContext:
        said = np.log(np.maximum(probabilities, 1e-30))
        places = {int(Path(path).stem): place for place, path in enumerate(test["path"])}

        def answer(images: NDArray[np.uint8]) -> NDArray[np.floating]:
            numbers = np.ascontiguousarray(images[:, 0, :4]).view(np.uint32)[:, 0]
            return np.asarray(said[[places[int(number)] for number in numbers]])

        fake = cast("Predictor", Fake(card or make_card(), answer))
        return WithoutFiles(
            [Part(AuditedModel.from_predictor(fake), known(fit), test)],
            AuditOptions(tmp_path / "cache"),
        )

    return make
