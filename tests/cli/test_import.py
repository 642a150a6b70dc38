"""`pulmo data import` and `merge` on bad input, repeated and interrupted."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fixtures.refuses import refuses
from pulmo.core.errors import InputError
from pulmo.datasets.manifest import Manifest, read_manifest
from pulmo.datasets.split import check_split
from pulmo.radiograph import KINDS

Call = Callable[..., tuple[int, str, str]]

KINDS_READ = "PNG, JPEG, TIFF, BMP, WebP, JPEG 2000 or DICOM"
NO_IMAGE = f"it is not a {KINDS_READ} file: its content is of another kind"


@pytest.fixture
def folder(image: Path, tmp_path: Path) -> Path:
    """Two classes of four images each."""
    for number, path in enumerate(sorted(image.parent.iterdir())[:8]):
        place = tmp_path / "set" / ("covid" if number % 2 else "normal") / path.name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)
    return tmp_path / "set"


def problems(path: Path) -> pd.DataFrame:
    return pd.read_csv(path)


class TestLayouts:
    """Folders and tables in the forms in which people have them."""

    def test_a_split_of_folders_is_kept_and_checked_for_leaks(
        self, pulmo: Call, folder: Path, tmp_path: Path
    ) -> None:
        keras, output = tmp_path / "keras", tmp_path / "m.parquet"
        for number, path in enumerate(sorted(folder.glob("*/*"))):
            side = ("train", "validation")[number % 2]
            place = keras / side / path.parent.name / path.name
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, place)
        status, out, err = pulmo("data", "import", "folder", keras, "-o", output)
        assert (status, "4 covid, 4 normal" in out) == (0, True)
        assert "a split of its own: 4 train, 4 val" in err
        assert "Keep it with: pulmo data split MANIFEST --keep-official." in err
        split = read_manifest(output)
        assert dict(split.frame.groupby("split")["path"].size()) == {"train": 4, "val": 4}
        kept = tmp_path / "kept.parquet"
        assert pulmo("data", "split", output, "--keep-official", "-o", kept)[0] == 0
        assert read_manifest(kept).frame["split"].tolist() == split.frame["split"].tolist()
        # The same image on both sides.
        path = next((keras / "train" / "covid").iterdir())
        shutil.copy(path, keras / "validation" / "covid" / f"copy{path.suffix}")
        assert pulmo("data", "import", "folder", keras, "-o", output)[0] == 0
        with refuses("split-leaks"):
            check_split(read_manifest(output))
        status, out, _ = pulmo("data", "split", output, "--keep-official", "-o", kept)
        assert (status, "left out: 1 (" in out) == (0, True)

    def test_a_flat_folder_is_of_one_class(self, pulmo: Call, folder: Path, tmp_path: Path) -> None:
        flat, output = folder / "covid", tmp_path / "m.parquet"
        status, out, err = pulmo("data", "import", "folder", flat, "-o", output)
        assert (status, out, "--label LABEL" in err) == (3, "", True)
        status, out, _ = pulmo("data", "import", "folder", flat, "--label", "other", "-o", output)
        assert (status, "(4 other)" in out) == (0, True)
        status, _, err = pulmo("data", "import", "csv", flat, "--label", "other", "-o", output)
        assert (status, "for the source folder; a table has a column" in err) == (2, True)

    def test_a_table_lies_next_to_another_folder(
        self, pulmo: Call, folder: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "notes").mkdir()
        table, output = tmp_path / "notes" / "t.csv", tmp_path / "m.parquet"
        lines = [f"{path.name},covid" for path in sorted((folder / "covid").iterdir())]
        table.write_text("\n".join(["path,label", *lines]))
        words = ["data", "import", "csv", table, "-o", output]
        assert pulmo(*words)[0] == 3
        status, out, _ = pulmo(*words, "--root", folder / "covid")
        assert (status, "(4 covid)" in out) == (0, True)
        words[2] = "folder"
        status, _, err = pulmo(*words, "--root", folder)
        assert (status, "Only the source csv" in err) == (2, True)


class TestProblems:
    """What does not get into the manifest."""

    def test_many_empty_files_are_counted_and_a_few_named(
        self, pulmo: Call, folder: Path, tmp_path: Path
    ) -> None:
        empty = [folder / "covid" / f"{number:04}.png" for number in range(300)]
        for path in empty:
            path.touch()
        (folder / "normal" / "text.png").write_text("text")
        status, out, err = pulmo(
            "data", "import", "folder", folder, "-o", tmp_path / "m.parquet", "--source", "north"
        )
        assert status == 4
        assert out == f"{tmp_path / 'm.parquet'}: 8 images in 8 groups (4 covid, 4 normal)\n"
        assert err.splitlines() == [
            "failed: 300 (it is empty)",
            *(f"  {path}" for path in empty[:5]),
            "  and 295 more",
            f"{folder / 'normal' / 'text.png'}: {NO_IMAGE}",
            f"{tmp_path / 'm.problems.csv'} names all 301.",
            "pulmo: 301 failed; the rest is in the manifest.",
        ]
        table = problems(tmp_path / "m.problems.csv")
        assert list(table.columns) == ["path", "reason", "failed"]
        assert table["path"].tolist() == [*map(str, empty), str(folder / "normal" / "text.png")]
        assert set(table["reason"][:300]) == {"it is empty"}
        assert table["failed"].all()

    def test_the_table_of_an_earlier_run_goes_when_all_is_well(
        self, pulmo: Call, folder: Path, tmp_path: Path
    ) -> None:
        output = tmp_path / "m.parquet"
        (folder / "covid" / "empty.png").touch()
        assert pulmo("data", "import", "folder", folder, "-o", output)[0] == 4
        assert (tmp_path / "m.problems.csv").exists()
        (folder / "covid" / "empty.png").unlink()
        status, _, err = pulmo(
            "data", "import", "folder", folder, "-o", output, "--source", "north"
        )
        assert (status, err) == (
            0, "8 files have not changed since they were read. Read them again with --fresh.\n",
        )  # fmt: skip
        assert sorted(path.name for path in tmp_path.iterdir()) == ["m.parquet", "set"]

    def test_what_is_left_out_by_rule_is_no_failure(
        self, pulmo: Call, image: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "images").mkdir()
        rows = ["patientid,finding,view,modality,filename,folder,age,sex"]
        for number in range(3):
            shutil.copy(image, tmp_path / "images" / f"{number}.png")
            rows.append(
                f"{number},{'todo' if number else 'COVID-19'},PA,X-ray,{number}.png,images,,"
            )
        (tmp_path / "metadata.csv").write_text("\n".join(rows))
        assert pulmo("data", "import", "cohen", tmp_path, "-o", tmp_path / "m.parquet")[0] == 0
        table = problems(tmp_path / "m.problems.csv")
        assert table["failed"].tolist() == [False, False]

    def test_how_a_table_is_written_is_said(
        self, pulmo: Call, folder: Path, tmp_path: Path
    ) -> None:
        names = [f"covid/{path.name}" for path in (folder / "covid").iterdir()]
        rows = "\n".join(["path;label;age", *(f"{name};covid;64,5" for name in names)])
        (folder / "t.csv").write_text(f"{rows}\ncovid\\é.png;covid;7", encoding="cp1252")
        words = ("data", "import", "csv", folder / "t.csv", "-o", tmp_path / "m.parquet")
        status, _, err = pulmo(*words)
        assert status == 4
        assert "was read as text in Windows-1252, values with semicolons between them." in err
        assert set(read_manifest(tmp_path / "m.parquet").frame["age"]) == {64.5}
        assert "back-slashes" in problems(tmp_path / "m.problems.csv")["reason"].iloc[0]

    def test_reasons_of_a_kind_are_counted_together(
        self, pulmo: Call, folder: Path, tmp_path: Path
    ) -> None:
        images = sorted((folder / "covid").iterdir())
        shutil.copy(images[0], folder / "normal" / "copy 1.png")
        shutil.copy(images[1], folder / "normal" / "copy 2.png")
        rows = [f"covid/{images[2].name},covid,{150 + number}" for number in range(3)]
        rows += [f"normal/{path.name},normal," for path in (folder / "normal").glob("copy*")]
        rows += [f"covid/{path.name},covid," for path in images]
        (folder / "t.csv").write_text("\n".join(["path,label,age", *rows]))
        status, _, err = pulmo(
            "data", "import", "csv", folder / "t.csv", "-o", tmp_path / "m.parquet"
        )
        assert status == 4
        assert [line for line in err.splitlines() if line.startswith("failed")] == [
            "failed: 3 (its age … is not a number of years from … to …)",
            "failed: 2 (it is labelled normal, and its copy covid)",
            "failed: 2 (it is labelled covid, and its copy normal)",
        ]

    def test_more_kinds_than_can_be_read_are_summed_up(
        self, pulmo: Call, folder: Path, tmp_path: Path
    ) -> None:
        name = min((folder / "covid").iterdir()).name
        # Every row speaks of another file outside the set.
        rows = [f"../{letter}.png,covid" for letter in "abcdefghijklmnopqrstuvwxyz"]
        (folder / "t.csv").write_text("\n".join(["path,label", *rows, f"covid/{name},covid"]))
        status, _, err = pulmo(
            "data", "import", "csv", folder / "t.csv", "-o", tmp_path / "m.parquet"
        )
        assert status == 4
        named = [line for line in err.splitlines() if line.startswith(f"{folder / 't.csv'}, line ")]
        assert len(named) == 20
        assert "\nfailed: 6 (other reasons)\n" in err

    def test_nothing_to_import_has_its_table_too(self, pulmo: Call, tmp_path: Path) -> None:
        (tmp_path / "covid").mkdir()
        for number in range(25):
            (tmp_path / "covid" / f"{number:02}.png").touch()
        status, out, err = pulmo("data", "import", "folder", tmp_path, "-o", tmp_path / "m.parquet")
        assert (status, out) == (3, "")
        first = f"The first: {tmp_path / 'covid' / '00.png'}: it is empty."
        assert err.splitlines()[-3:] == [
            "  and 20 more",
            f"{tmp_path / 'm.problems.csv'} names all 25.",
            f"pulmo: {tmp_path} gave no readable, labelled image. {first}",
        ]
        assert len(problems(tmp_path / "m.problems.csv")) == 25
        assert not (tmp_path / "m.parquet").exists()

    def test_nothing_to_import_leaves_no_journal(
        self, pulmo: Call, image: Path, tmp_path: Path
    ) -> None:
        for label in ("covid", "normal"):
            (tmp_path / "set" / label).mkdir(parents=True)
            shutil.copy(image, tmp_path / "set" / label)
        output = tmp_path / "m.parquet"
        assert pulmo("data", "import", "folder", tmp_path / "set", "-o", output)[0] == 3
        assert sorted(path.name for path in tmp_path.iterdir()) == ["m.problems.csv", "set"]

    def test_a_name_that_is_not_utf8_is_in_the_table(
        self, pulmo: Call, folder: Path, tmp_path: Path
    ) -> None:
        (folder / "covid" / os.fsdecode(b"\xff,\n.png")).touch()
        status, _, err = pulmo("data", "import", "folder", folder, "-o", tmp_path / "m.parquet")
        assert status == 4
        assert ": its name is not UTF-8, as a manifest needs; rename it\n" in err
        table = problems(tmp_path / "m.problems.csv")
        assert table["path"].tolist() == [f"{folder}/covid/\\udcff,\n.png"]


class TestAgain:
    """A repeated import."""

    def test_headers_only_says_so_and_decodes_nothing(
        self, pulmo: Call, folder: Path, tmp_path: Path
    ) -> None:
        output = tmp_path / "m.parquet"
        words = ("data", "import", "folder", folder, "-o", output, "--source", "north")
        status, _, err = pulmo(*words, "--headers-only")
        assert (status, len(err.splitlines())) == (0, 1)
        assert err.startswith("8 images were not decoded: ")
        assert read_manifest(output).frame["pixels_sha256"].isna().all()
        assert pulmo(*words)[::2] == (0, "")
        assert read_manifest(output).frame["pixels_sha256"].notna().all()
        status, _, err = pulmo(*words, "--headers-only")
        assert (status, err) == (
            0, "8 files have not changed since they were read. Read them again with --fresh.\n",
        )  # fmt: skip
        assert pulmo(*words, "--fresh")[::2] == (0, "")

    def test_an_output_that_is_no_manifest_is_not_lost(
        self, pulmo: Call, folder: Path, tmp_path: Path
    ) -> None:
        table = folder / "t.csv"
        table.write_text("path,label\n")
        status, out, err = pulmo("data", "import", "csv", table, "-o", table)
        assert (status, out) == (3, "")
        assert err == (
            f"pulmo: {table} exists and is a file of another kind; it is not overwritten. "
            "Name another file, or remove it.\n"
        )
        assert table.read_text() == "path,label\n"
        (tmp_path / "m.parquet").touch()
        assert pulmo("data", "import", "folder", folder, "-o", tmp_path / "m.parquet")[0] == 0
        assert len(read_manifest(tmp_path / "m.parquet")) == 8

    def test_an_import_that_is_killed_goes_on_where_it_was(
        self, phantoms: Path, tmp_path: Path, pulmo: Call, unmeasured: dict[str, str]
    ) -> None:
        """Killed while it waits for its 41st file, a pipe in which nothing comes."""
        script = (
            "import os, signal, sys\n"
            "from pulmo.datasets import importing, reading\n"
            "importing._CHUNK = 10\n"
            "whole = reading.read_bytes\n"
            "def read(path):\n"
            "    if '00040' in path.name: os.kill(os.getpid(), signal.SIGKILL)\n"
            "    return whole(path)\n"
            "reading.read_bytes = read\n"
            "from pulmo.cli import main\n"
            "main()\n"
        )
        output = tmp_path / "m.parquet"
        words = ["data", "import", "csv", str(phantoms), "-o", str(output)]
        killed = subprocess.run(
            [sys.executable, "-c", script, *words], env=unmeasured, check=False, capture_output=True
        )
        assert killed.returncode == -signal.SIGKILL
        assert not output.exists()
        assert (tmp_path / "m.parquet.journal").is_dir()
        status, _, err = pulmo(*words)
        assert status == 0
        kept = int(err.split(" files have not changed")[0])
        assert kept in {10, 20, 30, 40}
        assert [path.name for path in tmp_path.iterdir()] == ["m.parquet"]

    def test_fresh_forgets_the_journal(
        self, pulmo: Call, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        words = (
            "data",
            "import",
            "folder",
            folder,
            "-o",
            tmp_path / "m.parquet",
            "--source",
            "north",
        )

        def full(*_: object) -> None:
            raise InputError("file-not-written", "The disk is full.")

        with monkeypatch.context() as patch:
            patch.setattr("pulmo.datasets.manifest.write_parquet", full)
            assert pulmo(*words)[0] == 3
        assert (tmp_path / "m.parquet.journal").is_dir()
        assert pulmo(*words, "--fresh")[::2] == (0, "")
        assert not (tmp_path / "m.parquet.journal").exists()


class TestMerge:
    """Manifests that contradict each other."""

    def test_contradictions_are_refused_or_left_out(
        self, pulmo: Call, images: pd.DataFrame, tmp_path: Path
    ) -> None:
        copy = images.head(2).assign(path=["/copy/0", "/copy/1"], source="copy")
        copy["label"] = [images["label"][0], "other"]
        for name, table in (("a", images), ("b", copy)):
            Manifest(table).save(tmp_path / f"{name}.parquet")
        words = ("data", "merge", tmp_path / "a.parquet", tmp_path / "b.parquet")
        output = tmp_path / "m.parquet"
        status, out, err = pulmo(*words, "-o", output)
        assert (status, out) == (3, "")
        assert err.endswith(" with --drop-contradictions.\n")
        assert not output.exists()
        status, out, err = pulmo(*words, "-o", output, "--drop-contradictions")
        assert status == 4
        assert out.startswith(f"{output}: 64 images in ")
        assert err.endswith("pulmo: 2 contradict each other; the rest is in the manifest.\n")
        assert problems(tmp_path / "m.problems.csv")["path"].tolist() == [
            images["path"][1],
            "/copy/1",
        ]
        assert len(read_manifest(output)) == 64
        alone = ("data", "merge", tmp_path / "a.parquet", "-o", output, "--drop-contradictions")
        assert pulmo(*alone)[::2] == (0, "")
        assert not (tmp_path / "m.problems.csv").exists()


def test_notes_of_the_reader_are_counted_and_kept(
    pulmo: Call, folder: Path, tmp_path: Path
) -> None:
    output = tmp_path / "m.parquet"
    grey = np.random.default_rng(0).integers(0, 200, (32, 32, 1), dtype=np.uint8)
    for name in ("a", "b"):
        grey = 250 - grey
        Image.fromarray(grey + np.array([0, 0, 1], np.uint8)).save(folder / "covid" / f"{name}.png")
    words = ("data", "import", "folder", folder, "-o", output, "--name", "mine")
    status, _, err = pulmo(*words)
    assert status == 0
    assert f"notes: 2 of 10 images: {KINDS['colour']}\n" in err
    table = read_manifest(output)
    noted = table.frame[table.frame["notes"].notna()]
    assert {Path(path).name for path in noted["path"]} == {"a.png", "b.png"}
    assert set(noted["notes"]) == {"colour"}
    for verb in ("split", "curate"):
        changed = tmp_path / f"{verb}.parquet"
        pulmo("data", verb, output, "-o", changed)
        kept = read_manifest(changed).frame.set_index("path")["notes"]
        assert kept.equals(table.frame.set_index("path")["notes"].reindex(kept.index)), verb
    pulmo("data", "inspect", output, "-o", tmp_path / "seen", "--samples", "0")
    counts = json.loads((tmp_path / "seen" / "inspection.json").read_text())["notes"]["colour"]
    assert (counts["n"], counts["classes"], counts["sources"]) == (
        2, {"covid": 2, "normal": 0}, {"mine": 2},
    )  # fmt: skip
    assert KINDS["colour"] in (tmp_path / "seen" / "inspection.html").read_text()


def test_a_manifest_from_before_notes_says_that_they_are_unknown(
    pulmo: Call, folder: Path, tmp_path: Path
) -> None:
    output = tmp_path / "m.parquet"
    pulmo("data", "import", "folder", folder, "-o", output)
    pd.read_parquet(output).drop(columns="notes").to_parquet(output)
    assert set(read_manifest(output).frame["notes"]) == {"unknown"}
    status, _, err = pulmo("data", "inspect", output, "-o", tmp_path / "seen", "--samples", "0")
    assert status == 0
    assert "notes: 8 of 8 images: the notes are not known" in err
