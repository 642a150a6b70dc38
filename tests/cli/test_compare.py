"""pulmo compare."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pulmo.cli.compare import _sentence
from pulmo.core.estimate import Estimate
from pulmo.core.run_folder import RunFolder
from pulmo.report.comparison import PairedTest

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def evaluation(pulmo: Call, bundle: Path, manifest: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "evaluation"
    status, _, err = pulmo("evaluate", bundle, "--data", manifest, "--split", "test", "-o", folder)
    assert status == 0, err
    return folder


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
        name="b", against="a", figure="auc", of="covid", difference=difference, p=p, p_holm=p,
        test="DeLong",
    )  # fmt: skip
    assert _sentence(test).startswith(f"b - a: AUC of covid {expected}")


def test_what_is_refused(pulmo: Call, evaluation: Path, tmp_path: Path) -> None:
    output = tmp_path / "comparison"
    for words, status, reason in (
        ([evaluation], 2, "needs two folders or more"),
        ([evaluation, evaluation], 2, "is named twice"),
        ([evaluation, tmp_path], 3, "is nothing to compare"),
        ([evaluation, tmp_path / "none"], 3, "is nothing to compare"),
    ):
        found, out, err = pulmo("compare", *words, "-o", output)
        assert (found, out) == (status, "")
        assert reason in err
        assert not output.exists()


def test_it_needs_no_torch(evaluation: Path, run: RunFolder, tmp_path: Path) -> None:
    """In a process of its own, because this one has imported torch."""
    words = ["compare", str(evaluation), str(run.root), "-o", str(tmp_path / "comparison")]
    program = (
        "import sys\nfrom pulmo.cli.app import app\n"
        f"app({words}, standalone_mode=False)\n"
        "print({'torch', 'optuna', 'ray'} & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)  # noqa: PLW1510 - checked below
    assert (done.returncode, done.stderr) == (0, "set()\n")
