"""pulmo search."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from pulmo.core.recipe import load_recipe
from pulmo.datasets.manifest import Manifest, read_manifest

Call = Callable[..., tuple[int, str, str]]

SETTINGS = ["image.size=32", "train.batch=8", "train.epochs=1", "train.precision=fp32"]
OPTIONS = [word for setting in SETTINGS for word in ("--set", setting)]

_opened: list[str] = []
_listening: list[bool] = []


def _hear(event: str, arguments: tuple[object, ...]) -> None:
    """Notes every file that this process opens, by whatever way Python knows of."""
    if event == "open" and _listening:
        _opened.append(str(arguments[0]))


# An audit hook can be added and never removed.
sys.addaudithook(_hear)


@pytest.fixture
def space(tmp_path: Path) -> Path:
    path = tmp_path / "space.toml"
    path.write_text(
        '"train.lr" = {low = 1e-4, high = 1e-2, log = true}\n'
        '"train.optimiser" = {choices = ["adamw", "sgd"]}\n'
    )
    return path


def test_it_finds_a_recipe_and_opens_no_image_of_the_test(
    pulmo: Call,
    images: pd.DataFrame,
    manifest: Path,
    space: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PULMO_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "search"
    words = ["search", "demo", "--data", manifest, "--space", space, "-o", folder, *OPTIONS]
    _listening.append(True)
    try:
        status, out, err = pulmo(*words, "--trials", "2")
    finally:
        _listening.clear()
    assert status == 0, err
    by_split = images.groupby("split")["path"].apply(set)
    opened = set(_opened) & set(images["path"])
    assert opened == by_split["train"] | by_split["val"]
    assert not set(read_manifest(folder / "manifest.parquet").frame["path"]) & by_split["test"]
    assert "trial 1 is complete: " in err
    assert out.startswith("| Trial |    State | Validation loss |")
    assert "The best validation loss is optimistic: it is the lowest of 2 trials" in out
    recipe = load_recipe(str(folder / "best.toml"))
    assert out.splitlines()[-2:] == [
        f"The best is trial {recipe.name.rpartition('-')[2]}.",
        f"Next: pulmo train {folder / 'best.toml'} --data M -o RUN",
    ]
    assert pulmo(*words)[0] == 2
    status, out, err = pulmo("search", "-o", folder, "--trials", "2", "--resume", "--json")
    result = json.loads(out)
    assert status == 0
    assert err == ""
    assert [trial["state"] for trial in result["trials"]] == ["complete"] * 2
    assert result["trials"][result["best"]]["tried"]["train.lr"] == recipe.train.lr
    assert result["recipe"] == str(folder / "best.toml")
    assert "optimistic" in result["note"]
    assert pulmo("train", folder / "best.toml", "--data", manifest, "-o", tmp_path / "run")[0] == 0


def test_no_trial_in_time(pulmo: Call, manifest: Path, space: Path, tmp_path: Path) -> None:
    words = ["search", "demo", "--data", manifest, "--space", space, "-o", tmp_path / "search"]
    status, out, _ = pulmo(*words, "--timeout", "0")
    assert status == 0
    assert out.endswith("No trial is complete. Resume with more --trials: --resume.\n")
    status, out, _ = pulmo(*words, "--timeout", "0", "--resume", "--json")
    result = json.loads(out)
    assert (result["best"], result["recipe"], result["trials"]) == (None, None, [])


def test_trials_that_came_to_nothing_are_in_the_table(
    pulmo: Call, manifest: Path, space: Path, tmp_path: Path
) -> None:
    space.write_text('"train.lr" = {low = 1e30, high = 1e35}\n')
    status, out, err = pulmo(
        "search", "demo", "--data", manifest, "--space", space, "-o", tmp_path / "search",
        "--trials", "1", *OPTIONS, "--set", "train.optimiser=sgd",
    )  # fmt: skip
    assert status == 0
    assert "trial 0 is diverged: -\n" in err
    assert "| 0     | diverged |               - |          - |      0 |" in out


@pytest.mark.parametrize(
    ("change", "status", "reason"),
    [
        (
            '"train.rl" = {low = 0.1, high = 0.2}',
            2,
            "train.rl is not known, did you mean 'train.lr'?",
        ),
        ('"train.lr" = {low = 0.2, high = 0.1}', 2, "low must be below high"),
    ],
)
def test_a_space_with_a_typo(
    pulmo: Call,
    manifest: Path,
    space: Path,
    tmp_path: Path,
    change: str,
    status: int,
    reason: str,
) -> None:
    space.write_text(change)
    words = ["search", "demo", "--data", manifest, "--space", space, "-o", tmp_path / "search"]
    found, out, err = pulmo(*words)
    assert (found, out) == (status, "")
    assert reason in err
    assert not (tmp_path / "search").exists()


def test_another_search_in_the_same_folder(
    pulmo: Call, images: pd.DataFrame, manifest: Path, space: Path, tmp_path: Path
) -> None:
    words = ["search", "demo", "--space", space, "-o", tmp_path / "search", "--timeout", "0"]
    assert pulmo(*words, "--data", manifest)[0] == 0
    fewer = tmp_path / "fewer.parquet"
    Manifest(images[images["split"] != "test"][1:]).save(fewer)
    status, _, err = pulmo(*words, "--data", fewer, "--seed", "1", "--resume")
    assert status == 5
    assert "was started with another manifest_sha256, seed. A search resumes only" in err
