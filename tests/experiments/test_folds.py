import pandas as pd
import pytest

from fixtures.refuses import refuses
from pulmo.core.recipe import Recipe, load_recipe
from pulmo.datasets.manifest import Manifest
from pulmo.experiments.folds import count_folds, fold_split, usable


def test_each_image_is_held_out_once_validates_once_and_trains_in_the_rest(
    folded: pd.DataFrame, tiny: Recipe
) -> None:
    table = usable(tiny, Manifest(folded))
    splits = [fold_split(table, held, 3).frame.set_index("path")["split"] for held in range(3)]
    together = pd.concat(splits, axis=1).loc[splits[0].index]
    counted = together.apply(lambda row: tuple(sorted(row)), axis=1).unique().tolist()
    assert counted == [("test", "train", "val")]
    assert (splits[0] == "val").equals(splits[1] == "test")
    for held in range(3):
        kept = fold_split(table, held, 3)
        assert (kept.frame["fold"][kept.frame["split"] == "test"] == held).all()
        assert kept.frame.groupby("group")["split"].nunique().max() == 1


def test_the_test_and_what_the_recipe_cannot_use_stay_out(folded: pd.DataFrame) -> None:
    # The test's images have folds here, as a careless tool might write.
    folded = folded.assign(fold=folded["fold"].fillna(1))
    recipe = load_recipe("demo", ['labels.order=["covid","normal"]', 'data.sources=["phantom"]'])
    table = usable(recipe, Manifest(folded))
    expected = folded[(folded["split"] != "test") & folded["label"].isin(["covid", "normal"])]
    assert set(table.frame["path"]) == set(expected["path"])
    with refuses("training-images-missing", "'demo'"):
        usable(recipe, Manifest(folded.assign(source="elsewhere")))


def test_images_without_a_fold_or_a_split_are_left_out_of_the_runs(
    folded: pd.DataFrame, tiny: Recipe
) -> None:
    first = folded.index[folded["fold"].notna()][0]
    folded.loc[first, ["fold", "split"]] = pd.NA
    table = usable(tiny, Manifest(folded))
    assert folded["path"][first] in set(table.frame["path"])
    assert folded["path"][first] not in set(fold_split(table, 0, 3).frame["path"])


@pytest.mark.parametrize(
    ("folds", "refused"),
    [
        ([None, None, None], ("folds-missing",)),
        ([0, 1, 1], ("folds-invalid", "0, 1", "3")),
        ([0, 1, 3], ("folds-invalid", "0, 1, 3")),
    ],
)
def test_unusable_folds(
    folds: list[int | None], refused: tuple[str, ...], images: pd.DataFrame
) -> None:
    with refuses(*refused):
        count_folds(Manifest(images[:3].assign(fold=pd.array(folds, "Int64"))))
    assert count_folds(Manifest(images[:4].assign(fold=[2, 1, 0, 0]))) == 3
