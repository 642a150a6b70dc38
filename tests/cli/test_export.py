import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.refuses import refuses
from pulmo.bundle.export import export_run
from pulmo.core.folders import BundleFolder, RunFolder

Call = Callable[..., tuple[int, str, str]]


def test_a_run_becomes_a_bundle(pulmo: Call, run: RunFolder, tmp_path: Path) -> None:
    output = tmp_path / "bundle"
    status, out, err = pulmo("export", run.root, "-o", output)
    assert (status, err) == (0, "")
    assert out == (
        f"{output}: demo, covid, bacterial, viral, normal. For research, not diagnosis.\n"
    )
    card = json.loads((output / "card.json").read_text())
    assert {path.name for path in output.iterdir()} == {"card.json", *card["files"]}


def test_a_bundle_has_a_name_if_none_is_given(
    pulmo: Call, run: RunFolder, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = BundleFolder(bundle).model.read_bytes()
    monkeypatch.setattr("pulmo.bundle.export.to_onnx", lambda *_: network)
    copy = Path(shutil.copytree(run.root, tmp_path / "mine"))
    status, out, err = pulmo("export", copy)
    assert status == 0
    assert err == f"No -o was given. The output is {tmp_path / 'mine-bundle'}.\n"
    assert out.startswith(f"{tmp_path / 'mine-bundle'}: demo")


def test_what_cannot_be_exported(pulmo: Call, run: RunFolder, bundle: Path, tmp_path: Path) -> None:
    status, _, err = pulmo("export", run.root, "-o", bundle)
    assert status == 3
    assert "exists already. A bundle is never overwritten" in err
    unfinished = RunFolder(Path(shutil.copytree(run.root, tmp_path / "a run")))
    unfinished.card.unlink()
    unfinished.history.write_text(unfinished.history.read_text().splitlines()[0] + "\n")
    status, _, err = pulmo("export", unfinished.root, "-o", tmp_path / "new")
    assert status == 3
    assert "is not finished: 1 of 2 epochs are done" in err
    assert f"{unfinished.root} is not finished: 1 of 2 epochs are done." in err
    assert "pulmo train --resume -o RUN" in err
    with refuses("run-unfinished", "1", "2"):
        export_run(unfinished, tmp_path / "new")
    status, _, err = pulmo("export", tmp_path / "none", "-o", tmp_path / "new")
    assert (status, "none contains no training run" in err) == (3, True)
    assert not (tmp_path / "new").exists()
