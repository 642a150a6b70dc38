from collections.abc import Callable
from pathlib import Path

from pulmo.datasets.manifest import read_manifest

Call = Callable[..., tuple[int, str, str]]


def test_the_selection_is_written_and_what_is_unknown_counted(
    pulmo: Call, manifest: Path, tmp_path: Path
) -> None:
    whole, output = read_manifest(manifest), tmp_path / "some.parquet"
    ages = whole.frame["age"].mask(whole.frame.index < 3, None)
    whole = whole.with_columns(age=ages.fillna(40).mask(whole.frame.index < 3, None))
    whole.save(manifest)
    status, out, err = pulmo("data", "select", manifest, "--where", "age>=40", "-o", output)
    assert (status, err) == (0, "")
    kept = whole.frame["age"] >= 40
    assert read_manifest(output) == whole.select(kept)
    first, second = out.splitlines()
    assert first.startswith(f"{output}: {kept.sum()} images in ")
    assert second == "left out: 3 (the manifest does not state their age)"


def test_a_selection_of_nothing_is_refused_and_nothing_written(
    pulmo: Call, manifest: Path, tmp_path: Path
) -> None:
    output = tmp_path / "none.parquet"
    words = ("data", "select", manifest, "--where", "source=elsewhere", "-o", output)
    status, _, err = pulmo(*words)
    assert status == 3
    assert "None of the" in err
    assert not output.exists()
