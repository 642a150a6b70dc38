"""One small set of drawn images, one run and one bundle for all tests that need them."""

import functools
import gc
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from torch.onnx._internal.exporter._registration import ONNXRegistry

from pulmo.bundle.card import Activation, Card, Decision, Epoch, Input, Network, Training
from pulmo.bundle.export import export_run
from pulmo.core.folders import RunFolder
from pulmo.core.labels import LabelScheme
from pulmo.core.recipe import Recipe, load_recipe
from pulmo.datasets.importing import import_source
from pulmo.datasets.manifest import Manifest
from pulmo.datasets.phantom import write_phantoms
from pulmo.datasets.split import Shares, split_manifest
from pulmo.stats.classified import ClassifiedImages
from pulmo.stats.estimate import Estimate
from pulmo.train.callbacks import Callbacks
from pulmo.train.run import Place, train_run

pytest_plugins = (
    "fixtures.dicom_answers",
    "fixtures.dicom_files",
    "fixtures.experiment",
    "fixtures.predictions",
    "fixtures.quick",
    "fixtures.results",
    "fixtures.shipped",
)


_LONG = {".", "cli", "experiments", "models", "train", "workflows"}
"""Folders whose tests take seconds, so that each goes to the worker that is free."""


def pytest_itemcollected(item: pytest.Item) -> None:
    """Gives the tests of a file to one worker, which makes its fixtures and asks for work once."""
    file = item.path.relative_to(Path(__file__).parent)
    if str(file.parent) not in _LONG and not item.get_closest_marker("xdist_group"):
        item.add_marker(pytest.mark.xdist_group(str(file)))


_FIRST = ("folds", "ray-data", "reproduce")
"""Groups of tests that take long, and so begin first: the last one would leave a worker idle."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the groups that take long before all other tests."""

    def is_later(item: pytest.Item) -> bool:
        group = item.get_closest_marker("xdist_group")
        return group is None or not group.args or group.args[0] not in _FIRST

    items.sort(key=is_later)


def pytest_collection_finish() -> None:
    """Leaves what the libraries made out of the garbage collection, a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def pytest_unconfigure() -> None:
    """Lets the libraries' objects go, or their bindings call them leaked at the end."""
    gc.unfreeze()


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keeps the tests out of the user's cache and data."""
    patch = pytest.MonkeyPatch()
    patch.setenv("PULMO_CACHE", str(tmp_path_factory.mktemp("cache")))
    patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
    patch.delenv("PULMO_MODEL", raising=False)


@pytest.fixture(scope="session", autouse=True)
def _operators() -> None:
    """Lists the operators of ONNX once; torch does so at each export, a fifth of its time."""
    listed = functools.cache(ONNXRegistry.from_torchlib)
    pytest.MonkeyPatch().setattr(ONNXRegistry, "from_torchlib", staticmethod(listed))


@pytest.fixture(autouse=True)
def _unused_test(request: pytest.FixtureRequest) -> Iterator[None]:
    """Forgets that a test evaluated the test images with the bundle that all share."""
    shared = request.getfixturevalue("bundle") if "bundle" in request.fixturenames else None
    yield
    if shared is not None:
        (shared / "test-access.jsonl").unlink(missing_ok=True)


@pytest.fixture
def unmeasured() -> dict[str, str]:
    """An environment in which a process does not measure coverage, which needs room on the disk."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COV")}


@pytest.fixture(scope="module")
def unmeasured_workers() -> Iterator[None]:
    """Keeps worker processes, which are ended at once, from writing down what they covered."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("COV")]:
            patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def plain_card() -> Card:
    """The card of a model that was never trained; covid is positive, normal is not."""
    epoch = Epoch(
        epoch=1,
        lr=1e-3,
        train_loss=1.0,
        val_loss=1.0,
        val_accuracy=0.5,
        val_balanced_accuracy=0.5,
        seconds=1.0,
        images_per_second=1.0,
    )
    return Card(
        name="plain",
        description="A card for tests.",
        created="2026-01-01T00:00:00Z",
        pulmo="0.1.0",
        license="Apache-2.0",
        labels=LabelScheme(("normal", "covid")),
        input=Input(size=64, aspect="pad", mean=0.5, std=0.25),
        temperature=1.0,
        decision=Decision(
            positive=("covid",),
            threshold=0.5,
            aim=0.95,
            sensitivity=Estimate(0.95, 0.9, 0.98, 100),
            specificity=Estimate(0.9, 0.8, 0.95, 100),
        ),
        activation=Activation(rows=2, columns=2, scale=1.0),
        network=Network(
            backbone="tiny", head="linear", parameters=1, weights="none", sha256="0" * 64
        ),
        training=Training(
            recipe="tiny",
            recipe_sha256="0" * 64,
            manifest_sha256="0" * 64,
            seed=0,
            best_epoch=1,
            history=(epoch,),
            counts={},
            sources={},
        ),
    )


