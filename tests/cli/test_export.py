import json
import shutil
from collections.abc import Callable
from pathlib import Path

from pulmo.core.run_folder import RunFolder

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


def test_what_cannot_be_exported(pulmo: Call, run: RunFolder, bundle: Path, tmp_path: Path) -> None:
    status, _, err = pulmo("export", run.root, "-o", bundle)
    assert status == 3
    assert "exists already; a bundle is never overwritten" in err
    unfinished = RunFolder(Path(shutil.copytree(run.root, tmp_path / "run")))
    unfinished.card.unlink()
    for folder in (unfinished.root, tmp_path / "none"):
        status, _, err = pulmo("export", folder, "-o", tmp_path / "new")
        assert status == 3
        assert "card.json does not exist" in err
    assert not (tmp_path / "new").exists()
