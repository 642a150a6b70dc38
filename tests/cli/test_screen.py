"""`pulmo screen`."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pulmo.core.tables import read_parquet

pytestmark = pytest.mark.usefixtures("unmeasured_workers")

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def folder(image: Path, tmp_path: Path) -> Path:
    """Two images and one that is damaged."""
    root = tmp_path / "images"
    root.mkdir()
    for path in sorted(image.parent.glob("*.png"))[:2]:
        shutil.copy(path, root)
    (root / "z.png").write_bytes(image.read_bytes()[:300])
    return root


def test_an_archive_becomes_a_table(
    pulmo: Call, bundle: Path, folder: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    words = [f"{folder}/*.png", "-o", output, "--workers", "1"]
    status, out, err = pulmo("screen", bundle, *words, "--csv")
    assert (status, out) == (0, f"{output / 'results.parquet'}\n")
    lines = err.splitlines()
    assert lines[:2] == ["3 files: 2 done, 1 failed", "without a result: 1 image-truncated"]
    assert lines[2].startswith("decisions: ")
    assert lines[-1] == "For research, not diagnosis."
    table = read_parquet(output / "results.parquet")
    assert list(table["status"].sort_values()) == ["done", "done", "failed"]
    assert (output / "results.csv").exists()
    status, _, err = pulmo("screen", bundle, *words)
    assert status == 2
    assert err.endswith(
        "contains a screening already. Continue it with --resume, or choose another folder.\n"
    )


def test_names_from_stdin_and_a_resumption_without_a_model(
    pulmo: Call,
    bundle: Path,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    output = tmp_path / "out"
    monkeypatch.setattr("pulmo.cli.names._lines", lambda _: iter([str(folder / "z.png")]))
    status, _, err = pulmo("screen", "-", "--model", bundle, "-o", output, "--workers", "1")
    assert status == 3
    assert "none of the 1 files could be used" in err
    assert json.loads((output / "screening.json").read_text())["status"] == {"failed": 1}
    status, _, err = pulmo("screen", "--resume", "-o", output)
    assert status == 3
    assert "none of the 1 files could be used" in err
    status, _, err = pulmo("screen", "--model", bundle, "-o", tmp_path / "other")
    assert status == 3
    assert "no image was found" in err
