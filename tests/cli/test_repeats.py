"""pulmo train --folds and --seeds."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pulmo.core.tables import read_parquet
from pulmo.datasets.manifest import Manifest
from pulmo.experiments import ray_cluster as cluster_module
from pulmo.experiments.executor import Executor, LocalExecutor
from pulmo.experiments.ray_cluster import Share

Call = Callable[..., tuple[int, str, str]]

SETTINGS = ["image.size=32", "train.batch=8", "train.epochs=1", "train.precision=fp32"]
OPTIONS = [word for setting in SETTINGS for word in ("--set", setting)]


@pytest.fixture
def folded(images: pd.DataFrame, tmp_path: Path) -> Path:
    """A manifest with three folds and a test."""
    rest = images[images["split"] != "test"].sort_values(["label", "group"])
    groups = rest["group"].drop_duplicates()
    fold = images["group"].map(dict(zip(groups, np.arange(len(groups)) % 3, strict=True)))
    path = tmp_path / "folds of images.parquet"
    Manifest(images.assign(fold=fold.astype("Int64").mask(images["split"] == "test"))).save(path)
    return path


def test_folds_end_in_a_table_and_resume_where_they_were(
    pulmo: Call, folded: Path, images: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["train", "demo", "--data", folded, "-o", tmp_path / "cv", "--folds", *OPTIONS]
    # No file of the test is needed, so none is opened.
    hidden = images["path"][images["split"] == "test"]
    moved = {Path(path): tmp_path / f"moved-{n}.png" for n, path in enumerate(hidden)}
    monkeypatch.setenv("PULMO_CACHE", str(tmp_path / "cache"))
    for path, place in moved.items():
        path.rename(place)
    try:
        status, out, err = pulmo(*words)
    finally:
        for path, place in moved.items():
            place.rename(path)
    assert status == 0, err
    assert "fold-1-seed-0:\nepoch 1: train loss " in err
    assert "fold-2-seed-0 is done, 3 of 3\n" in err
    assert out.startswith("# demo: 3 folds, 1 seed\n")
    assert out.splitlines()[-1] == str(tmp_path / "cv" / "summary.json")
    assert (tmp_path / "cv" / "summary.md").read_text() in out
    pooled = read_parquet(tmp_path / "cv" / "pooled" / "seed-0" / "predictions.parquet")
    assert sorted(pooled["path"]) == sorted(images["path"][images["split"] != "test"])
    status, out, err = pulmo(*words)
    assert status == 2
    assert "contains runs already. Continue it with --resume" in err
    # The runs know their recipe and their images.
    status, out, err = pulmo("train", "-o", tmp_path / "cv", "--folds", "--resume", "--json")
    assert status == 0
    assert "epoch" not in err
    assert json.loads(out) == json.loads((tmp_path / "cv" / "summary.json").read_text())


def test_seeds_of_a_plain_split_are_evaluated_on_validation(
    pulmo: Call, manifest: Path, tmp_path: Path
) -> None:
    status, out, err = pulmo(
        "train", "demo", "--data", manifest, "-o", tmp_path / "s", "--seeds", "2", *OPTIONS,
        "--set", "train.seed=4",
    )  # fmt: skip
    assert status == 0, err
    assert out.startswith("# demo: 2 seeds\n\nEach run, evaluated on its validation:\n")
    assert "these values are optimistic" in out
    summary = json.loads((tmp_path / "s" / "summary.json").read_text())
    assert [run["name"] for run in summary["runs"]] == ["seed-4", "seed-5"]
    assert len({run["weights_sha256"] for run in summary["runs"]}) == 2
    assert summary["pooled"] == []


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["--ray", "local"], "local"),
        (["--ray", "head:6379", "--threads", "2"], "head:6379"),
    ],
)
def test_a_cluster_does_the_runs_that_the_options_choose(
    pulmo: Call,
    manifest: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    wanted: str,
) -> None:
    joined: list[tuple[str, Share]] = []

    @contextmanager
    def join(address: str, share: Share) -> Iterator[Executor]:
        joined.append((address, share))
        yield LocalExecutor()

    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr(cluster_module, "joined_cluster", join)
    monkeypatch.setattr("pulmo.workflows.repeated_runs.do_repeat", lambda *_: None)
    # Nothing was done, so there is nothing to read.
    status, _, err = pulmo(
        "train", "demo", "--data", manifest, "-o", tmp_path / "s", "--seeds", "2", *words
    )
    assert status == 3
    assert err.splitlines()[:2] == ["seed-0 is done, 1 of 2", "seed-1 is done, 2 of 2"]
    assert err.endswith("seed-0/card.json does not exist.\n")
    assert joined == [(wanted, Share(2 if "--threads" in words else 1, "auto"))]


class TestBadInput:
    """What is refused before anything is trained."""

    def test_no_folds(self, pulmo: Call, manifest: Path, tmp_path: Path) -> None:
        status, out, err = pulmo(
            "train", "demo", "--data", manifest, "-o", tmp_path / "cv", "--folds"
        )
        assert (status, out) == (2, "")
        assert err.startswith("pulmo: The manifest has no folds.")

    def test_ray_and_json_are_for_many_runs(
        self, pulmo: Call, manifest: Path, tmp_path: Path
    ) -> None:
        for words in (["--ray", "local"], ["--json"]):
            status, _, err = pulmo(
                "train", "demo", "--data", manifest, "-o", tmp_path / "run", *words
            )
            assert status == 2
            assert "Add --folds or --seeds N" in err

    def test_torchrun(
        self, pulmo: Call, manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("WORLD_SIZE", "2")
        status, _, err = pulmo(
            "train", "demo", "--data", manifest, "-o", tmp_path / "cv", "--seeds", "2"
        )
        assert status == 2
        assert "processes of torchrun share one run" in err
