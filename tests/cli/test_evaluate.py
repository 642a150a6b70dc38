import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pulmo.bundle.card import read_card
from pulmo.bundle.predictor import Predictor
from pulmo.core.folders import BundleFolder, RunFolder
from pulmo.core.tables import read_parquet
from pulmo.datasets.manifest import Manifest, read_manifest
from pulmo.evaluate.evaluation import read_evaluation
from pulmo.radiograph import read_radiograph
from pulmo.stats.estimate import difference

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def bundle(bundle: Path, tmp_path: Path) -> Path:
    """A copy of the bundle, for an opened test is noted in it."""
    clean = shutil.ignore_patterns("test-access.jsonl")
    return Path(shutil.copytree(bundle, tmp_path / "bundle", ignore=clean))


@pytest.mark.rendered
def test_four_files_and_a_summary(
    pulmo: Call, bundle: Path, manifest: Path, images: pd.DataFrame, tmp_path: Path
) -> None:
    output = tmp_path / "evaluation"
    status, out, err = pulmo(
        "evaluate", bundle, "--data", manifest, "--split", "test", "-o", output
    )
    chosen = images[images["split"] == "test"]
    assert (status, err) == (0, "")
    assert {path.name for path in output.iterdir()} == {
        "predictions.parquet", "card.json", "evaluation.json", "report.html",
    }  # fmt: skip
    predictions = read_parquet(output / "predictions.parquet")
    assert list(predictions["path"]) == list(chosen["path"])
    assert read_card(output / "card.json") == Predictor.open(bundle).card
    evaluation = json.loads((output / "evaluation.json").read_text())
    assert evaluation["data"]["n"] == len(chosen)
    assert evaluation["data"]["split"] == "test"
    assert evaluation["data"]["test_accesses"] == 1
    assert "First evaluation of this model on this test set" in (
        (output / "report.html").read_text()
    )
    assert evaluation["model"]["sha256"] == Predictor.open(bundle).sha256
    lines = out.splitlines()
    assert lines[0] == f"{len(chosen)} images in {chosen['group'].nunique()} groups"
    right = (predictions["decision"] == predictions["label"]).mean()
    assert lines[1].split()[:2] == ["Accuracy", f"{right:.3f}"]
    assert len({line.index("  AUC ") for line in lines if "  Recall of " in line}) == 1
    assert sum(line.startswith("warning: ") for line in lines) == len(evaluation["warnings"])
    assert lines[-1] == str(output / "report.html")


def test_a_view_alone_and_images_that_disappeared(
    pulmo: Call, bundle: Path, images: pd.DataFrame, tmp_path: Path
) -> None:
    rows = images.index[(images["view"] == "PA") & (images["split"] == "test")]
    gone = str(tmp_path / "gone.png")
    images.loc[rows[0], "path"] = gone
    Manifest(images).save(tmp_path / "m.parquet")
    words = ["--data", tmp_path / "m.parquet", "-o", tmp_path / "e", "--view", "PA"]
    status, _, err = pulmo("evaluate", bundle, *words)
    assert status == 4
    assert err == (
        "The manifest has a test split, and no split was named: all images are taken.\n"
        f"{gone} does not exist.\npulmo: 1 of {len(rows)} images could not be read.\n"
    )
    predictions = read_parquet(tmp_path / "e" / "predictions.parquet")
    assert len(predictions) == len(rows) - 1
    assert set(predictions["view"]) == {"PA"}
    evaluation = json.loads((tmp_path / "e" / "evaluation.json").read_text())
    # What the model was trained on took no part, though no split was named.
    assert set(predictions["split"]) == {"test"}
    excluded = images[(images["view"] == "PA") & (images["split"] != "test")]
    assert {each["path"] for each in evaluation["data"]["excluded"]} == set(excluded["path"])
    sentence = f"{len(excluded)} images took no part, because the model was trained or chosen on"
    assert any(sentence in warning["text"] for warning in evaluation["warnings"])
    assert [failure["path"] for failure in evaluation["data"]["failed"]] == [gone]
    assert (evaluation["data"]["views"], evaluation["data"]["modalities"]) == (["PA"], [])
    page = (tmp_path / "e" / "report.html").read_text()
    assert "pulmo evaluate bundle --data manifest.parquet --view PA -o evaluation" in page
    first = predictions.iloc[0]
    outcome = Predictor.open(bundle).predict(read_radiograph(Path(first["path"])))
    assert first["p_covid"] == pytest.approx(outcome.probabilities["covid"], abs=1e-5)


