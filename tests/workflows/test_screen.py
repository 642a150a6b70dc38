"""Screenings: their rows, files that crash or hang, and work that is stopped anywhere."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from fixtures.faulty_workers import faulty_screener
from fixtures.refuses import refuses
from pulmo.core.errors import InterruptedRunError
from pulmo.core.folders import ScreeningFolder
from pulmo.datasets.source import Problem
from pulmo.workflows import screen_file as screen_file_module
from pulmo.workflows.found import Found, Name
from pulmo.workflows.model import load
from pulmo.workflows.options.screening import ScreenOptions
from pulmo.workflows.predict import predict
from pulmo.workflows.prediction_output import csv_cells, flat_record
from pulmo.workflows.screen import ScreenCallbacks, screen
from pulmo.workflows.screen_file import columns_of, screen_file
from pulmo.workflows.screen_list import parts_of, read_part, write_list

pytestmark = pytest.mark.usefixtures("unmeasured_workers")

ONE = ScreenOptions(workers=1, part_rows=4)


@pytest.fixture(scope="module")
def archive(image: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine images in two folders, of which one is damaged, a text and a link."""
    root = tmp_path_factory.mktemp("archive")
    (root / "b").mkdir()
    for number, path in enumerate(sorted(image.parent.glob("*.png"))[:8]):
        shutil.copy(path, root / ("b" if number % 2 else ".") / f"{number}.png")
    shutil.copy(min(image.parent.glob("*.dcm")), root / "b" / "no-suffix")
    (root / "3.png").write_bytes(image.read_bytes()[:300])
    (root / "notes.txt").write_text("hello")
    (root / "link.png").symlink_to(image)
    return root


