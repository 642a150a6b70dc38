"""pulmo audit, of a table of any model's predictions."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pulmo.audit.check_result import CheckResult, read_audit
from pulmo.datasets.manifest import Manifest

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def table() -> pd.DataFrame:
    """Predictions of 200 images, wrong for many of the women and for no man."""
    generator = np.random.default_rng(2)
    tb = np.arange(200) % 2 == 1
    women = np.arange(200) % 4 < 2
    sure = generator.uniform(0.6, 0.95, 200)
    wrong = women & (np.arange(200) % 8 < 3)
    p = np.where(tb ^ wrong, sure, 1 - sure)
    return pd.DataFrame(
        {
            "path": [f"/home/Jane Doe/{number}.png" for number in range(200)],
            "label": np.where(tb, "tb", "clear"),
            "p_tb": p,
            "p_clear": 1 - p,
            "sex": np.where(women, "F", "M"),
        }
    )


@pytest.fixture
def predicted(images: pd.DataFrame) -> pd.DataFrame:
    """Predictions of the drawn images, nearly all right, as another program may name them."""
    generator = np.random.default_rng(3)
    classes = sorted(images["label"].unique())
    said = generator.dirichlet(np.ones(len(classes)), len(images))
    right = images["label"].to_numpy()[:, np.newaxis] == np.array(classes)
    said = 0.3 * said + 0.7 * right
    return pd.DataFrame(said, columns=[f"p_{label}" for label in classes]).assign(
        path=[Path(path).name for path in images["path"]]
    )


def result(folder: Path, check: str) -> CheckResult:
    return next(one for one in read_audit(folder / "audit.json").checks if one.check == check)


def test_a_table_alone(pulmo: Call, table: pd.DataFrame, tmp_path: Path) -> None:
    table.to_csv(tmp_path / "theirs.csv", index=False)
    out = tmp_path / "audit"
    words = ("--positive", "tb", "--threshold", "0.5", "-o", out)
    status, said, err = pulmo("audit", tmp_path / "theirs.csv", *words)
    assert status == 5
    assert "The audit failed. Failed checks: subgroups." in err
    assert "sex F: " in said
    assert "COULD NOT RUN mirror: Only the predictions of this model are known" in said
    assert "COULD NOT RUN shortcuts: The training images of the model are unknown" in said
    page = (out / "audit.html").read_text()
    assert "Only a table of its predictions is known." in page
    assert "For research, not diagnosis." in page
    assert "tb counts as positive from a probability of 0.5." in page
    assert "pulmo audit PREDICTIONS --positive tb --threshold 0.5 -o DIR" in page
    assert "so no shortcut baseline was fitted" in page
    assert "Jane" not in page
    external = json.loads((out / "audit.json").read_text())["external"]
    assert external == {
        "positive": ["tb"], "threshold": 0.5, "merges": {}, "manifest": False,
        "columns": {}, "notes": [],
    }  # fmt: skip
    even = table.assign(sex=np.where(np.arange(200) % 6 < 3, "F", "M"))
    even.to_parquet(tmp_path / "even.parquet")
    assert pulmo("audit", tmp_path / "even.parquet", "-o", out)[0] == 0
    assert "No class is named as positive." in (out / "audit.html").read_text()


def test_a_table_with_the_split_of_a_manifest(
    pulmo: Call, images: pd.DataFrame, predicted: pd.DataFrame, tmp_path: Path
) -> None:
    train = pd.factorize(images["group"])[0] % 2 == 1
    images["split"] = np.where(train, "train", "test")
    Manifest(images).save(tmp_path / "images.parquet")
    predicted.to_csv(tmp_path / "theirs.csv", index=False)
    out, data = tmp_path / "audit", tmp_path / "images.parquet"
    checks = ("--only", "leakage", "--only", "degenerate", "--only", "probe")
    status, _, err = pulmo("audit", tmp_path / "theirs.csv", "--data", data, *checks, "-o", out)
    assert status in {0, 5}  # drawn images may resemble each other
    assert f"fitted on the {train.sum()} training and validation images of the manifest" in err
    audit = read_audit(out / "audit.json")
    assert (audit.data.n, audit.data.fitted) == ((~train).sum(), train.sum())
    assert ("same file", 0) in result(out, "leakage").tables[0].rows
    page = (out / "audit.html").read_text()
    assert "pulmo audit PREDICTIONS --data MANIFEST -o DIR" in page


def test_a_table_with_the_folds_of_a_manifest(
    pulmo: Call, images: pd.DataFrame, predicted: pd.DataFrame, tmp_path: Path
) -> None:
    # Every fold has a class's images of each age: the baseline of the ages is as good as can be.
    places = {label: place for place, label in enumerate(sorted(images["label"].unique()))}
    images["age"] = images["label"].map(places).astype(float) * 10 + 20
    rank = images.groupby("label")["group"].transform(lambda groups: pd.factorize(groups)[0])
    folded = images.assign(split="train", fold=(rank % 4).astype("Int64"))
    Manifest(folded).save(tmp_path / "images.parquet")
    predicted.to_parquet(tmp_path / "theirs.parquet")
    words = ("--data", tmp_path / "images.parquet", "--only", "shortcuts", "-o", tmp_path / "a")
    status, _, err = pulmo("audit", tmp_path / "theirs.parquet", *words)
    assert status == 5
    assert "4 models made them" in err
    audit = read_audit(tmp_path / "a" / "audit.json")
    assert (audit.data.n, audit.data.fitted) == (64, 64)
    baselines = result(tmp_path / "a", "shortcuts").metrics
    assert baselines["age"].value == 1.0
    assert "thumbnail" in baselines


def test_a_bundles_own_predictions_are_evaluated_as_the_bundle_is(
    pulmo: Call, bundle: Path, manifest: Path, tmp_path: Path
) -> None:
    data = ("--data", manifest, "--split", "test")
    assert pulmo("evaluate", bundle, *data, "-o", tmp_path / "e")[0] == 0
    predictions = tmp_path / "e" / "predictions.parquet"
    checks = ("degenerate", "leakage", "sources", "subgroups", "label-noise", "shortcuts")
    words = [word for check in checks for word in ("--only", check)]
    pulmo("audit", bundle, *data, *words, "--threads", "1", "-o", tmp_path / "first")
    pulmo("audit", predictions, *data, *words, "--positive", "covid", "-o", tmp_path / "second")
    for check in checks:
        first, second = (result(tmp_path / name, check) for name in ("first", "second"))
        assert first == second


def test_a_table_of_other_names_is_audited_alike(
    pulmo: Call, table: pd.DataFrame, tmp_path: Path
) -> None:
    table.to_csv(tmp_path / "ours.csv", index=False)
    theirs = table.rename(columns={"path": "image", "label": "target", "sex": "Gender"})
    theirs = theirs.rename(columns={"p_tb": "the score"}).drop(columns="p_clear")
    theirs.to_csv(tmp_path / "theirs.csv", index=False, sep="\t", decimal=",", encoding="utf-16")
    words = ("--positive", "tb", "--only", "subgroups", "--only", "degenerate")
    pulmo("audit", tmp_path / "ours.csv", *words, "-o", tmp_path / "a")
    named = ("--score", "the score")
    status, _, err = pulmo("audit", tmp_path / "theirs.csv", *words, *named, "-o", tmp_path / "b")
    assert status == 5
    assert "note: Read under another name: image as path, target as label, Gender as sex." in err
    for check in ("subgroups", "degenerate"):
        ours, others = (result(tmp_path / name, check) for name in ("a", "b"))
        assert ours.messages == others.messages
    external = read_audit(tmp_path / "b" / "audit.json").external
    assert external is not None
    assert external.columns == {"score": "the score"}
    page = (tmp_path / "b" / "audit.html").read_text()
    assert all(note in page for note in external.notes)
    assert "--score &#39;the score&#39;" in page


def test_an_audit_is_incomplete_where_little_could_run(
    pulmo: Call, table: pd.DataFrame, tmp_path: Path
) -> None:
    table.assign(sex="F").to_csv(tmp_path / "t.csv", index=False)
    words = ("--positive", "tb", "--accept", "degenerate", "-o", tmp_path / "a")
    status, out, _ = pulmo("audit", tmp_path / "t.csv", *words)
    assert status == 0
    assert out.startswith("Audit result: incomplete.")
    assert "Audit result: incomplete" in (tmp_path / "a" / "audit.html").read_text()
    assert json.loads((tmp_path / "a" / "audit.json").read_text())["result"] == "incomplete"


def test_decisions_alone_are_audited_as_far_as_they_tell(
    pulmo: Call, table: pd.DataFrame, tmp_path: Path
) -> None:
    decided = np.where(table["p_tb"] >= 0.5, "tb", "clear")
    hard = table[["path", "label", "sex"]].assign(prediction=decided)
    hard.to_csv(tmp_path / "hard.csv", index=False)
    table.to_csv(tmp_path / "soft.csv", index=False)
    for name in ("hard", "soft"):
        words = ("--positive", "tb", "-o", tmp_path / name)
        assert pulmo("audit", tmp_path / f"{name}.csv", *words)[0] == 5
    for less in read_audit(tmp_path / "hard" / "audit.json").checks:
        known = result(tmp_path / "soft", less.check)
        if less.verdict == "could_not_run":
            assert less.metrics == {}
        else:  # what can be said without probabilities is what is said with them
            assert (less.verdict, less.metrics) == (known.verdict, known.metrics)
    assert result(tmp_path / "hard", "subgroups").verdict == "fails"
    assert result(tmp_path / "hard", "calibration").kinds == ("no-probabilities",)


def test_without_a_place_a_folder_of_the_models_name_is_taken_once(
    pulmo: Call, table: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table.to_csv(tmp_path / "theirs.csv", index=False)
    monkeypatch.chdir(tmp_path)
    for verb, index in (("evaluate", "evaluation.json"), ("audit", "audit.json")):
        folder = tmp_path / f"{index.partition('.')[0]}-theirs"
        words = ("--only", "degenerate") if verb == "audit" else ()
        assert pulmo(verb, "theirs.csv", *words)[0] == 0
        written = (folder / index).read_bytes()
        status, _, err = pulmo(verb, "theirs.csv", *words)
        assert (status, folder.name in err) == (2, True)
        assert (folder / index).read_bytes() == written


def test_a_wrong_call_is_a_sentence(pulmo: Call, table: pd.DataFrame, tmp_path: Path) -> None:
    path, out = tmp_path / "t.csv", tmp_path / "a"
    table.to_csv(path, index=False)
    bad = tmp_path / "bad.csv"
    table.assign(p_tb=0.9).to_csv(bad, index=False)
    several = tmp_path / "several.csv"
    table.drop(columns="label").assign(y_tb=1, y_clear=0).to_csv(several, index=False)
    for words, status, sentence in (
        ((several,), 2, "has several findings per image (its y_ columns), and an audit is of one"),
        (
            (path, "--run", tmp_path),
            2,
            "--run is for a bundle, and the model is a table of pre",
        ),
        (
            (path, "--seed", "1"),
            2,
            "--seed is for a folder of cross-validation, and the model is a table",
        ),
        ((path, "--split", "best"), 2, "There is no split 'best'"),
        ((path, "--published", "0.9"), 2, "a published accuracy cannot be used without it"),
        ((path, "--split", "test"), 2, "a split cannot be used without it"),
        ((path, "--threshold", "0.5"), 2, "Name them with --positive"),
        ((path, "--merge", "flu"), 2, "--merge 'flu' is not LABEL=CLASS."),
        ((path, "--merge", "flu=cold"), 2, "The label 'flu' cannot be merged into 'cold'"),
        ((tmp_path, "--positive", "tb"), 2, "--positive is for a table of predictions"),
        ((tmp_path, "--merge", "flu=tb"), 2, "--merge is for a table of predictions"),
        ((bad,), 3, "have probabilities that do not sum to 1"),
        ((tmp_path / "none.csv",), 3, "none.csv"),
    ):
        got, _, err = pulmo("audit", *words, "-o", out)
        assert (got, sentence in err) == (status, True), err
        assert not out.exists()
