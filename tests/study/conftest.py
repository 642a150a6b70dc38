"""A manifest with folds, a recipe that trains in a second, and a finished cross-validation."""

import numpy as np
import pandas as pd
import pytest

from pulmo.core.recipe import Recipe, load_recipe
from pulmo.datasets.manifest import Manifest
from pulmo.study.crew import Alone, do_all
from pulmo.study.repeats import Repeat, claim_repeats, plan_repeats, works_of
from pulmo.study.repeats_folder import RepeatsFolder

FOLDS = 3
TINY = (
    "image.size=32", "train.batch=8", "train.epochs=2", "train.precision=fp32",
    'labels.order=["covid","normal"]', 'labels.merge={"bacterial"="normal","viral"="normal"}',
)  # fmt: skip


def with_folds(films: pd.DataFrame) -> pd.DataFrame:
    """Deals the groups that are not test to folds, label by label."""
    rest = films[films["split"] != "test"].sort_values(["label", "group"])
    groups = rest["group"].drop_duplicates()
    fold = dict(zip(groups, np.arange(len(groups)) % FOLDS, strict=True))
    dealt = films["group"].map(fold).astype("Int64")
    return films.assign(fold=dealt.mask(films["split"] == "test"))


@pytest.fixture
def folded(films: pd.DataFrame) -> pd.DataFrame:
    """The films with folds beside their split."""
    return with_folds(films)


@pytest.fixture(scope="session")
def tiny() -> Recipe:
    """The demo recipe for two classes, cut to a second."""
    return load_recipe("demo", TINY)


@pytest.fixture(scope="session")
def cross_validation(
    _films: pd.DataFrame, tiny: Recipe, tmp_path_factory: pytest.TempPathFactory
) -> list[Repeat]:
    """The finished runs of three folds, done one after the other."""
    folder = RepeatsFolder(tmp_path_factory.mktemp("study") / "folds")
    return train_folds(folder, tiny, with_folds(_films))


def train_folds(folder: RepeatsFolder, recipe: Recipe, manifest: pd.DataFrame) -> list[Repeat]:
    """Trains each fold in this process."""
    first = Repeat(folder, recipe, 0, device="cpu", threads=1)
    runs, table = plan_repeats(first, Manifest(manifest), 1, "make folds")
    claim_repeats(folder, table, resume=False)
    do_all(works_of(runs), Alone(), lambda _: None)
    return runs