class TestThresholdFor:
    """The test at a threshold for another aim, fitted on the val images."""

    @pytest.mark.parametrize(
        ("aim", "view", "source", "words"),
        [
            ("sensitivity=0.75", ["AP", "PA"], "phantom", []),
            ("specificity=0.9", ["PA"], "other", ["--view", "PA", "--elsewhere"]),
        ],
    )
    def test_it_is_fitted_on_val_and_evaluated_on_test(
        self,
        pulmo: Call,
        bundle: Path,
        images: pd.DataFrame,
        tmp_path: Path,
        aim: str,
        view: list[str],
        source: str,
        words: list[str],
    ) -> None:
        output, path = tmp_path / "e", tmp_path / "m.parquet"
        images = images.assign(source=source)
        Manifest(images).save(path)
        images = images[images["view"].isin(view)]
        status, out, err = pulmo(
            "evaluate", bundle, "--data", path, "--split", "test", "-o", output,
            "--threshold-for", aim, *words,
        )  # fmt: skip
        assert (status, err) == (0, "")
        predictor = Predictor.open(bundle)
        val = images[images["split"] == "val"]
        scores = np.array(
            [
                predictor.predict(read_radiograph(Path(path))).positive_probability
                for path in val["path"]
            ]
        )
        ill = (val["label"] == "covid").to_numpy()
        evaluation = json.loads((output / "evaluation.json").read_text())
        fitted, threshold = evaluation["fitted"], evaluation["decision"]["threshold"]
        assert fitted["threshold"] == threshold
        assert fitted["confidence"] is None
        assert "are too few to guarantee" in fitted["reason"]
        assert fitted["sensitivity"][0] == (scores >= threshold)[ill].mean()
        assert fitted["specificity"][0] == (scores < threshold)[~ill].mean()
        metric, least = aim.split("=")
        assert fitted[metric][0] >= float(least)
        table = read_parquet(output / "predictions.parquet")
        assert set(table["split"]) == {"test"}
        assert (table["positive"] == (table["positive_probability"] >= threshold)).all()
        found = table["positive"][table["label"] == "covid"].mean()
        assert evaluation["decision"]["sensitivity"][0] == found
        assert f"for a {metric} of {least}, which is not guaranteed: " in out
        assert f"  here: sensitivity {found:.3f} (" in out
        page = (output / "report.html").read_text()
        assert f"{threshold:.4f}</strong>. The threshold {threshold:.4f} was fitted" in page
        assert "It differs from the threshold of the card." in page

    def test_another_manifest_is_refused_before_the_test_is_opened(
        self, pulmo: Call, bundle: Path, images: pd.DataFrame, tmp_path: Path
    ) -> None:
        path, aim = tmp_path / "m.parquet", "sensitivity=0.75"
        Manifest(images.assign(source="elsewhere")).save(path)
        words: list[str | Path] = ["--data", path, "--split", "test", "--threshold-for", aim]
        status, _, err = pulmo("evaluate", bundle, *words, "-o", tmp_path / "e")
        assert status == 5
        assert "was trained on another manifest" in err
        assert not (tmp_path / "e").exists()
        assert not BundleFolder(bundle).test_access.exists()

    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            (["--threshold-for", "sensitivity=0.9"], "name the split test."),
            (["--threshold-for", "sensitivity=0.9", "--split", "val"], "name the split test."),
            (["--threshold-for", "0.9", "--split", "test"], "'0.9' is not an aim"),
            (["--elsewhere"], "Add --threshold-for, which --elsewhere is for."),
        ],
    )
    def test_options_that_do_not_fit(
        self,
        pulmo: Call,
        bundle: Path,
        manifest: Path,
        tmp_path: Path,
        words: list[str],
        sentence: str,
    ) -> None:
        status, _, err = pulmo("evaluate", bundle, "--data", manifest, "-o", tmp_path, *words)
        assert status == 2
        assert sentence in err


