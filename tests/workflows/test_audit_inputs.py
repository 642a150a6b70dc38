"""What an audit is made of."""

from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from fixtures.refuses import refuses
from pulmo.audit.check_result import read_audit
from pulmo.bundle.predictor import Predictor
from pulmo.cli.app import app
from pulmo.core.errors import PulmoError
from pulmo.core.files import write_atomically
from pulmo.core.folders import RepeatsFolder, RunFolder
from pulmo.datasets.manifest import Manifest
from pulmo.experiments.summary import Summary
from pulmo.workflows.audit_inputs import bundle_input, folds_input
from pulmo.workflows.model_kind import kind_of
from pulmo.workflows.repeated_runs import Repeat
from pulmo.workflows.summarise import summarise

# One worker trains the folds for all of them.
pytestmark = pytest.mark.xdist_group("folds")


@pytest.fixture
def predictor(bundle: Path) -> Predictor:
    return Predictor.open(bundle, 1)


class TestBundle:
    """A bundle and its images."""

    def test_the_manifest_tells_what_it_was_trained_on(
        self, images: pd.DataFrame, predictor: Predictor
    ) -> None:
        audited = bundle_input(predictor, Manifest(images), "test", None)
        (part,) = audited.parts
        assert set(part.test["split"]) == {"test"}
        assert set(part.fit["split"]) == {"train", "val"}
        assert audited.doubts == ()

    def test_what_it_has_seen_is_left_out_by_name(
        self, images: pd.DataFrame, predictor: Predictor, run: RunFolder
    ) -> None:
        unsplit = images.assign(split=None)
        seen = images["split"].isin(["train", "val"])
        audited = bundle_input(predictor, Manifest(unsplit), None, None)
        (part,) = audited.parts
        assert part.fit.empty
        assert part.test["path"].tolist() == images["path"][~seen].tolist()
        assert part.excluded is not None
        assert part.excluded["path"].tolist() == images["path"][seen].tolist()
        assert len(part.given) == len(images)
        (doubt,) = audited.doubts
        assert doubt.startswith(f"{seen.sum()} images took no part, because the model was ")
        assert Path(images["path"][seen].iloc[0]).name in doubt
        # Of one patient is enough, and the run tells the patients.
        other = unsplit[seen.to_numpy()].assign(sha256="0" * 64, pixels_sha256=None)
        mixed = pd.concat([other, unsplit[~seen.to_numpy()]])
        (part,) = bundle_input(predictor, Manifest(mixed), None, run).parts
        assert len(part.test) == (~seen).sum()
        with refuses("images-all-of-training"):
            bundle_input(predictor, Manifest(unsplit[seen.to_numpy()]), None, None)

    def test_who_asks_for_the_validation_gets_it(
        self, images: pd.DataFrame, predictor: Predictor
    ) -> None:
        (part,) = bundle_input(predictor, Manifest(images), "val", None).parts
        assert set(part.test["split"]) == {"val"}
        assert part.excluded is None

    def test_the_training_of_another_manifest_is_not_its_own(
        self, images: pd.DataFrame, predictor: Predictor
    ) -> None:
        digests = [f"{number:064x}" for number in range(len(images))]
        foreign = images.assign(sha256=digests, pixels_sha256=None)
        audited = bundle_input(predictor, Manifest(foreign), "test", None)
        (part,) = audited.parts
        assert part.fit.empty
        assert set(part.test["split"]) == {"test"}
        assert audited.doubts[0].startswith("The model was trained on none of the ")

    def test_another_training_than_the_cards_is_doubted(
        self, images: pd.DataFrame, predictor: Predictor
    ) -> None:
        fewer = images.drop(index=images.index[images["split"] == "train"][:3])
        (doubt,) = bundle_input(predictor, Manifest(fewer), "test", None).doubts
        n = int((fewer["split"] == "train").sum())
        assert f"has {n} training and" in doubt
        assert f"the card of the model says {n + 3} and" in doubt

    def test_its_run_tells_it_too(
        self, images: pd.DataFrame, predictor: Predictor, run: RunFolder
    ) -> None:
        alone = images[images["split"] == "test"]
        (part,) = bundle_input(predictor, Manifest(alone), None, run).parts
        assert set(part.fit["path"]) == set(images["path"][images["split"] != "test"])

    def test_a_run_of_another_model_is_refused(
        self, images: pd.DataFrame, predictor: Predictor, cross_validation: list[Repeat]
    ) -> None:
        with refuses("bundle-not-of-run"):
            bundle_input(predictor, Manifest(images), "test", cross_validation[0].run)

    def test_without_images_there_is_nothing_to_ask(
        self, images: pd.DataFrame, predictor: Predictor
    ) -> None:
        trained = images[images["split"] != "test"]
        with refuses("split-images-missing", "test"):
            bundle_input(predictor, Manifest(trained), "test", None)


class TestFolds:
    """The bundles of a cross-validation."""

    @pytest.fixture
    def summary(self, cross_validation: list[Repeat]) -> Summary:
        summary = summarise(cross_validation)
        path = cross_validation[0].study.index
        write_atomically(path, summary.model_dump_json().encode())
        return summary

    def test_each_is_asked_about_what_it_did_not_see(
        self, summary: Summary, cross_validation: list[Repeat], folded: pd.DataFrame
    ) -> None:
        folder = cross_validation[0].study
        assert kind_of(folder.root) == "folds"
        parts = folds_input(folder, None, 1).parts
        assert len(parts) == summary.folds == 3
        evaluated = pd.concat([part.test for part in parts])
        assert set(evaluated["path"]) == set(folded["path"][folded["split"] != "test"])
        assert evaluated["path"].is_unique
        for part in parts:
            assert not set(part.fit["group"]) & set(part.test["group"])

    def test_the_command_audits_them_too(
        self, summary: Summary, cross_validation: list[Repeat], tmp_path: Path
    ) -> None:
        root = str(cross_validation[0].study.root)
        words = ["audit", root, "--only", "degenerate", "--threads", "1", "-o", str(tmp_path)]
        CliRunner().invoke(app, words)
        assert read_audit(tmp_path / "audit.json").data.n == summary.pooled[0].n
        refused = CliRunner().invoke(app, [*words, "--split", "test"])
        assert isinstance(refused.exception, PulmoError)
        assert refused.exception.code == "option-not-applicable"
        assert "--split" in str(refused.exception)

    def test_a_seed_must_be_there(self, summary: Summary, cross_validation: list[Repeat]) -> None:
        assert summary.seeds == (0,)
        with refuses("seed-unknown", "7", "0"):
            folds_input(cross_validation[0].study, 7, 1)

    def test_repeats_of_one_split_are_none(self, summary: Summary, tmp_path: Path) -> None:
        folder = RepeatsFolder(tmp_path)
        assert kind_of(tmp_path) == "bundle"
        folder.index.write_text(summary.model_copy(update={"folds": 0}).model_dump_json())
        with refuses("repeats-share-a-split"):
            folds_input(folder, None, 1)