@pytest.fixture(scope="session")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of 64 drawn images."""
    return write_phantoms(tmp_path_factory.mktemp("phantoms"), 64, seed=1)


@pytest.fixture(scope="session")
def _images(phantoms: Path) -> pd.DataFrame:
    imported = import_source("csv", phantoms, called="phantom")
    assert not imported.problems
    return split_manifest(imported.manifest, Shares(0.25, 0.25), np.random.default_rng(0)).frame


@pytest.fixture
def images(_images: pd.DataFrame) -> pd.DataFrame:
    """The images' manifest, split; the test may change it."""
    return _images.copy()


@pytest.fixture(scope="session")
def quick_recipe() -> Recipe:
    """The demo recipe, cut to seconds."""
    return load_recipe("demo", ["image.size=64", "train.epochs=2", "train.batch=8"])


@pytest.fixture(scope="session")
def run(
    _images: pd.DataFrame, quick_recipe: Recipe, tmp_path_factory: pytest.TempPathFactory
) -> RunFolder:
    """A finished run."""
    root = tmp_path_factory.mktemp("runs")
    folder = RunFolder(root / "run")
    train_run(quick_recipe, Manifest(_images), Place(folder, root / "cache", "cpu"), Callbacks())
    return folder


@pytest.fixture(scope="session")
def bundle(run: RunFolder) -> Path:
    """The bundle of the run."""
    folder = run.root.parent / "bundle"
    export_run(run, folder)
    return folder


@pytest.fixture(scope="session")
def image(phantoms: Path) -> Path:
    """One image."""
    return min((phantoms.parent / "images").glob("*.png"))


@pytest.fixture
def generator() -> np.random.Generator:
    return np.random.default_rng(20)


@pytest.fixture
def draw_probabilities(
    generator: np.random.Generator,
) -> Callable[[NDArray[np.intp], int, float], NDArray[np.float64]]:
    """Softmax probabilities whose true class has a logit that is `skill` higher.

    They are rounded to 0.01, so that some images tie.
    """

    def draw(truth: NDArray[np.intp], classes: int, skill: float) -> NDArray[np.float64]:
        logits = generator.normal(size=(len(truth), classes))
        logits[np.arange(len(truth)), truth] += skill
        raised = np.exp(logits)
        rounded = np.round(raised / raised.sum(axis=1, keepdims=True), 2)
        rounded[:, -1] = np.clip(1 - rounded[:, :-1].sum(axis=1), 0, 1)
        return np.asarray(rounded)

    return draw


@pytest.fixture
def make_sample(
    generator: np.random.Generator,
    draw_probabilities: Callable[[NDArray[np.intp], int, float], NDArray[np.float64]],
) -> Callable[..., ClassifiedImages]:
    """Makes n random classified images, `per_group` of each group."""

    def make(
        n: int, labels: Sequence[str] = "abc", skill: float = 1.0, per_group: int = 1
    ) -> ClassifiedImages:
        truth = generator.permutation(np.arange(n) % len(labels)).astype(np.intp)
        probabilities = draw_probabilities(truth, len(labels), skill)
        return ClassifiedImages(
            labels=tuple(labels),
            truth=truth,
            decided=probabilities.argmax(axis=1),
            probabilities=probabilities,
            groups=np.arange(n) // per_group,
        )

    return make