def test_images_that_the_model_knows_are_all_there_is(
    pulmo: Call, bundle: Path, images: pd.DataFrame, tmp_path: Path
) -> None:
    known = images[images["split"] != "test"].assign(split=None)
    Manifest(known).save(tmp_path / "m.parquet")
    words = ["--data", tmp_path / "m.parquet", "-o", tmp_path / "e"]
    status, _, err = pulmo("evaluate", bundle, *words)
    assert status == 3
    assert f"was trained or chosen on every one of the {len(known)} chosen images" in err


def test_a_copy_and_another_image_of_a_patient_are_excluded(
    pulmo: Call, bundle: Path, run: RunFolder, images: pd.DataFrame, tmp_path: Path
) -> None:
    """Under other names and in another set; the run tells patients, the bundle images alone."""
    run = RunFolder(Path(shutil.copytree(run.root, tmp_path / "run")))
    test = images[images["split"] == "test"].reset_index(drop=True)
    copy = images[images["split"] == "train"].head(1)
    other = test.head(1).assign(group=images["group"][images["split"] == "train"].iloc[5])
    copied = copy.assign(path=str(tmp_path / "copy.png"), group="mine", patient=None, split=None)
    shutil.copy(copy["path"].iloc[0], tmp_path / "copy.png")
    Manifest(pd.concat([test[1:], other, copied])).save(tmp_path / "m.parquet")
    words = ["--data", tmp_path / "m.parquet", "-o", tmp_path / "e"]

    def excluded(*more: str | Path) -> dict[str, str]:
        status, _, err = pulmo("evaluate", bundle, *words, *more)
        assert status == 0, err
        found = json.loads((tmp_path / "e" / "evaluation.json").read_text())["data"]["excluded"]
        return {each["path"]: each["reason"] for each in found}

    copy_path, other_path = str(tmp_path / "copy.png"), other["path"].iloc[0]
    assert excluded() == {
        copy_path: f"{copy_path}: the same file is among those that it was trained on."
    }
    reasons = excluded("--run", run.root)
    assert set(reasons) == {copy_path, other_path}
    assert "an image of its group is among those" in reasons[other_path]


def test_inside_and_outside_stand_side_by_side(
    pulmo: Call, bundle: Path, images: pd.DataFrame, tmp_path: Path
) -> None:
    test = images[images["split"] == "test"]
    for name, rows in (("inside", test[::2]), ("outside", test[1::2])):
        Manifest(rows).save(tmp_path / f"{name}.parquet")
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    assert pulmo("evaluate", bundle, "--data", f"{inside}.parquet", "-o", inside)[0] == 0
    words = ["--data", f"{outside}.parquet", "-o", outside]
    status, _, err = pulmo("evaluate", bundle, *words, "--internal", inside)
    assert status == 0, err
    found = read_evaluation(outside / "evaluation.json")
    assert found.internal is not None
    accuracy = found.internal.gaps["accuracy"]
    assert accuracy.external == found.overall["accuracy"]
    assert accuracy.gap == difference(accuracy.external, accuracy.internal)
    assert "Internal and external" in (outside / "report.html").read_text()
    status, _, err = pulmo("evaluate", bundle, *words, "--internal", outside)
    assert (status, "the same images" in err) == (2, True)


@pytest.mark.parametrize(
    ("words", "status", "reason"),
    [
        (["--split", "tset"], 2, "There is no split 'tset'; choose one of train, val, test."),
        (["--view", "lateral"], 3, "has no image that these options choose"),
        (["--modality", "CT"], 3, "has no image that these options choose"),
    ],
)
def test_options_that_choose_nothing(
    pulmo: Call,
    bundle: Path,
    manifest: Path,
    tmp_path: Path,
    words: list[str],
    status: int,
    reason: str,
) -> None:
    found = pulmo("evaluate", bundle, "--data", manifest, "-o", tmp_path / "e", *words)
    assert found[:2] == (status, "")
    assert reason in found[2]
    assert not (tmp_path / "e").exists()


