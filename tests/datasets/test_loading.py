import subprocess
import sys
from pathlib import Path

from fixtures.refuses import refuses
from pulmo import datasets
from pulmo.datasets.importing import import_source


def test_it_gives_the_manifest_that_an_import_gives(phantoms: Path) -> None:
    loaded = datasets.load("csv", str(phantoms), name="phantom")
    assert loaded == import_source("csv", phantoms, called="phantom").manifest
    assert loaded.problems == ()


def test_problems_stay_reachable(image: Path, tmp_path: Path) -> None:
    (tmp_path / "covid").mkdir()
    (tmp_path / "covid" / "a.png").write_bytes(image.read_bytes())
    (tmp_path / "covid" / "empty.png").touch()
    progress: list[tuple[int, int]] = []
    loaded = datasets.load(
        "folder", tmp_path, on_progress=lambda done, total: progress.append((done, total))
    )
    (problem,) = loaded.problems
    assert problem.path == str(tmp_path / "covid" / "empty.png")
    assert progress[-1] == (2, 2)
    assert loaded.filter(label="covid").problems == ()


def test_the_hospital_of_ones_own_images_is_stated(image: Path, tmp_path: Path) -> None:
    (tmp_path / "covid").mkdir()
    (tmp_path / "covid" / "a.png").write_bytes(image.read_bytes())
    loaded = datasets.load("folder", tmp_path, sources="north")
    assert set(loaded.frame["origin"]) == {"north"}
    loaded = datasets.load("folder", tmp_path, sources={"covid": "south"})
    assert set(loaded.frame["origin"]) == {"south"}
    assert datasets.load("folder", tmp_path).frame["origin"].isna().all()
    with refuses("origin-not-taken", "cohen"):
        datasets.load("cohen", tmp_path, sources="north")


def test_the_room_itself_imports_nothing() -> None:
    program = "import sys, pulmo.datasets; print('pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    assert done.stdout == b"False\n"
