"""pulmo audit."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pulmo.audit.check_result import read_audit
from pulmo.core.folders import RunFolder
from pulmo.datasets.manifest import Manifest, read_manifest
from pulmo.evaluate.test_access import read_accesses

Call = Callable[..., tuple[int, str, str]]


def test_a_page_the_values_and_a_result(
    pulmo: Call, bundle: Path, manifest: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "audit"
    words = ("audit", bundle, "--data", manifest, "--split", "test", "-o", folder)
    # Of sixteen images no baseline can be fitted, so that nothing fails.
    status, out, err = pulmo(*words, "--only", "shortcuts", "--threads", "1")
    assert status == 0
    # The model of the tests is one of drawings.
    assert err.startswith("warning: The model was trained on drawings")
    assert err.count("\n") == 1
    assert "COULD NOT RUN shortcuts: No shortcut baseline could be fitted." in out
    assert "Shown on these images:\n- Nothing." in out
    found = read_audit(folder / "audit.json")
    assert found.data.n == 16
    assert found.result == "incomplete"
    assert out.startswith("Audit result: incomplete. 0 of 1 checks ran.")
    assert (folder / "audit.html").read_text().startswith("<!doctype html>")
    assert [access.split for access in read_accesses(bundle / "test-access.jsonl")] == ["test"]
    status, out, _ = pulmo(*words, "--only", "shortcuts", "--json")
    assert status == 0
    assert json.loads(out)["model"]["name"] == "demo"


def test_a_check_that_fails_fails_the_audit_unless_it_is_accepted(
    pulmo: Call, bundle: Path, manifest: Path, tmp_path: Path
) -> None:
    # The training again: the baselines are fitted and tested on the same images.
    read_manifest(manifest).with_columns(split="train").save(tmp_path / "all.parquet")
    chosen = ("--data", tmp_path / "all.parquet", "--split", "train", "--only", "shortcuts")
    words = ("audit", bundle, *chosen, "-o", tmp_path / "audit")
    status, out, err = pulmo(*words)
    assert status == 5
    assert "FAILED        shortcuts: The balanced accuracy of the model" in out
    assert "pulmo: The audit failed. Failed checks: shortcuts." in err
    assert "warning: The manifest has 64 training and 0 validation images" in err
    status, _, _ = pulmo(*words, "--accept", "shortcuts")
    assert status == 0
    assert read_audit(tmp_path / "audit" / "audit.json").accepted == ("shortcuts",)


def test_an_opening_that_cannot_be_noted_is_said(
    pulmo: Call, bundle: Path, manifest: Path, tmp_path: Path
) -> None:
    model = tmp_path / "alone" / "model.onnx"
    model.parent.mkdir()
    shutil.copy(bundle / "model.onnx", model)
    (model.parent / "test-access.jsonl").symlink_to(tmp_path / "nowhere" / "test-access.jsonl")
    words = ("--data", manifest, "--split", "test", "--only", "degenerate", "-o", tmp_path / "a")
    _, _, err = pulmo("audit", model, *words, "--threads", "1")
    assert "this access to the test set is not recorded there" in err


def test_the_run_keeps_the_list_of_accesses_too(
    pulmo: Call, bundle: Path, manifest: Path, run: RunFolder, tmp_path: Path
) -> None:
    copy = RunFolder(Path(shutil.copytree(run.root, tmp_path / "run")))
    words = ("--data", manifest, "--split", "test", "--run", copy.root, "--threads", "1")
    pulmo("audit", bundle, *words, "--only", "degenerate", "-o", tmp_path / "a")
    (access,) = read_accesses(copy.test_access)
    assert read_accesses(bundle / "test-access.jsonl") == [access]


def test_a_wrong_call_is_a_sentence(
    pulmo: Call, bundle: Path, manifest: Path, tmp_path: Path
) -> None:
    out = tmp_path / "audit"
    for words, status, sentence in (
        ((bundle, "-o", out), 2, "and its images are missing. Name the manifest with --data"),
        ((bundle, "--data", manifest, "--split", "best", "-o", out), 2, "no split 'best'"),
        (
            (bundle, "--data", manifest, "--seed", "1", "-o", out),
            2,
            "--seed is for a folder of cross-validation, and the model is a bundle",
        ),
        (
            (bundle, "--data", manifest, "--only", "luck", "-o", out),
            2,
            "There is no check 'luck'",
        ),
        (
            (bundle, "--data", manifest, "--only", "shortcuts", "--accept", "luck", "-o", out),
            2,
            "There is no check 'luck'",
        ),
        ((bundle, "--data", manifest, "--lungs", tmp_path / "no", "-o", out), 3, "no lung mask"),
    ):
        got, _, err = pulmo("audit", *words)
        assert (got, sentence in err) == (status, True), err


def test_a_refused_call_names_no_output(
    pulmo: Call, bundle: Path, manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    status, out, err = pulmo("audit", bundle, "--data", manifest, "--only", "luck")
    assert (status, out) == (2, "")
    assert err.startswith("pulmo: There is no check 'luck'")
    assert sorted(tmp_path.iterdir()) == before


def test_what_the_model_was_trained_on_is_left_out_and_counted(
    pulmo: Call, bundle: Path, manifest: Path, tmp_path: Path
) -> None:
    images = read_manifest(manifest)
    unsplit, folder = tmp_path / "unsplit.parquet", tmp_path / "audit"
    Manifest(images.frame.assign(split=None)).save(unsplit)
    checks = ("--only", "leakage", "--only", "sources", "--threads", "1")
    status, out, err = pulmo("audit", bundle, "--data", unsplit, *checks, "-o", folder)
    seen = images.frame["split"].isin(["train", "val"])
    assert status == 5
    assert f"{seen.sum()} images took no part, because the model was trained or chosen on" in err
    assert f"{seen.sum()} of the {len(images)} test images are related to a training image" in out
    found = read_audit(folder / "audit.json")
    assert found.data.n == (~seen).sum()
    assert sorted(found.data.excluded) == sorted(
        Path(path).name for path in images.frame["path"][seen]
    )
    # The rest is the test, whatever the manifest calls it.
    (access,) = read_accesses(bundle / "test-access.jsonl")
    assert access.images == found.data.n