def test_a_manifest_without_a_split(
    pulmo: Call, bundle: Path, images: pd.DataFrame, tmp_path: Path
) -> None:
    Manifest(images.assign(split=None)).save(tmp_path / "m.parquet")
    status, _, err = pulmo(
        "evaluate", bundle, "--data", tmp_path / "m.parquet", "--split", "test", "-o", tmp_path
    )
    assert status == 3
    assert "The manifest has no test image; make a split first." in err


@pytest.mark.parametrize("side", ["test", None])
def test_nothing_is_said_of_a_manifest_without_other_sides(
    pulmo: Call, bundle: Path, images: pd.DataFrame, tmp_path: Path, side: str | None
) -> None:
    path = tmp_path / "m.parquet"
    Manifest(images[:20].assign(split=side)).save(path)
    status, out, err = pulmo("evaluate", bundle, "--data", path, "-o", tmp_path / "e")
    assert (status, err) == (0, "")
    assert "in the split" not in out


def test_no_image_that_can_be_read(
    pulmo: Call, bundle: Path, images: pd.DataFrame, tmp_path: Path
) -> None:
    images["path"] = [str(tmp_path / f"{number}.png") for number in range(len(images))]
    Manifest(images).save(tmp_path / "m.parquet")
    status, _, err = pulmo("evaluate", bundle, "--data", tmp_path / "m.parquet", "-o", tmp_path)
    assert status == 3
    assert "None of the images can be read. The first: " in err


def test_a_place_that_cannot_be_written_is_refused_before_any_work(
    pulmo: Call, bundle: Path, manifest: Path
) -> None:
    status, out, err = pulmo(
        "evaluate", bundle, "--data", manifest, "--split", "val", "-o", manifest
    )
    assert (status, out) == (3, "")
    assert err == f"pulmo: {manifest} is a file; a folder was expected.\n"


