"""A split from Python; tests/cli/test_data_split.py does the same through the command."""

from pathlib import Path

import pandas as pd
import pytest

from pulmo.core.errors import RefusedError, UsageError
from pulmo.datasets.manifest import Manifest, read_manifest
from pulmo.workflows.options.data import SplitOptions
from pulmo.workflows.split import apply_saved_split, split


def test_a_split_is_drawn_saved_and_applied(images: pd.DataFrame, tmp_path: Path) -> None:
    output, saved = tmp_path / "s.parquet", tmp_path / "s.csv"
    done = split(Manifest(images), output, SplitOptions(folds=3, seed=2), saved)
    assert read_manifest(output) == done.manifest
    sides = done.manifest.frame.groupby("group")["split"].nunique()
    assert set(sides) <= {0, 1}
    applied = apply_saved_split(Manifest(images), saved, tmp_path / "again.parquet")
    assert applied.same
    assert applied.result.manifest == done.manifest
    other = apply_saved_split(Manifest(images), saved, tmp_path / "again.parquet", fold=2)
    held = other.result.manifest.frame
    assert set(held["fold"][held["split"] == "val"]) == {2}
    saved.write_text(saved.read_text().replace(",train,", ",test,", 1))
    with pytest.raises(RefusedError):
        apply_saved_split(Manifest(images), saved, tmp_path / "edited.parquet")
    assert not (tmp_path / "edited.parquet").exists()


@pytest.mark.parametrize(
    "options",
    [
        SplitOptions(folds=3, val=0.2),
        SplitOptions(leave_out="phantom", test=0.2),
        SplitOptions(fold=1),
        SplitOptions(age_band=5),
        SplitOptions(labels=("covid",)),
        SplitOptions(val=0.6, test=0.5),
        SplitOptions(keep_test=True, test=0.3),
        SplitOptions(keep_test=True, keep_official=True),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    images: pd.DataFrame, tmp_path: Path, options: SplitOptions
) -> None:
    with pytest.raises(UsageError):
        split(Manifest(images), tmp_path / "s.parquet", options)
    assert not (tmp_path / "s.parquet").exists()


def test_the_split_and_the_manifest_need_two_files(images: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        split(Manifest(images), tmp_path / "s", save=tmp_path / "." / "s")
