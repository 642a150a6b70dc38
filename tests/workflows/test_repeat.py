import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fixtures.refuses import refuses
from pulmo.bundle.card import Epoch, read_card
from pulmo.bundle.manifest_predictions import predict_manifest
from pulmo.bundle.predictor import Predictor
from pulmo.core.errors import InputError
from pulmo.core.folders import RepeatsFolder
from pulmo.core.recipe import Recipe
from pulmo.core.tables import read_parquet
from pulmo.datasets.manifest import Manifest, read_manifest
from pulmo.evaluate.evaluation import read_evaluation
from pulmo.radiograph import Radiograph, read_radiograph
from pulmo.train.callbacks import Callbacks
from pulmo.workflows import repeated_runs as repeats_module
from pulmo.workflows.repeated_runs import Repeat, claim_repeats, do_repeat, plan_repeats, works_of

# One worker trains the folds for all of them.
pytestmark = pytest.mark.xdist_group("folds")


def files_of(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


class StoppedError(Exception):
    """Stands for whatever ends a process."""


def stop_after(epoch: int) -> Callbacks:
    def on_epoch(seen: Epoch) -> None:
        if seen.epoch == epoch:
            raise StoppedError

    return Callbacks(on_epoch=on_epoch)


@pytest.fixture
def copied(cross_validation: list[Repeat], tmp_path: Path) -> list[Repeat]:
    """The runs in a folder of their own."""
    root = Path(shutil.copytree(cross_validation[0].study.root, tmp_path / "copy"))
    return [run._replace(study=RepeatsFolder(root)) for run in cross_validation]


class TestCrossValidation:
    """Each fold held out once."""

    def test_every_image_but_those_of_the_test_is_evaluated_once_by_a_run_that_never_saw_it(
        self, cross_validation: list[Repeat], folded: pd.DataFrame
    ) -> None:
        evaluated: list[str] = []
        for run in cross_validation:
            table = read_manifest(run.run.manifest).frame.set_index("path")["split"]
            predictions = read_parquet(run.evaluation.predictions)
            assert set(table[predictions["path"]]) == {"test"}
            seen = folded[folded["path"].isin(table.index[table != "test"])]
            assert not set(seen["group"]) & set(predictions["group"])
            evaluated += predictions["path"].tolist()
        assert sorted(evaluated) == sorted(folded["path"][folded["split"] != "test"])

    def test_each_run_is_whole_and_evaluated_through_its_bundle(
        self, cross_validation: list[Repeat]
    ) -> None:
        assert [run.name for run in cross_validation] == [f"fold-{n}-seed-0" for n in range(3)]
        for run in cross_validation:
            predictor = Predictor.open(run.bundle)
            held = read_manifest(run.run.manifest).frame.query("split == 'test'")
            expected = predict_manifest(predictor, Manifest(held)).predictions.frame
            written = read_parquet(run.evaluation.predictions)
            np.testing.assert_allclose(written["p_covid"], expected["p_covid"], atol=1e-6)
            assert read_evaluation(run.evaluation.index).model.sha256 == predictor.sha256
            assert read_card(run.evaluation.card) == predictor.card
            assert run.run.curves.read_text().startswith("<?xml")

    def test_a_finished_run_is_not_touched_again(self, copied: list[Repeat]) -> None:
        before = files_of(copied[0].run.root)
        do_repeat(copied[0], stop_after(1))
        after = files_of(copied[0].run.root)
        before.pop("curves.svg")
        after.pop("curves.svg")
        assert after == before


class TestResume:
    """A run that was cut off goes on where it was."""

    def test_within_training_it_ends_in_the_same_weights(
        self, copied: list[Repeat], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run = copied[1]
        whole = run.run.model.read_bytes()
        shutil.rmtree(run.run.root)
        with pytest.raises(StoppedError):
            do_repeat(run, stop_after(1))
        draft = run.run.last_checkpoint.with_name(".last.safetensors.0123abcd")
        draft.write_bytes(b"half")
        (run.run.root / ".bundle.0123abcd").mkdir()
        assert not run.run.card.exists()
        epochs: list[int] = []
        heard = Callbacks(on_epoch=lambda epoch: epochs.append(epoch.epoch))
        with monkeypatch.context() as patch:
            patch.setattr(repeats_module, "export_run", _stop)
            with pytest.raises(StoppedError):
                do_repeat(run, heard)
        assert epochs == [2]
        do_repeat(run, heard)
        assert epochs == [2]
        assert run.run.model.read_bytes() == whole
        assert run.evaluation.index.exists()
        assert not list(run.run.root.rglob(".*"))

    def test_an_image_that_changed_since_is_named(
        self, copied: list[Repeat], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run = copied[0]
        run.evaluation.index.unlink()

        gone = read_parquet(run.evaluation.predictions)["path"].iloc[0]

        def read(path: Path) -> Radiograph:
            if str(path) == gone:
                raise InputError("file-missing", f"{path} is gone.")
            return read_radiograph(path)

        monkeypatch.setattr("pulmo.bundle.manifest_predictions.read_radiograph", read)
        with pytest.raises(InputError, match=f"1 of .* could not be evaluated.*{gone} is gone"):
            do_repeat(run, Callbacks())
        assert not run.evaluation.index.exists()


def _stop(*_: object) -> None:
    raise StoppedError


class TestPlan:
    """Which runs there are."""

    def test_seeds_count_up_from_the_recipes_own(
        self, images: pd.DataFrame, tiny: Recipe, tmp_path: Path
    ) -> None:
        section = tiny.train.model_copy(update={"seed": 5})
        recipe = tiny.model_copy(update={"train": section})
        first = Repeat(RepeatsFolder(tmp_path), recipe)
        runs, table = plan_repeats(first, Manifest(images), 3)
        assert [run.name for run in runs] == ["seed-5", "seed-6", "seed-7"]
        assert {run.evaluated_on for run in runs} == {"val"}
        assert list(works_of(runs)) == ["seed-5", "seed-6", "seed-7"]
        assert set(table.frame["split"]) == {"train", "val"}
        assert runs[1].split(table) is table

    def test_folds_times_seeds(self, folded: pd.DataFrame, tiny: Recipe, tmp_path: Path) -> None:
        first = Repeat(RepeatsFolder(tmp_path), tiny, 0)
        runs, _ = plan_repeats(first, Manifest(folded), 2)
        assert [(run.fold, run.seed) for run in runs] == [(f, s) for s in (0, 1) for f in range(3)]
        assert len({run.recipe.sha256 for run in runs}) == 2

    def test_folds_that_leak_are_refused(
        self, folded: pd.DataFrame, tiny: Recipe, tmp_path: Path
    ) -> None:
        leaking = folded.assign(group="everyone")
        with refuses("split-leaks", 1):
            plan_repeats(Repeat(RepeatsFolder(tmp_path), tiny, 0), Manifest(leaking), 1)
        with refuses("folds-missing"):
            plan_repeats(
                Repeat(RepeatsFolder(tmp_path), tiny, 0),
                Manifest(folded.assign(fold=None)),
                1,
            )


class TestClaim:
    """Whose folder it is."""

    def test_it_must_be_free_or_this_experiments(
        self, folded: pd.DataFrame, tmp_path: Path
    ) -> None:
        folder = RepeatsFolder(tmp_path / "study")
        folder.root.mkdir()
        (folder.root / ".manifest.parquet.0123abcd").write_bytes(b"half")
        with refuses("resume-without-run"):
            claim_repeats(folder, Manifest(folded), resume=True)
        claim_repeats(folder, Manifest(folded), resume=False)
        assert read_manifest(folder.manifest).frame.equals(folded)
        with refuses("run-exists"):
            claim_repeats(folder, Manifest(folded), resume=False)
        claim_repeats(folder, Manifest(folded), resume=True)
        with refuses("run-data-changed"):
            claim_repeats(folder, Manifest(folded[:-1]), resume=True)
        with refuses("folder-not-empty"):
            claim_repeats(RepeatsFolder(tmp_path), Manifest(folded), resume=False)