class TestAccesses:
    """Each access to a test is written to a list next to the model."""

    def evaluated(self, pulmo: Call, output: Path, *words: str | Path) -> dict[str, Any]:
        status, out, _ = pulmo("evaluate", *words, "-o", output)
        assert status == 0
        evaluation: dict[str, Any] = json.loads((output / "evaluation.json").read_text())
        reused = [each for each in evaluation["warnings"] if each["kind"] == "test-reused"]
        assert all(f"warning: {each['text']}" in out.splitlines() for each in reused)
        assert len(reused) == ((evaluation["data"]["test_accesses"] or 0) > 1)
        return evaluation

    def test_each_is_counted_and_a_second_one_is_warned_of(
        self, pulmo: Call, bundle: Path, manifest: Path, run: RunFolder, tmp_path: Path
    ) -> None:
        words: list[str | Path] = ["--data", manifest]
        first = self.evaluated(pulmo, tmp_path / "1", bundle, *words, "--split", "test")
        val = self.evaluated(pulmo, tmp_path / "2", bundle, *words, "--split", "val")
        every = self.evaluated(pulmo, tmp_path / "3", bundle / "model.onnx", *words)
        assert [each["data"]["test_accesses"] for each in (first, val, every)] == [1, None, 2]
        assert every["warnings"][0]["kind"] == "test-reused"
        assert "2 times" in every["warnings"][0]["text"]
        report = (tmp_path / "3" / "report.html").read_text()
        assert "Evaluation number 2 of this model on this test set" in report
        assert "of this model on this test set" not in (tmp_path / "2" / "report.html").read_text()
        lines = [
            json.loads(line) for line in BundleFolder(bundle).test_access.read_text().splitlines()
        ]
        assert [line["split"] for line in lines] == ["test", None]
        assert lines[0]["manifest_sha256"] == read_card(run.card).training.manifest_sha256
        assert Predictor.open(bundle).card.training.modalities == ("X-ray",)

    def test_the_run_keeps_the_list_too(
        self, pulmo: Call, bundle: Path, manifest: Path, run: RunFolder, tmp_path: Path
    ) -> None:
        copy = RunFolder(Path(shutil.copytree(run.root, tmp_path / "run")))
        words: list[str | Path] = ["--data", manifest, "--split", "test", "--run", copy.root]
        self.evaluated(pulmo, tmp_path / "1", bundle, *words)
        assert copy.test_access.read_bytes() == BundleFolder(bundle).test_access.read_bytes()
        # As a second export has none.
        BundleFolder(bundle).test_access.unlink()
        again = self.evaluated(pulmo, tmp_path / "2", bundle, *words)
        assert again["data"]["test_accesses"] == 2
        recipe = copy.recipe.read_bytes()
        status, out, _ = pulmo(
            "train", str(copy.recipe), "--data", manifest, "-o", copy.root, "--resume"
        )
        assert (status, copy.recipe.read_bytes()) == (0, recipe)
        assert "finished already" in out

    def test_another_run_is_refused_before_the_test_is_opened(
        self, pulmo: Call, bundle: Path, manifest: Path, run: RunFolder, tmp_path: Path
    ) -> None:
        copy = RunFolder(Path(shutil.copytree(run.root, tmp_path / "run")))
        card = json.loads(copy.card.read_text())
        card["network"]["sha256"] = "0" * 64
        copy.card.write_text(json.dumps(card))
        words = ["--data", manifest, "--split", "test", "--run", copy.root, "-o", tmp_path / "e"]
        status, _, err = pulmo("evaluate", bundle, *words)
        assert status == 2
        assert f"{bundle} was not exported from {copy.root}: their weights differ" in err
        assert not BundleFolder(bundle).test_access.exists()

    def test_a_bundle_that_cannot_be_written_to_is_evaluated_and_said(
        self, pulmo: Call, bundle: Path, manifest: Path, tmp_path: Path
    ) -> None:
        BundleFolder(bundle).test_access.symlink_to(tmp_path / "gone" / "test-access.jsonl")
        words = ["--data", manifest, "--split", "test", "-o", tmp_path / "e"]
        status, _, err = pulmo("evaluate", bundle, *words)
        assert status == 0
        assert err == (
            f"{BundleFolder(bundle).test_access} cannot be written (No such file or directory): "
            "this access to "
            "the test set is not recorded there.\n"
        )


