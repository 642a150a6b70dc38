"""`pulmo predict` and `explain` on folders, on names from stdin, and in forms for programs."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pulmo.core.files import sha256
from pulmo.core.tables import read_parquet
from pulmo.datasets.manifest import Manifest, read_manifest
from pulmo.radiograph import KINDS

Call = Callable[..., tuple[int, str, str]]

HEAVY = ("torch", "timm", "pandas", "scipy", "sklearn", "onnxruntime", "matplotlib")


@pytest.fixture
def folder(image: Path, tmp_path: Path) -> Path:
    """Three images in two folders, a text, an index of a medium, a hidden image and a link."""
    root = tmp_path / "images"
    (root / "b").mkdir(parents=True)
    images = [*sorted(image.parent.glob("*.png"))[:2], min(image.parent.glob("*.dcm"))]
    for source, name in zip(images, ("c.png", "a.png", "b/no-suffix"), strict=True):
        shutil.copy(source, root / name)
    shutil.copy(image, root / ".hidden.png")
    (root / "b" / "notes.txt").write_text("hello")
    shutil.copy(images[2], root / "b" / "DICOMDIR")
    (root / "link.png").symlink_to(image)
    return root


def give(monkeypatch: pytest.MonkeyPatch, text: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))


class TestFolders:
    """A folder among the files."""

    def test_is_walked_in_path_order(self, pulmo: Call, bundle: Path, folder: Path) -> None:
        status, out, err = pulmo("predict", folder, "--model", bundle, "--jsonl")
        results = [json.loads(line) for line in out.splitlines()]
        assert status == 0
        assert [result["file"] for result in results] == [
            str(folder / name) for name in ("a.png", "b/no-suffix", "c.png")
        ]
        assert {result["status"] for result in results} == {"done"}
        left_out = f"{folder}/b/DICOMDIR, {folder}/b/notes.txt"
        assert f"left out: 2 (it is not an image that pulmo reads): {left_out}" in err
        assert f"left out: 1 (it is a link, and links are not followed): {folder}/link.png" in err

    def test_a_damaged_image_is_an_error_and_not_left_out(
        self, pulmo: Call, bundle: Path, folder: Path
    ) -> None:
        whole = (folder / "a.png").read_bytes()
        (folder / "a.png").write_bytes(whole[: len(whole) // 2])
        (folder / "b" / "text.jpg").write_text("hello")
        status, out, err = pulmo("predict", folder, "--model", bundle, "--json")
        assert status == 4
        assert [result["status"] for result in json.loads(out)] == [
            "failed",
            "done",
            "failed",
            "done",
        ]
        assert err.endswith("pulmo: 2 of 4 files could not be used.\n")

    def test_one_without_an_image_has_no_result(
        self, pulmo: Call, bundle: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "notes.txt").touch()
        status, out, err = pulmo("predict", tmp_path / "a", "--model", bundle)
        assert (status, out) == (3, "")
        assert "left out: 1 (it is not an image that pulmo reads)" in err
        assert err.endswith("pulmo: There is no result: no image was found.\n")

    def test_heat_maps_are_distinguished_and_are_no_images(
        self, pulmo: Call, bundle: Path, folder: Path
    ) -> None:
        maps = folder / "maps"
        for _ in range(2):
            status, out, _ = pulmo("explain", bundle, folder, "-o", maps, "--label", "viral")
            names = [Path(line).name for line in out.splitlines()]
            digests = [sha256((folder / name).read_bytes())[:8] for name in ("a.png", "c.png")]
            assert status == 0
            assert names[::2] == [f"a.{digests[0]}.viral.png", f"c.{digests[1]}.viral.png"]
            assert sorted(names) == sorted(path.name for path in maps.glob("*.png"))

    def test_heat_maps_do_not_lie_among_its_images(
        self, pulmo: Call, bundle: Path, folder: Path
    ) -> None:
        before = sorted(folder.rglob("*"))
        status, out, err = pulmo("predict", folder, "--model", bundle, "--heatmap", folder)
        assert (status, out) == (2, "")
        assert "choose another folder" in err
        assert sorted(folder.rglob("*")) == before


class TestNames:
    """Names from stdin."""

    def test_are_lines_and_mix_with_files(
        self, pulmo: Call, bundle: Path, folder: Path, image: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        text = f"{folder}/c.png\r\n\n{folder}/gone.png\n{folder / 'b'}".encode()
        give(monkeypatch, text)
        status, out, _ = pulmo("predict", image, "-", "--model", bundle, "--jsonl")
        results = [json.loads(line) for line in out.splitlines()]
        assert status == 4
        assert [(result["file"], result["status"]) for result in results] == [
            (str(image), "done"),
            (f"{folder}/c.png", "done"),
            (f"{folder}/gone.png", "failed"),
            (f"{folder}/b/no-suffix", "done"),
        ]

    def test_that_are_none_are_reported(
        self, pulmo: Call, bundle: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        give(monkeypatch, b"a\0b.png\n" + b"x" * 5000 + b"\n\xff.png\n")
        status, out, _ = pulmo("predict", "-", "--model", bundle, "--jsonl")
        results = [json.loads(line) for line in out.splitlines()]
        assert status == 3
        assert [result["status"] for result in results] == ["failed"] * 3
        assert results[2]["file"] == os.fsdecode(b"\xff.png")
        give(monkeypatch, b"")
        status, out, err = pulmo("predict", "-", "--model", bundle, "--json")
        assert (status, json.loads(out)) == (3, [])
        assert "no image was found" in err

    def test_whoever_gives_a_name_and_waits_gets_its_result(
        self, bundle: Path, image: Path, unmeasured: dict[str, str]
    ) -> None:
        words = [sys.executable, "-m", "pulmo", "predict", "-", "--jsonl", "--model", str(bundle)]
        with subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=unmeasured
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            for name in (str(image), "gone.png"):
                process.stdin.write(f"{name}\n")
                process.stdin.flush()
                assert json.loads(process.stdout.readline())["file"] == name
            process.stdin.close()
            assert process.stdout.read() == ""
        assert process.returncode == 4


class TestForms:
    """Results for programs."""

    def test_a_table_has_a_header_and_a_row_each(
        self, pulmo: Call, bundle: Path, image: Path, tmp_path: Path
    ) -> None:
        bad = tmp_path / "a, b.png"
        bad.write_text("hello")
        status, out, _ = pulmo("predict", image, bad, "--model", bundle, "--csv")
        good, failed = csv.DictReader(io.StringIO(out))
        (known, _) = json.loads(pulmo("predict", image, bad, "--model", bundle, "--json")[1])
        assert status == 4
        probabilities = {f"p_{label}": str(p) for label, p in known["probabilities"].items()}
        assert probabilities.items() <= good.items()
        assert good["notes"] == " ".join(known["notes"])
        assert good["note_kinds"] == ";".join(known["note_kinds"])
        assert good["positive"] == str(known["positive"]).lower()
        assert good["model_sha256"] == known["model"]["sha256"]
        assert (failed["file"], failed["status"], failed["p_covid"]) == (str(bad), "failed", "")

    @pytest.mark.parametrize("form", ["json", "jsonl", "csv"])
    def test_a_file_gets_what_is_printed(
        self, pulmo: Call, bundle: Path, image: Path, tmp_path: Path, form: str
    ) -> None:
        output = tmp_path / f"results.{form}"
        status, printed, _ = pulmo("predict", image, "--model", bundle, f"--{form}")
        assert status == 0
        status, out, err = pulmo("predict", image, "--model", bundle, "-o", output)
        assert (status, out, output.read_text()) == (0, "", printed)
        assert str(output) in err

    @pytest.mark.parametrize(
        "words", [("--csv", "--json"), ("-o", "image.png"), ("--csv", "-o", "x.json")]
    )
    def test_one_form_and_a_file_of_that_form(
        self, pulmo: Call, bundle: Path, image: Path, words: tuple[str, ...]
    ) -> None:
        assert pulmo("predict", image, "--model", bundle, *words)[:2] == (2, "")

    def test_the_path_of_a_map_is_reported(
        self, pulmo: Call, bundle: Path, image: Path, tmp_path: Path
    ) -> None:
        maps = tmp_path / "maps"
        words = ("predict", image, "--model", bundle, "--heatmap", maps)
        _, out, _ = pulmo(*words, "--json")
        (path,) = maps.iterdir()
        assert json.loads(out)[0]["heatmap"] == str(path)
        assert f"heat map: {path}\n" in pulmo(*words)[2]


class TestNotes:
    """What a user must know of an image reaches each output."""

    @pytest.fixture
    def coloured(self, image: Path, tmp_path: Path) -> list[Path]:
        """Five images that were saved with a trace of colour."""
        paths = [tmp_path / f"{number}.png" for number in range(5)]
        with Image.open(image) as opened:
            grey = np.asarray(opened, np.uint8) // 2
        for number, path in enumerate(paths):
            Image.fromarray(np.stack([grey, grey, grey + np.uint8(1)], -1) + np.uint8(number)).save(
                path
            )
        return paths

    def test_few_are_named_and_many_are_counted(
        self, pulmo: Call, bundle: Path, coloured: list[Path]
    ) -> None:
        _, _, err = pulmo("predict", *coloured, "--model", bundle)
        named = [line for line in err.splitlines() if line.startswith("note: /")]
        assert [line.split(": ")[1] for line in named] == [str(path) for path in coloured[:3]]
        assert f"notes: 5 of 5 images: {KINDS['colour']}\n" in err
        _, _, err = pulmo("predict", *coloured[:2], "--model", bundle)
        assert "notes: " not in err

    def test_each_result_has_its_own(
        self, pulmo: Call, bundle: Path, image: Path, coloured: list[Path]
    ) -> None:
        _, out, _ = pulmo("predict", image, coloured[0], "--model", bundle, "--json")
        plain, noted = (result["note_kinds"] for result in json.loads(out))
        assert (plain, noted) == (["drawings", "seen"], ["colour", "drawings"])

    def test_an_evaluation_counts_them(
        self, pulmo: Call, bundle: Path, manifest: Path, coloured: list[Path], tmp_path: Path
    ) -> None:
        words = ("--data", manifest, "--split", "test", "-o", tmp_path / "e")
        table = read_manifest(manifest).frame
        first = Path(table["path"][table["split"] == "test"].iloc[0])
        table.loc[table["path"] == str(first), ["path", "sha256"]] = [
            str(coloured[0]), sha256(coloured[0].read_bytes()),
        ]  # fmt: skip
        Manifest(table).save(manifest)
        status, out, err = pulmo("evaluate", "--model", bundle, *words)
        data = json.loads((tmp_path / "e" / "evaluation.json").read_text())["data"]
        assert status == 0
        assert data["image_notes"] == {"drawings": data["n"], "colour": 1}
        assert f"notes: 1 of {data['n']} images: {KINDS['colour']}\n" in err
        assert "warning: The model was trained on drawings" in out
        predictions = read_parquet(tmp_path / "e" / "predictions.parquet")
        assert predictions["notes"].value_counts().to_dict() == {
            "drawings": data["n"] - 1, "colour;drawings": 1,
        }  # fmt: skip
        assert KINDS["colour"] in (tmp_path / "e" / "report.html").read_text()


class TestModel:
    """The bundle is named by an option or is the first word."""

    @pytest.mark.parametrize("verb", ["predict", "explain"])
    def test_both_forms_are_one(
        self, pulmo: Call, bundle: Path, image: Path, tmp_path: Path, verb: str
    ) -> None:
        more = () if verb == "predict" else ("-o", tmp_path)
        first = pulmo(verb, bundle, image, *more)
        assert first[0] == 0
        assert pulmo(verb, image, "--model", bundle, *more) == first
        assert pulmo(verb, bundle / "model.onnx", image, *more)[0] == 0

    @pytest.mark.usefixtures("unshipped")
    @pytest.mark.parametrize("verb", ["predict", "explain", "evaluate", "audit"])
    def test_two_are_refused_and_none_is_named(
        self, pulmo: Call, bundle: Path, image: Path, tmp_path: Path, verb: str
    ) -> None:
        more = () if verb == "predict" else ("-o", tmp_path)
        status, out, err = pulmo(verb, bundle, "--model", bundle, *more)
        assert (status, out) == (2, "")
        assert "Two models are named" in err
        words = (image,) if verb in {"predict", "explain"} else ()
        status, out, err = pulmo(verb, *words, *more)
        assert (status, out) == (2, "")
        assert "No model was named" in err

    def test_a_bundle_alone_is_no_image(self, pulmo: Call, bundle: Path) -> None:
        status, out, err = pulmo("predict", bundle)
        assert (status, out) == (2, "")
        assert "No image was named" in err


def test_a_usage_error_waits_for_nothing_heavy(tmp_path: Path) -> None:
    """In a process of its own, because this one has imported everything."""
    calls = [
        ["predict", "image.png"],
        ["predict", "--csv", "--json", "image.png"],
        ["explain", "image.png", "-o", "maps"],
        ["evaluate", "-o", "x"],
        ["evaluate", ".", "-o", "x"],
        ["audit", "-o", "x"],
    ]
    program = (
        "import sys\nfrom pulmo.core.errors import PulmoError\nfrom pulmo.cli.app import app\n"
        f"for words in {calls}:\n"
        "    try:\n        app(words, standalone_mode=False)\n"
        "    except PulmoError:\n        pass\n"
        "    else:\n        sys.exit(f'{words} was no error')\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    environment = {name: value for name, value in os.environ.items() if name != "PULMO_MODEL"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr
