import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pulmo.bundle.card import read_card
from pulmo.bundle.predictor import MODEL, Predictor
from pulmo.core.run_folder import OPENINGS, RunFolder
from pulmo.core.tables import read_predictions, write_manifest
from pulmo.radiograph import read_radiograph

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def bundle(bundle: Path, tmp_path: Path) -> Path:
    """A copy of the bundle, for an opened test is noted in it."""
    clean = shutil.ignore_patterns(OPENINGS)
    return Path(shutil.copytree(bundle, tmp_path / "bundle", ignore=clean))


def test_four_files_and_a_summary(
    pulmo: Call, bundle: Path, manifest: Path, films: pd.DataFrame, tmp_path: Path
) -> None:
    output = tmp_path / "evaluation"
    status, out, err = pulmo(
        "evaluate", bundle, "--data", manifest, "--split", "test", "-o", output
    )
    chosen = films[films["split"] == "test"]
    assert (status, err) == (0, "")
    assert {path.name for path in output.iterdir()} == {
        "predictions.parquet", "card.json", "evaluation.json", "report.html",
    }  # fmt: skip
    predictions = read_predictions(output / "predictions.parquet")
    assert list(predictions["path"]) == list(chosen["path"])
    assert read_card(output / "card.json") == Predictor.open(bundle).card
    evaluation = json.loads((output / "evaluation.json").read_text())
    assert evaluation["data"]["n"] == len(chosen)
    assert evaluation["data"]["split"] == "test"
    assert evaluation["data"]["openings"] == 1
    assert "This test set has been opened once with this model" in (
        (output / "report.html").read_text()
    )
    assert evaluation["model"]["sha256"] == Predictor.open(bundle).sha256
    lines = out.splitlines()
    assert lines[0] == f"{len(chosen)} pictures in {chosen['group'].nunique()} groups"
    right = (predictions["decision"] == predictions["label"]).mean()
    assert lines[1].split()[:2] == ["Accuracy", f"{right:.3f}"]
    assert len({line.index("  AUC ") for line in lines if "  Recall of " in line}) == 1
    assert sum(line.startswith("warning: ") for line in lines) == len(evaluation["warnings"])
    assert lines[-1] == str(output / "report.html")


def test_a_view_alone_and_pictures_that_disappeared(
    pulmo: Call, bundle: Path, films: pd.DataFrame, tmp_path: Path
) -> None:
    rows = films.index[films["view"] == "PA"]
    gone = str(tmp_path / "gone.png")
    films.loc[rows[0], "path"] = gone
    write_manifest(films, tmp_path / "m.parquet")
    words = ["--data", tmp_path / "m.parquet", "-o", tmp_path / "e", "--view", "PA"]
    status, _, err = pulmo("evaluate", bundle, *words)
    assert status == 4
    assert err == (
        f"{tmp_path / 'm.parquet'} has a test split; without --split test all of its pictures are "
        f"taken.\n{gone} does not exist.\npulmo: 1 of {len(rows)} pictures could not be read.\n"
    )
    predictions = read_predictions(tmp_path / "e" / "predictions.parquet")
    assert len(predictions) == len(rows) - 1
    assert set(predictions["view"]) == {"PA"}
    evaluation = json.loads((tmp_path / "e" / "evaluation.json").read_text())
    trained = (predictions["split"] == "train").sum()
    assert f"{trained} of these pictures are in the split train: " in evaluation["warnings"][0]
    assert [failure["path"] for failure in evaluation["data"]["failed"]] == [gone]
    first = predictions.iloc[0]
    outcome = Predictor.open(bundle).predict(read_radiograph(Path(first["path"])))
    assert first["p_covid"] == pytest.approx(outcome.probabilities["covid"], abs=1e-5)