@pytest.fixture(scope="module")
def screening(archive: Path, bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A screening of the archive without a stop, in all forms."""
    output = tmp_path_factory.mktemp("screened") / "out"
    options = ScreenOptions(workers=2, csv=True, jsonl=True, part_rows=4)
    screen(bundle, [archive], output, options)
    return output


def rows_of(folder: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(ScreeningFolder(folder).results).to_pylist()
    return rows


class TestRows:
    """What stands in the table."""

    def test_each_file_has_the_row_that_predict_gives_it(
        self, archive: Path, bundle: Path, screening: Path
    ) -> None:
        model, left_out = load(bundle, threads=1), list[Problem]()
        wanted = [
            flat_record(result, model.predictor)
            for result in predict(model, [archive], on_left_out=left_out.append)
        ]
        rows = rows_of(screening)
        assert [row["file"] for row in rows] == sorted(
            [row["file"] for row in rows],
            key=lambda name: Path(name).parts,
        )
        used = [row for row in rows if row["status"] != "left out"]
        assert len(used) == 10
        assert used == [{name: row[name] for name in columns_of(model)} for row in wanted]
        assert {row["file"]: row["reason"] for row in rows if row["status"] == "left out"} == {
            each.path: f"{each.reason}." for each in left_out
        }
        assert len(left_out) == 2

    def test_other_forms_say_the_same(self, screening: Path) -> None:
        rows, folder = rows_of(screening), ScreeningFolder(screening)
        assert [json.loads(line) for line in folder.jsonl.read_text().splitlines()] == rows
        with folder.csv.open(newline="") as file:
            table = list(csv.DictReader(file))
        texts = [
            {name: "" if cell is None else str(cell) for name, cell in csv_cells(row).items()}
            for row in rows
        ]
        assert table == texts

    def test_the_index_counts_them_and_nothing_else_is_left(self, screening: Path) -> None:
        rows, folder = rows_of(screening), ScreeningFolder(screening)
        index = json.loads(folder.index.read_text())
        assert index["files"] == len(rows) == 12
        assert index["status"] == {"done": 9, "failed": 1, "left out": 2}
        assert sum(index["decisions"].values()) == 9
        assert index["positive"] == sum(row["positive"] is True for row in rows)
        assert index["note_kinds"]["drawings"] == 9
        assert sorted(path.name for path in screening.iterdir()) == [
            "plan.json", "results.csv", "results.jsonl", "results.parquet", "screening.json",
        ]  # fmt: skip

    def test_a_name_of_bytes_that_are_no_characters_is_escaped(
        self, bundle: Path, image: Path, tmp_path: Path
    ) -> None:
        name = tmp_path / os.fsdecode(b"\xff.png")
        shutil.copy(image, name)
        screen(bundle, [tmp_path / "gone.png", name], tmp_path / "out", ONE)
        rows = rows_of(tmp_path / "out")
        assert [(row["file"], row["code"]) for row in rows] == [
            (f"{tmp_path}/gone.png", "file-missing"),
            (f"{tmp_path}/\\udcff.png", None),
        ]


class TestFaults:
    """Files that crash or hang what reads them."""

    def test_cost_their_own_row_alone(
        self, archive: Path, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        names = ["0.png", "crash.png", "2.png", "hang.png", "4.png"]
        for name in names:
            shutil.copy(archive / "0.png", tmp_path / name)
        monkeypatch.setattr(screen_file_module, "screen_worker", faulty_screener)
        options = ScreenOptions(workers=1, timeout=2, part_rows=2)
        done = screen(bundle, [tmp_path / name for name in names], tmp_path / "out", options)
        assert [row["code"] for row in rows_of(tmp_path / "out")] == [
            None, "file-crashes-reader", None, "file-too-slow", None,
        ]  # fmt: skip
        assert done.record.status == {"done": 3, "failed": 2}
        assert done.record.codes == {"file-crashes-reader": 1, "file-too-slow": 1}

    def test_an_error_that_nobody_foresaw_is_a_row(
        self, bundle: Path, image: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object) -> None:
            raise MemoryError("too large")

        monkeypatch.setattr(screen_file_module, "predict_file", fail)
        row = screen_file(Found(image), load(bundle, threads=1))
        assert (row["status"], row["code"]) == ("failed", "internal-error")
        assert "MemoryError" in row["reason"]


class TestStops:
    """Work that is stopped goes on, with nothing lost and nothing done twice."""

    def test_between_files(
        self, archive: Path, bundle: Path, screening: Path, tmp_path: Path
    ) -> None:
        heard: list[tuple[int, int]] = []
        callbacks = ScreenCallbacks(
            lambda done, total: heard.append((done, total)), lambda: heard[-1][0] == 6
        )
        output = ScreeningFolder(tmp_path / "out")
        with pytest.raises(InterruptedRunError):
            screen(bundle, [archive], output.root, ONE, callbacks)
        assert heard == [(done, 12) for done in range(7)]
        before = output.part(0).stat().st_mtime_ns
        assert not output.part(1).exists()
        heard.clear()

        def at_first(done: int, total: int) -> None:
            assert output.part(0).stat().st_mtime_ns == before
            heard.append((done, total))

        # Neither the model nor the images are named again.
        resumed = ScreenOptions(resume=True, workers=1)
        screen(None, [], output.root, resumed, ScreenCallbacks(at_first))
        assert heard == [(done, 12) for done in range(4, 13)]
        assert output.results.read_bytes() == ScreeningFolder(screening).results.read_bytes()
        # A finished one is finished.
        assert screen(None, [], output.root, resumed).record.files == 12

    def test_by_a_kill(
        self,
        archive: Path,
        bundle: Path,
        screening: Path,
        tmp_path: Path,
        unmeasured: dict[str, str],
    ) -> None:
        output = ScreeningFolder(tmp_path / "out")
        code = (
            "import sys; from pulmo.workflows.screen import screen; "
            "from pulmo.workflows.options.screening import ScreenOptions; "
            "screen(*sys.argv[1:2], sys.argv[2:3], sys.argv[3], "
            "ScreenOptions(workers=1, part_rows=4))"
        )
        words = [sys.executable, "-c", code, str(bundle), str(archive), str(output.root)]
        with subprocess.Popen(words, env=unmeasured) as process:
            while not output.part(0).exists() and process.poll() is None:
                time.sleep(0.005)
            process.send_signal(signal.SIGKILL)
        screen(None, [], output.root, ScreenOptions(resume=True, workers=1))
        assert output.results.read_bytes() == ScreeningFolder(screening).results.read_bytes()

    def test_while_the_list_is_written(
        self, archive: Path, bundle: Path, screening: Path, tmp_path: Path
    ) -> None:
        output = ScreeningFolder(tmp_path / "out")
        output.root.mkdir()
        (output.root / ".files.jsonl.01234567").write_text("[")
        screen(bundle, [archive], output.root, ScreenOptions(resume=True, part_rows=4))
        assert output.results.read_bytes() == ScreeningFolder(screening).results.read_bytes()


class TestGuards:
    """What is refused."""

    def test_a_folder_that_is_not_free(self, bundle: Path, screening: Path, tmp_path: Path) -> None:
        with refuses("screening-exists", screening):
            screen(bundle, [tmp_path], screening)
        (tmp_path / "other").touch()
        (tmp_path / ".other.01234567").touch()
        with refuses("folder-not-empty"):
            screen(bundle, [tmp_path], tmp_path)
        assert (tmp_path / ".other.01234567").exists()
        with refuses("folder-is-file"):
            screen(bundle, [tmp_path], tmp_path / "other")

    def test_another_model(self, archive: Path, bundle: Path, tmp_path: Path) -> None:
        output = tmp_path / "out"
        with pytest.raises(InterruptedRunError):
            screen(bundle, [archive], output, ONE, ScreenCallbacks(should_stop=lambda: True))
        plan = ScreeningFolder(output).plan
        digest = load(bundle).predictor.sha256
        plan.write_text(plan.read_text().replace(digest, "0" * 64))
        resumed = ScreenOptions(resume=True)
        with refuses("screening-model-changed"):
            screen(bundle, [], output, resumed)
        with refuses("screening-model-changed"):
            screen(None, [], output, resumed)

    def test_nothing_to_do(self, bundle: Path, tmp_path: Path) -> None:
        (tmp_path / "in").mkdir()
        with refuses("images-missing"):
            screen(bundle, [tmp_path / "in"], tmp_path / "out")
        with refuses("model-not-given"):
            screen(None, [tmp_path / "in"], tmp_path / "out")
        with refuses("files-all-failed", 1):
            screen(bundle, [tmp_path / "gone.png"], tmp_path / "out", ONE)


class TestList:
    """What is named becomes a list of files."""

    def test_folders_patterns_tables_and_files(self, archive: Path, tmp_path: Path) -> None:
        table = tmp_path / "manifest.parquet"
        pd.DataFrame({"path": [f"{archive}/b/1.png", "gone.png"], "label": "x"}).to_parquet(table)
        path = tmp_path / "files.jsonl"
        names: list[Name] = [f"{archive}/**/*.png", table, archive / "b", archive / "0.png"]
        count = write_list(names, path, tmp_path / "out")
        parts = list(parts_of(path, 4))
        found = [each for part in parts for each in read_part(path, part)]
        assert count == len(found) == 18
        assert [part.rows for part in parts] == [4, 4, 4, 4, 2]
        matching, rest = found[:10], found[10:]
        assert {str(each.path.relative_to(archive)) for each in matching} == {
            "0.png", "2.png", "3.png", "4.png", "6.png", "b/1.png", "b/3.png", "b/5.png",
            "b/7.png", "link.png",
        }  # fmt: skip
        assert [each.path.name for each in matching if each.problem] == ["link.png"]
        assert all(each.inside for each in matching)
        assert rest[:2] == [Found(archive / "b" / "1.png"), Found(Path("gone.png"))]
        assert [each.path.name for each in rest[2:7] if each.inside] == [
            "1.png", "3.png", "5.png", "7.png", "no-suffix",
        ]  # fmt: skip
        assert rest[7:] == [Found(archive / "0.png")]

    def test_a_table_without_paths_is_refused(self, tmp_path: Path) -> None:
        table = tmp_path / "table.parquet"
        pd.DataFrame({"file": ["a.png"]}).to_parquet(table)
        with refuses("paths-missing", table):
            write_list([table], tmp_path / "files.jsonl", tmp_path / "out")
        table.write_bytes(table.read_bytes()[:20])
        with refuses("parquet-invalid", table):
            write_list([table], tmp_path / "files.jsonl", tmp_path / "out")
