"""pulmo compare."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pulmo.core.folders import RunFolder
from pulmo.datasets.manifest import Manifest
from pulmo.report.comparison import PairedTest
from pulmo.report.comparison_text import paired_sentence
from pulmo.stats.estimate import Estimate
from pulmo.stats.paired import auc_difference
from pulmo.workflows.evaluate import evaluate

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def evaluation(
    bundle: Path, _images: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """An evaluation of the test images, without its page, which no comparison reads."""
    folder = tmp_path_factory.mktemp("compare") / "evaluation"
    evaluate(bundle, Manifest(_images), split="test").save(folder, page=False)
    return folder


@pytest.mark.rendered
def test_a_table_the_tests_and_a_page(
    pulmo: Call, bundle: Path, run: RunFolder, manifest: Path, evaluation: Path, tmp_path: Path
) -> None:
    same, output = tmp_path / "same", tmp_path / "comparison"
    pulmo("evaluate", bundle, "--data", manifest, "--split", "test", "-o", same)
    status, out, err = pulmo("compare", evaluation, same, run.root, "-o", output)
    assert (status, err) == (0, "")
    lines = out.splitlines()
    accuracy = json.loads((evaluation / "evaluation.json").read_text())["overall"]["accuracy"]
    assert any(
        line.startswith("| Accuracy ") and f"{accuracy[0]:.3f} ({accuracy[1]:.3f}" in line
        for line in lines
    )
    assert any(line.startswith("| evaluation |  16 |   demo |") for line in lines)
    assert (
        "same - evaluation: Accuracy of the decided class +0.000 (+0.000 to +0.000), p 1.000, "
        "corrected 1.000 (McNemar, clustered (Durkalski), n = 16)"
    ) in lines
    assert any(
        line.startswith("No paired test of run and evaluation: run has no") for line in lines
    )
    assert lines[-1] == str(output / "compare.html")
    assert (output / "compare.html").read_text().startswith("<!doctype html>")
    status, out, _ = pulmo("compare", evaluation, same, "-o", output, "--against", same, "--json")
    result = json.loads(out)
    assert status == 0
    assert result["against"] == "same"
    assert result == json.loads((output / "compare.json").read_text())


@pytest.mark.parametrize(
    ("difference", "p", "expected"),
    [
        (Estimate(0.1, -0.2, 0.4, 1200), 0.0001, "+0.100 (-0.200 to +0.400), p < 0.001, corrected"),
        (Estimate(0.1, None, None, 9, "too few"), 0.5, "+0.100 (no interval: too few), p 0.500"),
        (Estimate.undefined("no positive", 9), None, "undefined (no positive)"),
    ],
)
def test_a_test_as_a_line(difference: Estimate, p: float | None, expected: str) -> None:
    test = PairedTest(
        name="b", against="a", metric="auc", of="covid", difference=difference, p=p, p_holm=p,
        test="DeLong",
    )  # fmt: skip
    assert paired_sentence(test).startswith(f"b - a: AUC of covid {expected}")


def test_what_is_refused(pulmo: Call, evaluation: Path, tmp_path: Path) -> None:
    output = tmp_path / "comparison"
    for words, status, reason in (
        ([evaluation], 2, "needs two folders or more"),
        ([evaluation, evaluation], 2, "is named twice"),
        ([evaluation, tmp_path], 3, "cannot be compared"),
        ([evaluation, tmp_path / "none"], 3, "cannot be compared"),
    ):
        found, out, err = pulmo("compare", *words, "-o", output)
        assert (found, out) == (status, "")
        assert reason in err
        assert not output.exists()


def test_it_needs_no_torch(
    evaluation: Path, run: RunFolder, tmp_path: Path, unmeasured: dict[str, str]
) -> None:
    """In a process of its own, because this one has imported torch."""
    words = ["compare", str(evaluation), str(run.root), "-o", str(tmp_path / "comparison")]
    program = (
        "import sys\nfrom pulmo.cli.app import app\n"
        f"app({words}, standalone_mode=False)\n"
        "print({'torch', 'optuna', 'ray'} & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=unmeasured,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "set()\n")


class TestTables:
    """Evaluations of tables of predictions, which have no card and may have no sha256."""

    @staticmethod
    def _write(path: Path, skill: float) -> pd.DataFrame:
        """Writes predictions of the same images, of classes that pulmo has no word for."""
        label = np.array(["tb", "clear"] * 40)
        noise = np.random.default_rng(int(skill * 10)).normal(size=80)
        p = 1 / (1 + np.exp(-(noise + skill * np.where(label == "tb", 1, -1))))
        paths = [f"{number}.png" for number in range(80)]
        table = pd.DataFrame({"path": paths, "label": label, "p_tb": p, "p_clear": 1 - p})
        table["source"] = "east"
        # The order of the rows must not matter.
        table.sample(frac=1, random_state=int(skill)).to_csv(path, index=False)
        return table

    @pytest.fixture
    def folders(self, pulmo: Call, tmp_path: Path) -> list[Path]:
        """Evaluations of two models."""
        for name, skill in (("a", 0.5), ("b", 2.0)):
            self._write(tmp_path / f"{name}.csv", skill)
            words = ["-o", tmp_path / name, "--positive", "tb"]
            assert pulmo("evaluate", tmp_path / f"{name}.csv", *words)[0] == 0
        return [tmp_path / "a", tmp_path / "b"]

    def test_images_are_matched_by_path(
        self, pulmo: Call, folders: list[Path], tmp_path: Path
    ) -> None:
        status, out, err = pulmo("compare", *folders, "-o", tmp_path / "c")
        assert (status, err) == (0, "")
        content = json.loads((tmp_path / "c" / "compare.json").read_text())
        tests = {test["metric"]: test for test in content["tests"]}
        one, two = self._write(tmp_path / "x.csv", 0.5), self._write(tmp_path / "x.csv", 2.0)
        positive = (one["label"] == "tb").to_numpy()
        scores = np.stack([two["p_tb"], one["p_tb"]])
        expected = auc_difference(positive, scores, np.arange(80))
        assert tests["auc"]["difference"][:3] == pytest.approx(expected.estimate[:3])
        right = [(side["p_tb"] > 0.5).to_numpy() == positive for side in (two, one)]
        gain = right[0].mean() - right[1].mean()
        assert tests["accuracy"]["difference"][0] == pytest.approx(gain)
        note = "The images of b and a were matched by path: one table has no sha256."
        assert content["notes"] == [note]
        assert note in out
        assert {model["evaluated_on"] for model in content["models"]} == {"a table of predictions"}
        assert (tmp_path / "c" / "compare.html").exists()

    def test_sha256_matches_them_where_both_have_it(
        self, pulmo: Call, folders: list[Path], tmp_path: Path
    ) -> None:
        for folder in folders:
            table = pd.read_parquet(folder / "predictions.parquet")
            number = table["path"].str.removesuffix(".png").astype(int)
            table["sha256"] = [f"{one:064x}" for one in number]
            table["path"] = folder.name + table["path"]
            table.to_parquet(folder / "predictions.parquet")
        assert pulmo("compare", *folders, "-o", tmp_path / "c")[0] == 0
        content = json.loads((tmp_path / "c" / "compare.json").read_text())
        assert (len(content["tests"]), content["notes"]) == (3, [])
        table.assign(sha256=None).to_parquet(folders[1] / "predictions.parquet")
        _, out, _ = pulmo("compare", *folders, "-o", tmp_path / "c")
        assert (
            "No paired test of b and a: they were evaluated on other images, 80 and 80 with 0 in "
            "common (they were matched by path: one table has no sha256)."
        ) in out

    def test_without_a_positive_class_the_accuracy_alone_is_tested(
        self, pulmo: Call, folders: list[Path], tmp_path: Path
    ) -> None:
        assert pulmo("evaluate", tmp_path / "a.csv", "-o", tmp_path / "plain")[0] == 0
        status, out, _ = pulmo("compare", tmp_path / "plain", folders[1], "-o", tmp_path / "c")
        assert status == 0
        assert "b - plain: Accuracy of the decided class" in out
        assert "AUC of" not in out
        assert "The AUCs of b and plain are not tested: one of them has no positive class" in out
