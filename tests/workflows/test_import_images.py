"""An import from Python; tests/cli/test_import.py does the same through the command."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pulmo.core.errors import UsageError
from pulmo.core.folders import ManifestFiles
from pulmo.datasets.importing import NothingImportedError
from pulmo.datasets.manifest import read_manifest
from pulmo.workflows.import_images import import_images
from pulmo.workflows.options.data import ImportOptions


@pytest.fixture
def folder(image: Path, tmp_path: Path) -> Path:
    """Two images and an empty file, of two classes."""
    images = sorted(image.parent.glob("*.png"))
    for name, drawn in zip(("covid/a.png", "normal/b.png"), images, strict=False):
        place = tmp_path / "set" / name
        place.parent.mkdir(parents=True)
        place.write_bytes(drawn.read_bytes())
    (tmp_path / "set" / "covid" / "empty.png").touch()
    return tmp_path / "set"


def test_the_manifest_and_the_table_of_problems_are_written(folder: Path, tmp_path: Path) -> None:
    files = ManifestFiles(tmp_path / "m.parquet")
    options = ImportOptions(name="mine", stated={"": "south", "covid": "north"})
    done = import_images("folder", folder, files.manifest, options)
    assert done.manifest == read_manifest(files.manifest)
    assert dict(zip(done.manifest.frame["label"], done.manifest.frame["origin"], strict=True)) == {
        "covid": "north",
        "normal": "south",
    }
    (problem,) = done.problems
    assert str(folder / "covid" / "empty.png") == problem.path
    assert problem.path in files.problems.read_text()
    assert not files.journal.exists()
    (folder / "covid" / "empty.png").unlink()
    again = import_images("folder", folder, files.manifest, options)
    assert (again.kept, again.problems, files.problems.exists()) == (2, (), False)
    fresh = import_images("folder", folder, files.manifest, ImportOptions(fresh=True))
    assert fresh.kept == 0


@pytest.mark.parametrize(
    "options",
    [
        lambda: ImportOptions(name=" "),
        lambda: ImportOptions(stated={"viral": "north"}),
        lambda: ImportOptions(label="covid"),
        lambda: ImportOptions(files=Path(os.sep)),
    ],
)
def test_options_that_do_not_fit_are_refused_and_leave_nothing(
    folder: Path, tmp_path: Path, options: Callable[[], ImportOptions]
) -> None:
    with pytest.raises(UsageError):
        import_images("folder", folder, tmp_path / "m.parquet", options())
    assert not (tmp_path / "m.parquet").exists()


def test_what_gives_no_image_has_its_table_of_problems(folder: Path, tmp_path: Path) -> None:
    for path in folder.glob("*/*.png"):
        path.write_bytes(b"")
    files = ManifestFiles(tmp_path / "m.parquet")
    with pytest.raises(NothingImportedError):
        import_images("folder", folder, files.manifest)
    assert files.problems.exists()
    assert not files.manifest.exists()
    assert not files.journal.exists()
