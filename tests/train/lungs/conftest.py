"""A training of the lungs on phantoms, cut to seconds."""

from pathlib import Path

import pandas as pd
import pytest

from pulmo.core.folders import LungRunFolder
from pulmo.datasets.manifest import Manifest
from pulmo.lungs.mask_files import find_masks
from pulmo.train.lungs.run import LungData
from pulmo.train.lungs.settings import LungSettings
from pulmo.workflows.lungs import LungRun, train_lungs
from pulmo.workflows.options.lungs import LungTrainOptions


@pytest.fixture(scope="session")
def settings() -> LungSettings:
    return LungSettings(size=64, epochs=2, batch=8, drawn=7, elsewhere=4, cycle=2)


@pytest.fixture(scope="session")
def masks(phantoms: Path) -> Path:
    """The masks of the phantoms."""
    return phantoms.parent / "lung-masks"


@pytest.fixture(scope="session")
def chests(_images: pd.DataFrame) -> Manifest:
    """Phantoms with masks; two of them count as lateral views."""
    views = _images["view"].astype("string").copy()
    for side in ("train", "val"):
        views.loc[_images.index[_images["split"] == side][0]] = "lateral"
    return Manifest(_images.assign(view=views))


@pytest.fixture(scope="session")
def data(chests: Manifest, masks: Path, tmp_path_factory: pytest.TempPathFactory) -> LungData:
    return LungData(chests, find_masks(masks), tmp_path_factory.mktemp("lung-cache"))


@pytest.fixture(scope="session")
def lung_run(
    settings: LungSettings, chests: Manifest, masks: Path, tmp_path_factory: pytest.TempPathFactory
) -> LungRun:
    """A finished training."""
    folder = tmp_path_factory.mktemp("lungs") / "run"
    return train_lungs(chests, masks, folder, LungTrainOptions(settings=settings))


@pytest.fixture(scope="session")
def lung_folder(lung_run: LungRun) -> LungRunFolder:
    return lung_run.folder