@pytest.mark.parametrize(
    ("words", "status", "reason"),
    [
        (["--split", "tset"], 2, "There is no split 'tset'; choose train, val, test."),
        (["--view", "lateral"], 3, "holds no picture that these options choose"),
        (["--modality", "CT"], 3, "holds no picture that these options choose"),
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
    pulmo: Call, bundle: Path, films: pd.DataFrame, tmp_path: Path
) -> None:
    write_manifest(films.assign(split=None), tmp_path / "m.parquet")
    status, _, err = pulmo(
        "evaluate", bundle, "--data", tmp_path / "m.parquet", "--split", "test", "-o", tmp_path
    )
    assert status == 3
    assert "has no test picture; `pulmo data split` makes a split" in err


@pytest.mark.parametrize("side", ["test", None])
def test_nothing_is_said_of_a_manifest_without_other_sides(
    pulmo: Call, bundle: Path, films: pd.DataFrame, tmp_path: Path, side: str | None
) -> None:
    path = tmp_path / "m.parquet"
    write_manifest(films[:20].assign(split=side), path)
    status, out, err = pulmo("evaluate", bundle, "--data", path, "-o", tmp_path / "e")
    assert (status, err) == (0, "")
    assert "in the split" not in out


def test_no_picture_that_can_be_read(
    pulmo: Call, bundle: Path, films: pd.DataFrame, tmp_path: Path
) -> None:
    films["path"] = [str(tmp_path / f"{number}.png") for number in range(len(films))]
    write_manifest(films, tmp_path / "m.parquet")
    status, _, err = pulmo("evaluate", bundle, "--data", tmp_path / "m.parquet", "-o", tmp_path)
    assert status == 3
    assert "There is no readable picture to evaluate. The first: " in err


def test_a_place_that_cannot_be_written_is_refused_before_any_work(
    pulmo: Call, bundle: Path, manifest: Path
) -> None:
    status, out, err = pulmo(
        "evaluate", bundle, "--data", manifest, "--split", "val", "-o", manifest
    )
    assert (status, out) == (3, "")
    assert err == f"pulmo: {manifest} is a file; a folder was expected.\n"


class TestOpenings:
    """A test that is opened is written down beside the model."""

    def evaluated(self, pulmo: Call, output: Path, *words: str | Path) -> dict[str, Any]:
        status, out, _ = pulmo("evaluate", *words, "-o", output)
        assert status == 0
        evaluation: dict[str, Any] = json.loads((output / "evaluation.json").read_text())
        told = [line for line in out.splitlines() if line.startswith("warning: This test set has ")]
        assert len(told) == ((evaluation["data"]["openings"] or 0) > 1)
        return evaluation

    def test_each_is_counted_and_a_second_one_is_warned_of(
        self, pulmo: Call, bundle: Path, manifest: Path, run: RunFolder, tmp_path: Path
    ) -> None:
        words: list[str | Path] = ["--data", manifest]
        first = self.evaluated(pulmo, tmp_path / "1", bundle, *words, "--split", "test")
        val = self.evaluated(pulmo, tmp_path / "2", bundle, *words, "--split", "val")
        every = self.evaluated(pulmo, tmp_path / "3", bundle / MODEL, *words)
        assert [each["data"]["openings"] for each in (first, val, every)] == [1, None, 2]
        assert every["warnings"][0].startswith("This test set has been opened 2 times with this m")
        report = (tmp_path / "3" / "report.html").read_text()
        assert "This test set has been opened 2 times with this model, this time in" in report
        assert "test set has been opened" not in (tmp_path / "2" / "report.html").read_text()
        lines = [json.loads(line) for line in (bundle / OPENINGS).read_text().splitlines()]
        assert [line["split"] for line in lines] == ["test", None]
        assert lines[0]["manifest_sha256"] == read_card(run.card).training.manifest_sha256
        assert Predictor.open(bundle).card.training.modalities == ("X-ray",)

    def test_the_run_keeps_the_list_too(
        self, pulmo: Call, bundle: Path, manifest: Path, run: RunFolder, tmp_path: Path
    ) -> None:
        copy = RunFolder(Path(shutil.copytree(run.root, tmp_path / "run")))
        words: list[str | Path] = ["--data", manifest, "--split", "test", "--run", copy.root]
        self.evaluated(pulmo, tmp_path / "1", bundle, *words)
        assert copy.openings.read_bytes() == (bundle / OPENINGS).read_bytes()
        assert pulmo("export", copy.root, "-o", tmp_path / "again")[0] == 0
        again = self.evaluated(pulmo, tmp_path / "2", tmp_path / "again", *words)
        assert again["data"]["openings"] == 2
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
        assert f"{bundle} was not exported from {copy.root}: their trained tensors differ" in err
        assert not (bundle / OPENINGS).exists()

    def test_a_bundle_that_cannot_be_written_to_is_evaluated_and_said(
        self, pulmo: Call, bundle: Path, manifest: Path, tmp_path: Path
    ) -> None:
        (bundle / OPENINGS).symlink_to(tmp_path / "gone" / OPENINGS)
        words = ["--data", manifest, "--split", "test", "-o", tmp_path / "e"]
        status, _, err = pulmo("evaluate", bundle, *words)
        assert status == 0
        assert err == (
            f"{bundle / OPENINGS} cannot be written (No such file or directory): this opening of "
            "the test set is not on record there.\n"
        )