class TestTable:
    """A table of any model's predictions, evaluated without the model."""

    @pytest.fixture
    def table(self) -> pd.DataFrame:
        generator = np.random.default_rng(3)
        label = np.array(["tb", "clear"] * 40)
        p = generator.beta(2, 1, size=80)
        return pd.DataFrame(
            {
                "path": [f"/home/Jane Doe/{number}.png" for number in range(80)],
                "label": label,
                "patient": [f"p{number // 4}-{number % 2}" for number in range(80)],
                "p_tb": np.where(label == "tb", p, 1 - p),
                "p_clear": np.where(label == "tb", 1 - p, p),
                "sex": ["F", "F", "M", "M"] * 20,
            }
        )

    def test_a_page_without_a_card(self, pulmo: Call, table: pd.DataFrame, tmp_path: Path) -> None:
        table.to_csv(tmp_path / "theirs.csv", index=False)
        words = ["--positive", "tb", "--threshold", "0.4", "--prevalence", "0.05"]
        status, out, err = pulmo("evaluate", tmp_path / "theirs.csv", "-o", tmp_path / "e", *words)
        assert (status, err) == (0, "")
        assert {path.name for path in (tmp_path / "e").iterdir()} == {
            "predictions.parquet", "evaluation.json", "report.html",
        }  # fmt: skip
        assert out.startswith("80 images in 40 groups\n")
        evaluation = json.loads((tmp_path / "e" / "evaluation.json").read_text())
        assert evaluation["model"]["name"] == "theirs"
        assert evaluation["decision"]["threshold"] == 0.4
        assert evaluation["decision"]["prevalence"] == 0.05
        assert evaluation["patients"]["n"] == 40
        called = table["p_tb"] >= 0.4
        found = evaluation["decision"]["sensitivity"][0]
        assert found == pytest.approx(called[table["label"] == "tb"].mean())
        page = (tmp_path / "e" / "report.html").read_text()
        assert "Jane Doe" not in page
        assert "Only a table of its predictions is known." in page
        assert "where 0.05 of all are positive" in page
        assert "Model card" not in page
        for figure in ("Precision and recall", "Thresholds", "Net benefit", "Scores"):
            assert f"<h3>{figure}</h3>" in page

    def test_its_own_predictions_are_evaluated_alike(
        self, pulmo: Call, bundle: Path, manifest: Path, tmp_path: Path
    ) -> None:
        words = ["--data", manifest, "--split", "test", "-o", tmp_path / "e"]
        assert pulmo("evaluate", bundle, *words)[0] == 0
        written = tmp_path / "e" / "predictions.parquet"
        assert pulmo("evaluate", written, "-o", tmp_path / "again", "--positive", "covid")[0] == 0
        first, second = (
            json.loads((tmp_path / name / "evaluation.json").read_text()) for name in ("e", "again")
        )
        for part in ("overall", "classes", "confusion", "roc", "subgroups"):
            assert first[part] == second[part]

    def test_without_a_positive_class_it_is_said(
        self, pulmo: Call, table: pd.DataFrame, tmp_path: Path
    ) -> None:
        table.to_parquet(tmp_path / "t.parquet")
        assert pulmo("evaluate", tmp_path / "t.parquet", "-o", tmp_path / "e")[0] == 0
        page = (tmp_path / "e" / "report.html").read_text()
        assert "No class is named as positive" in page
        assert "Net benefit" not in page

    @pytest.mark.parametrize(
        ("change", "sentence"),
        [
            ({"label": None}, "The images have no labels; there is nothing to evaluate."),
            ({"p_tb": np.nan}, "have a probability that is missing or not between 0 and 1"),
            ({"p_tb": 0.9}, "have probabilities that do not sum to 1 within 0.002"),
            ({"p_tb": "high"}, "The columns p_tb, p_clear must contain numbers"),
            ({"label": "flu"}, "None of the 80 images has a label that the model knows (tb"),
            ({"path": "x.png"}, "79 of the 80 predictions are there more than once"),
            ({"decision": "flu"}, "have a decision that is none of ('tb', 'clear')"),
            ({"positive": "yes"}, "have a positive that is neither true nor false"),
        ],
    )
    @pytest.mark.parametrize("kind", ["csv", "parquet"])
    def test_bad_input_is_a_sentence(
        self,
        pulmo: Call,
        table: pd.DataFrame,
        tmp_path: Path,
        change: dict[str, Any],
        sentence: str,
        kind: str,
    ) -> None:
        path = tmp_path / f"t.{kind}"
        bad = table.assign(**change)
        bad.to_csv(path, index=False) if kind == "csv" else bad.to_parquet(path)
        status, out, err = pulmo("evaluate", path, "-o", tmp_path / "e")
        assert (status, out) == (3, "")
        assert sentence in err
        assert err.count("\n") == 1
        assert not (tmp_path / "e").exists()

    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            (
                ["--data", "m.parquet"],
                "--data is for a bundle, and the model is a table of predictions",
            ),
            (["--threshold-for", "sensitivity=0.9"], "--threshold-for is for a bundle"),
            (["--threshold", "0.5"], "Name them with --positive"),
            (["--prevalence", "0.5"], "A prevalence is the share of the positive classes"),
            (["--positive", "flu"], "There is no class 'flu' to count as positive"),
            (
                ["--positive", "tb", "--prevalence", "5"],
                "A prevalence must be between 0 and 1; got 5",
            ),
        ],
    )
    def test_options_that_do_not_fit(
        self,
        pulmo: Call,
        table: pd.DataFrame,
        tmp_path: Path,
        words: list[str],
        sentence: str,
    ) -> None:
        table.to_parquet(tmp_path / "t.parquet")
        status, _, err = pulmo("evaluate", tmp_path / "t.parquet", "-o", tmp_path / "e", *words)
        assert status == 2
        assert sentence in err

    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            ([], "its images are missing. Name the manifest with --data MANIFEST."),
            (["--positive", "covid"], "--positive is for a table of predictions"),
            (["--threshold", "0.5"], "--threshold is for a table of predictions"),
        ],
    )
    def test_a_bundle_is_no_table(
        self, pulmo: Call, bundle: Path, tmp_path: Path, words: list[str], sentence: str
    ) -> None:
        status, _, err = pulmo("evaluate", bundle, "-o", tmp_path / "e", *words)
        assert status == 2
        assert sentence in err

    def test_how_it_was_read_is_on_stderr_in_the_figures_and_on_the_page(
        self, pulmo: Call, table: pd.DataFrame, tmp_path: Path
    ) -> None:
        theirs = table.rename(columns={"path": "Image", "label": "truth", "patient": "patient_id"})
        theirs = theirs.drop(columns="p_clear").assign(ward="3")
        theirs.to_csv(tmp_path / "theirs.csv", index=False, sep=";", decimal=",", encoding="utf-16")
        words = ("--positive", "TB", "-o", tmp_path / "e")
        status, out, err = pulmo("evaluate", tmp_path / "theirs.csv", *words)
        assert status == 0
        assert out.startswith("80 images in 40 groups\n")
        notes = json.loads((tmp_path / "e" / "evaluation.json").read_text())["notes"]
        assert err == "".join(f"note: {note}\n" for note in notes)
        said = " ".join(notes)
        for words_of in ("UTF-16", "semicolons", "truth as label", "p_tb was read as", "ward"):
            assert words_of in said
        page = (tmp_path / "e" / "report.html").read_text()
        assert all(note in page for note in notes)

    def test_decisions_alone_and_what_they_do_not_tell(
        self, pulmo: Call, table: pd.DataFrame, tmp_path: Path
    ) -> None:
        decided = np.where(table["p_tb"] > 0.5, "tb", "clear")
        hard = table[["path", "label", "patient"]].assign(prediction=decided)
        hard.to_csv(tmp_path / "hard.csv", index=False)
        words = ("--positive", "tb", "-o", tmp_path / "e")
        status, out, _ = pulmo("evaluate", tmp_path / "hard.csv", *words)
        assert status == 0
        (auc,) = [line for line in out.splitlines() if line.startswith("  Macro AUC ")]
        assert "undefined (only decisions are known" in auc
        page = (tmp_path / "e" / "report.html").read_text()
        assert "There is no ROC curve: the table contains decisions and no probabilities." in page
        assert "only decisions are known" in page
        # What was written is read as what it is: decisions.
        again = ("--positive", "tb", "-o", tmp_path / "again")
        assert pulmo("evaluate", tmp_path / "e" / "predictions.parquet", *again)[0] == 0
        first, second = (
            json.loads((tmp_path / name / "evaluation.json").read_text()) for name in ("e", "again")
        )
        for part in ("overall", "classes", "confusion", "decision", "scored"):
            assert first[part] == second[part]
        pair = (tmp_path / "e", tmp_path / "again", "-o", tmp_path / "c")
        assert pulmo("compare", *pair)[0] == 0
        compared = json.loads((tmp_path / "c" / "compare.json").read_text())
        assert any("has decisions and no probabilities" in note for note in compared["notes"])

    def test_a_template_is_a_table_that_is_read(self, pulmo: Call, tmp_path: Path) -> None:
        status, out, err = pulmo("evaluate", "--template")
        assert (status, err) == (0, "")
        (tmp_path / "t.csv").write_text(out)
        words = ("--positive", "covid", "-o", tmp_path / "e")
        status, out, err = pulmo("evaluate", tmp_path / "t.csv", *words)
        assert (status, err) == (0, "")
        assert out.startswith("2 images in 2 groups\n")


def test_a_label_of_a_manifest_may_count_as_a_class_of_a_bundle(
    pulmo: Call, bundle: Path, images: pd.DataFrame, tmp_path: Path
) -> None:
    (positive, *_) = sorted(set(images["label"]))
    renamed = images.assign(label=images["label"].replace(positive, "other"))
    renamed["split"] = "test"
    Manifest(renamed).save(tmp_path / "m.parquet")
    words = ("--data", tmp_path / "m.parquet", "--split", "test")
    status, _, err = pulmo("evaluate", bundle, *words, "-o", tmp_path / "e", "--merge", "x")
    assert status == 2
    assert "--merge 'x' is not LABEL=CLASS." in err
    merged = ("-o", tmp_path / "e", "--merge", f"other={positive}")
    assert pulmo("evaluate", bundle, *words, *merged)[0] == 0
    evaluation = json.loads((tmp_path / "e" / "evaluation.json").read_text())
    assert not evaluation["data"]["skipped"]
    assert evaluation["notes"] == [f"The label other counts as {positive}."]
    status, _, err = pulmo(
        "evaluate", bundle, *words, "-o", tmp_path / "f", "--merge", f"{positive}=x"
    )
    assert status == 2
    assert "evaluating the predictions.parquet" in err


def test_a_file_that_is_neither_a_bundle_nor_a_table_is_refused(
    pulmo: Call, tmp_path: Path
) -> None:
    path = tmp_path / "theirs.doc"
    path.write_text("path,label,p_tb,p_clear\n")
    status, _, err = pulmo("evaluate", path, "--positive", "tb", "-o", tmp_path / "e")
    assert status == 2
    assert f"{path} is neither a bundle nor a table (.parquet, .csv, " in err


