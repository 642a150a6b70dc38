import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import torch

from pulmo.bundle.card import Epoch
from pulmo.cli import training
from pulmo.cli.training import stop_with_checkpoint
from pulmo.core.errors import InterruptedRunError
from pulmo.core.folders import RunFolder
from pulmo.core.recipe import Recipe
from pulmo.datasets.manifest import Manifest, read_manifest
from pulmo.models import published
from pulmo.train import run as run_module

Call = Callable[..., tuple[int, str, str]]

COMMAND = Path(sys.executable).with_name("pulmo")
EPOCHS = 12
SETTINGS = [f"train.epochs={EPOCHS}", "image.size=64", "train.batch=8"]
OPTIONS = [word for setting in SETTINGS for word in ("--set", setting)]


def timeless(folder: RunFolder) -> list[dict[str, float]]:
    """The history without what a clock says."""
    rows = [json.loads(line) for line in folder.history.read_text().splitlines()]
    return [{k: v for k, v in row.items() if "second" not in k} for row in rows]


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def recipe_file(quick_recipe: Recipe, tmp_path: Path) -> Path:
    """The recipe of the session's run, as a file."""
    path = tmp_path / "quick.toml"
    path.write_text(quick_recipe.to_toml())
    return path


class TestInterrupted:
    """A run that is interrupted, by all that can interrupt one, ends as if it had not been."""

    def test_the_run_ends_bit_by_bit_the_same(
        self,
        pulmo: Call,
        manifest: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        unmeasured: dict[str, str],
    ) -> None:
        threads = torch.get_num_threads()
        words: list[str | Path]
        words = ["train", "demo", "--data", manifest, "--threads", "1", *OPTIONS, "-o"]
        parts, whole = RunFolder(tmp_path / "parts"), RunFolder(tmp_path / "whole")
        _press_ctrl_c([*words, parts.root], unmeasured)
        done = len(timeless(parts))
        try:
            with monkeypatch.context() as patch:
                patch.setattr(training, "_say_epoch", _terminate)
                assert pulmo(*words, parts.root, "--resume")[0] == 130
            assert len(timeless(parts)) == done + 1 < EPOCHS
            self._fill_the_disk(pulmo, [*words, parts.root, "--resume"], parts)
            # The run knows its recipe and its images.
            status, out, err = pulmo("train", "--threads", "1", "-o", parts.root, "--resume")
            assert status == 0
            assert pulmo(*words, whole.root)[0] == 0
        finally:
            torch.set_num_threads(threads)
        assert timeless(parts) == timeless(whole)
        assert parts.model.read_bytes() == whole.model.read_bytes()
        assert err.splitlines()[-1].startswith(f"epoch {EPOCHS}: train loss ")
        assert out.startswith(f"{parts.root}: best epoch ")
        assert out.endswith(f"Next: pulmo export {parts.root} -o BUNDLE\n")
        assert parts.curves.read_text().startswith("<?xml")

    @staticmethod
    def _fill_the_disk(pulmo: Call, words: list[str | Path], folder: RunFolder) -> None:
        """Resumes where no file may grow as large as a checkpoint."""
        name = str(folder.environment.relative_to(folder.root))
        before = files_of(folder.root)
        sittings = json.loads(before.pop(name))
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        room = folder.last_checkpoint.stat().st_size // 2
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
        try:
            status, out, err = pulmo(*words)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert (status, out) == (3, "")
        assert ".safetensors could not be written: File too large." in err.splitlines()[-1]
        after = files_of(folder.root)
        assert json.loads(after.pop(name))[:-1] == sittings
        assert after == before


