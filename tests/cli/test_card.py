"""pulmo card."""

from collections.abc import Callable
from pathlib import Path

from pulmo.core.folders import RunFolder

Call = Callable[..., tuple[int, str, str]]


def test_the_checklists_of_a_bundle(
    pulmo: Call, bundle: Path, run: RunFolder, tmp_path: Path
) -> None:
    given = ("--data", run.manifest, "--run", run.root)
    status, out, err = pulmo("card", bundle, *given, "-o", tmp_path / "cards")
    assert (status, err) == (0, "")
    names = [line.split(": ")[0] for line in out.splitlines()]
    assert names == [
        str(tmp_path / "cards" / name) for name in ("CLAIM.md", "DATASHEET.md", "TRIPOD-AI.md")
    ]
    assert all(" items: " in line and line.endswith(" open.") for line in out.splitlines())
    for path in (tmp_path / "cards").iterdir():
        text = path.read_text()
        assert "| audit.json | not given |" in text
        assert "Give the run" not in text
        assert "Give the manifest" not in text
        # No folder of this machine stands in it.
        assert str(tmp_path.parent) not in text
        assert str(run.root.parent) not in text
    status, out, err = pulmo("card", bundle, *given, "-o", tmp_path / "cards")
    assert (status, out) == (3, "")
    assert "CLAIM.md exists and is not overwritten" in err


def test_a_table_has_no_card(pulmo: Call, tmp_path: Path) -> None:
    (tmp_path / "theirs.csv").write_text("path,label,p_a,p_b\n")
    status, out, err = pulmo("card", tmp_path / "theirs.csv", "-o", tmp_path / "cards")
    assert (status, out) == (2, "")
    assert "theirs.csv is a file; the checklists are those of a bundle" in err
    assert err.count("\n") == 1


def test_a_folder_that_is_no_bundle_is_a_sentence(pulmo: Call, tmp_path: Path) -> None:
    status, out, err = pulmo("card", tmp_path, "-o", tmp_path / "cards")
    assert (status, out) == (3, "")
    assert err == f"pulmo: {tmp_path / 'card.json'} does not exist.\n"
    assert not (tmp_path / "cards").exists()