def test_the_test_through_an_unsplit_manifest_is_an_opening_of_it(
    pulmo: Call, bundle: Path, manifest: Path, tmp_path: Path
) -> None:
    unsplit = tmp_path / "unsplit.parquet"
    Manifest(read_manifest(manifest).frame.assign(split=None)).save(unsplit)
    for times, data in enumerate((("--data", manifest, "--split", "test"), ("--data", unsplit)), 1):
        out = tmp_path / f"e{times}"
        assert pulmo("evaluate", bundle, *data, "-o", out)[0] == 0
        assert read_evaluation(out / "evaluation.json").data.test_accesses == times
    assert "Evaluation number 2 of this model on this test set" in (out / "report.html").read_text()


@pytest.mark.parametrize("verb", ["evaluate", "audit", "predict", "explain"])
def test_a_model_that_is_not_there_is_what_is_said_first(
    pulmo: Call, image: Path, tmp_path: Path, verb: str
) -> None:
    gone = tmp_path / "nowhere"
    images = (image,) if verb in {"predict", "explain"} else ()
    output = ("-o", tmp_path / "maps") if verb == "explain" else ()
    for words in ((gone, *images), (*images, "--model", gone)):
        status, out, err = pulmo(verb, *words, *output)
        assert (status, out) == (3, "")
        assert f"{gone} does not exist" in err


def test_a_column_of_groups_is_named(pulmo: Call, tmp_path: Path) -> None:
    generator = np.random.default_rng(4)
    score = generator.uniform(size=60).round(3)
    table = pd.DataFrame(
        {
            "path": [f"{number}.png" for number in range(60)],
            "label": np.where(generator.uniform(size=60) < score, "tb", "clear"),
            "p_tb": score,
            "p_clear": 1 - score,
            "household": [f"h{number // 3}" for number in range(60)],
        }
    )
    table.to_csv(tmp_path / "t.csv", index=False)
    table.rename(columns={"household": "group"}).to_csv(tmp_path / "g.csv", index=False)
    for name, words in (("t", ("--groups", "household")), ("g", ())):
        assert pulmo("evaluate", tmp_path / f"{name}.csv", *words, "-o", tmp_path / name)[0] == 0
    first, second = (read_evaluation(tmp_path / name / "evaluation.json") for name in "tg")
    assert first.data.groups == 20
    assert first.overall == second.overall
    status, _, err = pulmo("evaluate", tmp_path / "t.csv", "--groups", "ward", "-o", tmp_path)
    assert (status, "no column ward" in err) == (2, True)