def _press_ctrl_c(words: list[str | Path], environment: dict[str, str]) -> None:
    """Starts the command, interrupts it after its first epoch, and sees it stop in order."""
    with subprocess.Popen(
        [COMMAND, *words],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        rest, out = process.stderr.read(), process.stdout.read()
    assert first.startswith("epoch 1: ")
    assert process.returncode == 130, rest
    assert out == ""
    assert "Saving a checkpoint and stopping. Press Ctrl-C again to stop at once.\n" in rest
    assert rest.splitlines()[-1].startswith("pulmo: Training stopped in epoch ")
    assert rest.endswith(". Continue with --resume.\n")


def _terminate(_: Epoch) -> None:
    """Stands in for the line that tells of an epoch."""
    os.kill(os.getpid(), signal.SIGTERM)


def test_a_signal_while_images_are_decoded_ends_at_once(
    pulmo: Call, manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULMO_CACHE", str(tmp_path / "cache"))

    def gather(*words: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        on_decode = words[3]
        assert callable(on_decode)
        on_decode(1, 2)
        pytest.fail("it went on")

    monkeypatch.setattr(run_module, "gather", gather)
    status, out, err = pulmo("train", "demo", "--data", manifest, "-o", tmp_path / "run")
    assert (status, out) == (130, "")
    assert err.splitlines()[-1] == "pulmo: Interrupted before training began."
    assert not (tmp_path / "run").exists()


def test_a_second_signal_is_for_whoever_handled_it_before() -> None:
    heard = []
    before = signal.signal(signal.SIGTERM, lambda *_: heard.append(1))
    try:
        with stop_with_checkpoint() as stop:
            os.kill(os.getpid(), signal.SIGTERM)
            assert stop.is_set()
            assert heard == []
            os.kill(os.getpid(), signal.SIGTERM)
            assert heard == [1]
    finally:
        signal.signal(signal.SIGTERM, before)
    assert InterruptedRunError.exit_status == 130


class TestResume:
    """What --resume does with a run that is finished."""

    def test_a_finished_run_says_so(
        self, pulmo: Call, run: RunFolder, recipe_file: Path, tmp_path: Path
    ) -> None:
        copy = RunFolder(Path(shutil.copytree(run.root, tmp_path / "a run")))
        card = copy.card.read_bytes()
        status, out, err = pulmo(
            "train", recipe_file, "--data", copy.manifest, "-o", copy.root, "--resume"
        )
        assert (status, err) == (0, "")
        assert out.startswith(f"{copy.root}: finished already, best epoch ")
        assert out.endswith(f"Next: pulmo export '{copy.root}' -o BUNDLE\n")
        assert copy.card.read_bytes() == card

    def test_other_settings_or_images_are_refused(
        self,
        pulmo: Call,
        run: RunFolder,
        recipe_file: Path,
        quick_recipe: Recipe,
        images: pd.DataFrame,
        tmp_path: Path,
    ) -> None:
        words = ["train", recipe_file, "-o", run.root, "--resume", "--data"]
        status, _, err = pulmo(*words, run.manifest, "--set", "train.lr=1e-2")
        assert status == 5
        assert "can only be resumed with the recipe and settings that it began with" in err
        assert f"train.lr is {quick_recipe.train.lr} there and 0.01 now" in err
        assert "train.epochs" not in err
        same = f"train.lr={quick_recipe.train.lr}"
        assert pulmo(*words, run.manifest, "--set", same)[0] == 0
        status, _, err = pulmo("train", "starter", *words[2:], run.manifest)
        assert (status, "started with the recipe 'demo', not with 'starter'" in err) == (5, True)
        Manifest(images[:-1]).save(tmp_path / "fewer.parquet")
        status, _, err = pulmo(*words, tmp_path / "fewer.parquet")
        assert status == 5
        assert f"can only be resumed with {run.manifest}" in err

    def test_what_the_recipe_says_now_is_reported_and_not_taken(
        self, pulmo: Call, run: RunFolder
    ) -> None:
        before = files_of(run.root)
        status, out, err = pulmo("train", "demo", "-o", run.root, "--resume")
        assert status == 0
        assert "finished already" in out
        (line,) = err.splitlines()
        assert "continues with its own recipe, which differs in image.size" in line
        assert "train.epochs" in line
        assert {k: v for k, v in files_of(run.root).items() if k != "curves.svg"} == {
            k: v for k, v in before.items() if k != "curves.svg"
        }

    def test_nothing_to_resume(self, pulmo: Call, manifest: Path, tmp_path: Path) -> None:
        for words in ([], ["demo", "--data", manifest]):
            status, out, err = pulmo("train", *words, "-o", tmp_path / "none", "--resume")
            assert (status, out) == (2, "")
            assert "contains no run to resume. Begin without --resume." in err
            assert not (tmp_path / "none").exists()

    def test_a_run_is_not_begun_twice(self, pulmo: Call, run: RunFolder, recipe_file: Path) -> None:
        status, _, err = pulmo("train", recipe_file, "--data", run.manifest, "-o", run.root)
        assert status == 2
        assert "contains a run already. Continue it with --resume" in err


class TestBadInput:
    """What is refused before anything is trained."""

    @pytest.mark.parametrize(
        ("words", "reason"),
        [
            (["dmo"], "Did you mean 'demo'?\n"),
            (["demo", "--set", "train.epoch=3"], "did you mean 'train.epochs'?\n"),
            (["demo", "--set", "train.lr=fast"], "train.lr: "),
            (["demo", "--set", "train"], "is not a setting. Write section.key=value"),
            (["demo", "--device", "tpu"], "'tpu' is not one of 'auto', 'cpu', 'cuda'"),
        ],
    )
    def test_a_typo(
        self, pulmo: Call, manifest: Path, tmp_path: Path, words: list[str], reason: str
    ) -> None:
        status, out, err = pulmo("train", *words, "--data", manifest, "-o", tmp_path / "run")
        assert (status, out) == (2, "")
        assert reason in err

    def test_a_split_or_a_class_that_is_missing_leaves_no_run(
        self, pulmo: Call, images: pd.DataFrame, tmp_path: Path
    ) -> None:
        path = tmp_path / "m.parquet"
        for table, reason in (
            (images.assign(split=None), "no train image of covid, bacterial, viral, normal"),
            (images[images["label"] != "viral"], "no train image of viral"),
        ):
            Manifest(table).save(path)
            status, _, err = pulmo("train", "demo", "--data", path, "-o", tmp_path / "runs" / "a")
            assert status == 3
            assert reason in err
            assert not (tmp_path / "runs").exists()

    def test_weights_that_cannot_be_had(
        self, pulmo: Call, manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(published, "_unreachable", lambda _: "no network")
        monkeypatch.setattr(run_module, "gather", lambda *_: pytest.fail("images were read"))
        for options in ([], ["--seeds", "2"]):
            words = ["train", "starter", "--data", manifest, "-o", tmp_path / "run", *options]
            status, out, err = pulmo(*words)
            assert (status, out) == (2, "")
            (line,) = err.splitlines()
            assert "(no network)" in line
            assert "--set model.weights=FILE" in line
            assert "--from-scratch" in line
            assert not (tmp_path / "run").exists()

    def test_the_recipe_and_the_manifest_are_named(self, pulmo: Call, tmp_path: Path) -> None:
        status, _, err = pulmo("train", "-o", tmp_path / "run")
        assert (status, "No recipe is named" in err) == (2, True)
        status, _, err = pulmo("train", "demo", "-o", tmp_path / "run")
        assert (status, "No manifest is given" in err) == (2, True)

    def test_a_split_that_leaks(self, pulmo: Call, images: pd.DataFrame, tmp_path: Path) -> None:
        Manifest(images.assign(group="everyone")).save(tmp_path / "m.parquet")
        status, _, err = pulmo(
            "train", "demo", "--data", tmp_path / "m.parquet", "-o", tmp_path / "run"
        )
        assert status == 5
        assert "The split leaks: 1 group is on two sides" in err

    def test_a_folder_that_is_not_free(self, pulmo: Call, manifest: Path, tmp_path: Path) -> None:
        status, _, err = pulmo("train", "demo", "--data", manifest, "-o", tmp_path)
        assert status == 2
        assert "is not empty and contains no run" in err
        status, _, err = pulmo("train", "demo", "--data", manifest, "-o", manifest)
        assert status == 3
        assert err == f"pulmo: {manifest} is a file. A folder was expected.\n"


def test_the_manifest_of_a_run_is_the_one_it_was_trained_on(
    run: RunFolder, images: pd.DataFrame
) -> None:
    assert read_manifest(run.manifest).sha256 == Manifest(images).sha256
