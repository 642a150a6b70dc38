from pathlib import Path

import pandas as pd
import pytest

from fixtures.refuses import refuses
from pulmo.core.recipe import load_recipe
from pulmo.datasets.manifest import Manifest
from pulmo.train.training_data import TrainingData, gather


def gathered(images: pd.DataFrame, tmp_path: Path, *settings: str) -> TrainingData:
    recipe = load_recipe("demo", ["image.size=32", *settings])
    return gather(recipe, Manifest(images), tmp_path / "cache")


@pytest.fixture
def mixed(images: pd.DataFrame) -> pd.DataFrame:
    """Images of which every fourth is a CT slice, but for a few that do not say what they are."""
    images["modality"] = "X-ray"
    images.loc[images.index % 4 == 0, ["modality", "view"]] = ["CT", "axial"]
    images.loc[images.index % 16 == 1, "modality"] = None
    return images


def used(images: pd.DataFrame) -> pd.DataFrame:
    return images[images["split"].isin(["train", "val"])]


def test_images_of_the_test_are_never_opened(images: pd.DataFrame, tmp_path: Path) -> None:
    """Not even looked for: their files are gone."""
    images["path"] = images["path"].mask(images["split"] == "test", "/gone")
    images = images.assign(
        path=images["path"] + images.index.astype(str).where(images["path"] == "/gone", "")
    )
    material = gathered(images, tmp_path)
    assert set(material.manifest.frame["split"]) == {"train", "val"}
    assert len(material.manifest) == len(used(images))


class TestModality:
    """What a recipe takes of several modalities."""

    def test_mixing_is_refused_with_what_to_set(self, mixed: pd.DataFrame, tmp_path: Path) -> None:
        counts = used(mixed)["modality"].fillna("?").value_counts()
        found = f"{counts['CT']} CT, {counts['X-ray']} X-ray, {counts['?']} unstated"
        settings = [f"data.modalities={kinds}" for kinds in ('["CT"]', '["CT", "X-ray"]')]
        with refuses("modalities-mixed", found, *settings):
            gathered(mixed, tmp_path)
        assert not (tmp_path / "cache").exists()

    @pytest.mark.parametrize("chosen", [["X-ray"], ["CT", "X-ray"]])
    def test_what_is_named_is_taken(
        self, mixed: pd.DataFrame, tmp_path: Path, chosen: list[str]
    ) -> None:
        material = gathered(mixed, tmp_path, f"data.modalities={chosen}")
        assert set(material.manifest.frame["modality"]) == set(chosen)
        assert len(material.manifest) == used(mixed)["modality"].isin(chosen).sum()

    def test_only_what_is_used_counts(self, mixed: pd.DataFrame, tmp_path: Path) -> None:
        """Not the test, not other labels, not other views."""
        elsewhere = mixed.assign(modality="X-ray")
        elsewhere["modality"] = elsewhere["modality"].mask(mixed["split"] == "test", "CT")
        gathered(elsewhere, tmp_path)
        by_label = mixed.assign(modality="X-ray")
        by_label["modality"] = by_label["modality"].mask(mixed["label"] == "viral", "CT")
        gathered(by_label, tmp_path, "labels.order=['covid','normal']")
        mixed["view"] = mixed["view"].where(mixed["modality"] == "CT", "PA")
        gathered(mixed, tmp_path, "data.views=['PA']")

    def test_one_modality_and_images_that_state_none_are_not_mixed(
        self, mixed: pd.DataFrame, tmp_path: Path
    ) -> None:
        mixed["modality"] = mixed["modality"].replace("CT", "DX")
        assert len(gathered(mixed, tmp_path).manifest) == len(used(mixed))
