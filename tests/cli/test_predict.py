import json
import os
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image

import pulmo as pulmo_api
from pulmo.bundle.predictor import Predictor
from pulmo.core.files import sha256
from pulmo.core.folders import RunFolder
from pulmo.radiograph import read_radiograph

Call = Callable[..., tuple[int, str, str]]

KEYS = {
    "file", "sha256", "status", "reason", "probabilities", "decision", "positive", "threshold",
    "model", "band", "positive_classes", "positive_probability", "prediction_set", "notes",
    "note_kinds", "heatmap", "code", "detections",
}  # fmt: skip


def noise(shape: tuple[int, ...]) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8))


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def make_missing(path: Path, _: Path) -> None:
    assert not path.exists()


def make_empty(path: Path, _: Path) -> None:
    path.touch()


def make_text(path: Path, _: Path) -> None:
    path.write_text("hello")


def make_truncated(path: Path, image: Path) -> None:
    data = image.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def make_huge(path: Path, _: Path) -> None:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 100_000, 100_000, 8, 0, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"") + chunk(b"IEND", b""))


def make_colour(path: Path, _: Path) -> None:
    noise((64, 64, 3)).save(path, "PNG")


def make_gif(path: Path, _: Path) -> None:
    noise((64, 64)).save(path, "GIF", save_all=True, append_images=[Image.new("L", (64, 64))])


def make_apng(path: Path, _: Path) -> None:
    noise((64, 64)).save(path, "PNG", save_all=True, append_images=[Image.new("L", (64, 64))])


def make_pages(path: Path, _: Path) -> None:
    noise((64, 64)).save(path, "TIFF", save_all=True, append_images=[Image.new("L", (64, 64))])


def make_dicom_without_pixels(path: Path, image: Path) -> None:
    dataset = pydicom.dcmread(min(image.parent.glob("*.dcm")))
    del dataset.PixelData
    dataset.save_as(path)


def make_dicom_of_a_hand(path: Path, image: Path) -> None:
    dataset = pydicom.dcmread(min(image.parent.glob("*.dcm")))
    dataset.BodyPartExamined = "HAND"
    dataset.save_as(path)


MATRIX = [
    (make_missing, "failed", "x.png does not exist"),
    (make_empty, "failed", "x.png is empty"),
    (make_text, "failed", "its content is of another kind"),
    (make_truncated, "failed", "truncated"),
    (make_huge, "refused", "more pixels than are read"),
    (make_colour, "refused", "is a colour image"),
    (make_gif, "failed", "is a GIF image"),
    (make_apng, "refused", "contains several images"),
    (make_pages, "refused", "contains several images"),
    (make_dicom_without_pixels, "failed", "without Pixel Data"),
    (make_dicom_of_a_hand, "refused", "another part of the body: hand"),
]


@pytest.mark.parametrize(("make", "kind", "reason"), MATRIX)
def test_a_bad_file_is_named_with_its_reason(
    pulmo: Call,
    bundle: Path,
    image: Path,
    tmp_path: Path,
    make: Callable[[Path, Path], None],
    kind: str,
    reason: str,
) -> None:
    path = tmp_path / "x.png"
    make(path, image)
    status, out, err = pulmo("predict", "--model", bundle, path)
    first, last = err.splitlines()
    assert (status, out) == (3, "")
    assert first.startswith(f"{kind}: {path} ")
    assert reason in first
    assert last == "pulmo: There is no result: the file could not be used."


def test_json_of_good_and_bad_files_is_one_list_with_the_documented_keys(
    pulmo: Call, bundle: Path, image: Path, tmp_path: Path
) -> None:
    make_text(tmp_path / "text.png", image)
    make_colour(tmp_path / "colour.png", image)
    files = [tmp_path / "text.png", image, tmp_path / "colour.png"]
    status, out, err = pulmo("predict", "--json", "--model", bundle, *files)
    results = json.loads(out)
    assert status == 4
    assert err.endswith("pulmo: 2 of 3 files could not be used.\n")
    assert all(result.keys() == KEYS for result in results)
    assert [result["file"] for result in results] == [str(file) for file in files]
    assert [result["status"] for result in results] == ["failed", "done", "refused"]
    predictor = Predictor.open(bundle)
    outcome, card = predictor.predict(read_radiograph(image)), predictor.card
    assert results[1] == {
        "file": str(image),
        "sha256": sha256(image.read_bytes()),
        "status": "done",
        "reason": None,
        "code": None,
        "notes": [note.text for note in outcome.notes],
        "note_kinds": ["drawings", "seen"],
        "heatmap": None,
        "detections": None,
        "probabilities": outcome.probabilities,
        "decision": outcome.decision,
        "positive": outcome.positive,
        "band": outcome.band,
        "prediction_set": list(outcome.prediction_set or ()),
        "positive_classes": list(card.decision.positive),
        "positive_probability": outcome.positive_probability,
        "threshold": card.decision.threshold,
        "model": {
            "name": card.name,
            "version": card.created,
            "sha256": predictor.sha256,
            "weights_sha256": card.network.sha256,
        },
    }
    assert results[1]["band"] in {"negative", "uncertain", "positive"}
    nothing = dict.fromkeys(
        ("sha256", "probabilities", "decision", "positive", "positive_probability", "band",
         "prediction_set")
    )  # fmt: skip
    for bad in (results[0], results[2]):
        assert nothing.items() <= bad.items()
        assert bad["reason"].startswith(bad["file"])
        assert bad["model"] == results[1]["model"]


def test_all_bad_files_give_json_and_status_3(pulmo: Call, bundle: Path, tmp_path: Path) -> None:
    status, out, err = pulmo(
        "predict", "--json", "--model", bundle, tmp_path / "a.png", tmp_path / "b.png"
    )
    assert status == 3
    assert [result["status"] for result in json.loads(out)] == ["failed", "failed"]
    assert err == "pulmo: There is no result: none of the 2 files could be used.\n"


def test_people_get_a_line_each_and_how_to_read_it(
    pulmo: Call, bundle: Path, image: Path, tmp_path: Path
) -> None:
    path = tmp_path / "an image.png"  # the image has another suffix: its content decides
    shutil.copy(min(image.parent.glob("*.jpg")), path)
    status, out, err = pulmo("predict", "--model", bundle, path, image)
    predictor = Predictor.open(bundle)
    outcome = predictor.predict(read_radiograph(path))
    covid = outcome.probabilities["covid"]
    sign = "positive" if outcome.positive else "negative"
    seen = any(note.kind == "seen" for note in outcome.notes)
    marks = f"(trained on drawings{', seen in training' if seen else ''})"
    assert status == 0
    assert out.splitlines()[0].split() == [
        *str(path).split(), outcome.decision, f"{outcome.probabilities[outcome.decision]:.3f}",
        "covid", f"{covid:.3f}", sign, *marks.split(),
    ]  # fmt: skip
    assert len({line.index(" covid 0.", 40) for line in out.splitlines()}) == 1
    assert "\npositive: probability of covid at least " in f"\n{err}"
    assert "For research, not diagnosis.\n" in err
    # Each line says so already.
    assert "drawings" not in err


def test_a_name_that_is_not_utf8_is_shown(
    pulmo: Call, bundle: Path, image: Path, tmp_path: Path
) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.png"))
    shutil.copy(image, path)
    status, out, _ = pulmo("predict", "--model", bundle, path)
    assert status == 0
    assert "/\\udcff.png" in out
    status, out, _ = pulmo("predict", "--model", bundle, path, "--json")
    assert status == 0
    assert json.loads(out)[0]["file"] == str(path)


class TestModel:
    """Which model is opened, and which is not."""

    @pytest.mark.usefixtures("unshipped")
    def test_none_named(self, pulmo: Call, image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("PULMO_MODEL", raising=False)
        status, out, err = pulmo("predict", image)
        assert (status, out) == (2, "")
        assert "add --model BUNDLE, or set PULMO_MODEL" in err

    def test_named_by_the_environment(
        self, pulmo: Call, bundle: Path, image: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PULMO_MODEL", str(bundle))
        assert pulmo("predict", image)[0] == 0

    def test_the_network_alone(self, pulmo: Call, bundle: Path, image: Path) -> None:
        assert (
            pulmo("predict", image, "--model", bundle / "model.onnx")[1].split("(")[0]
            == pulmo("predict", image, "--model", bundle)[1].split("(")[0]
        )

    @pytest.mark.parametrize("name", ["model.onnx", "MODEL_CARD.md"])
    def test_a_file_changed_after_the_export(
        self, pulmo: Call, bundle: Path, image: Path, tmp_path: Path, name: str
    ) -> None:
        copy = Path(shutil.copytree(bundle, tmp_path / "bundle"))
        (copy / name).write_bytes((copy / name).read_bytes() + b"\n")
        status, out, err = pulmo("predict", image, "--model", copy)
        assert (status, out) == (3, "")
        assert f"{copy / name} was changed after the export" in err

    @pytest.mark.parametrize(
        ("name", "reason"),
        [("model.onnx", "does not exist"), ("card.json", "is not a bundle: it has no card.json")],
    )
    def test_a_file_missing(
        self, pulmo: Call, bundle: Path, image: Path, tmp_path: Path, name: str, reason: str
    ) -> None:
        copy = Path(shutil.copytree(bundle, tmp_path / "bundle"))
        (copy / name).unlink()
        status, out, err = pulmo("predict", image, "--model", copy)
        assert (status, out) == (3, "")
        assert reason in err

    def test_a_run_is_to_be_exported(self, pulmo: Call, run: RunFolder, image: Path) -> None:
        status, out, err = pulmo("predict", image, "--model", run.root)
        assert (status, out) == (3, "")
        assert "not a bundle. Export it first with: pulmo export RUN -o BUNDLE." in err

    def test_something_else(self, pulmo: Call, image: Path, tmp_path: Path) -> None:
        status, _, err = pulmo("predict", image, "--model", image)
        assert status == 3
        assert "is not a usable ONNX network" in err
        assert err.count("\n") == 1
        status, _, err = pulmo("predict", image, "--model", tmp_path / "none")
        assert (status, err) == (3, f"pulmo: {tmp_path / 'none'} does not exist.\n")


class TestHeatMaps:
    """Where heat maps go."""

    def test_each_is_named_after_its_image_and_class(
        self, pulmo: Call, bundle: Path, image: Path, tmp_path: Path
    ) -> None:
        status, out, _ = pulmo("predict", "--model", bundle, image, "--heatmap", tmp_path / "maps")
        (path,) = (tmp_path / "maps").iterdir()
        assert status == 0
        assert path.name.split(".")[0] == image.stem
        assert path.name.split(".")[1] in out
        with Image.open(path) as opened:
            assert opened.format == "PNG"

    def test_its_detections_are_in_json_with_their_scores(
        self, pulmo: Call, bundle: Path, image: Path, tmp_path: Path
    ) -> None:
        call = ("predict", "--model", bundle, image, "--json")
        (alone,) = json.loads(pulmo(*call)[1])
        assert alone["detections"] is None
        (result,) = json.loads(pulmo(*call, "--heatmap", tmp_path / "maps")[1])
        rules = Predictor.open(bundle).card.activation.detections
        for found in result["detections"]:
            assert found["score"] >= rules[result["decision"]].least
            assert 0 <= found["left"] < found["left"] + found["width"] <= 1
            assert 0 <= found["top"] < found["top"] + found["height"] <= 1
        drawn = pulmo_api.load(bundle).predict(image).heatmap()
        assert [each._asdict() for each in drawn.detections] == result["detections"]

    def test_images_of_the_same_name_do_not_share_one(
        self, pulmo: Call, bundle: Path, image: Path, tmp_path: Path
    ) -> None:
        images = sorted(image.parent.iterdir())[:2]
        twins = [tmp_path / "a" / "x.png", tmp_path / "b" / "X.dcm"]
        for source, twin in zip(images, twins, strict=True):
            twin.parent.mkdir()
            shutil.copy(source, twin)
        maps = tmp_path / "maps"
        status, _, _ = pulmo("predict", "--model", bundle, *twins, image, image, "--heatmap", maps)
        digests = [sha256(twin.read_bytes())[:8] for twin in twins]
        names = sorted(path.name.rsplit(".", 2)[0] for path in maps.iterdir())
        assert status == 0
        assert names == sorted([f"x.{digests[0]}", f"X.{digests[1]}", image.stem])

    def test_an_image_is_never_overwritten(
        self, pulmo: Call, bundle: Path, image: Path, tmp_path: Path
    ) -> None:
        decided = Predictor.open(bundle).predict(read_radiograph(image)).decision
        images = [tmp_path / "x.png", tmp_path / f"x.{decided}.png"]
        for path in images:
            shutil.copy(image, path)
        before = [path.read_bytes() for path in images]
        status, out, err = pulmo("predict", "--model", bundle, *images, "--heatmap", tmp_path)
        assert status == 4
        assert len(out.splitlines()) == 1
        assert f"would overwrite the image {images[1]}; choose another folder" in err
        assert [path.read_bytes() for path in images] == before

    def test_a_place_that_cannot_be_written_is_refused_before_any_work(
        self, pulmo: Call, bundle: Path, image: Path
    ) -> None:
        status, out, err = pulmo("predict", "--model", bundle, image, "--heatmap", image)
        assert (status, out) == (3, "")
        assert err == f"pulmo: {image} is a file; a folder was expected.\n"
        status, out, err = pulmo("predict", "--model", bundle, image, "--heatmap", image / "maps")
        assert (status, out) == (3, "")
        assert "cannot be written to: Not a directory" in err


class TestDicomResults:
    """Where the DICOM objects of results go."""

    def test_they_are_named_and_listed(
        self, pulmo: Call, bundle: Path, phantoms: Path, image: Path, tmp_path: Path
    ) -> None:
        radiograph = min((phantoms.parent / "images").glob("*.dcm"))
        call = ("predict", "--model", bundle, radiograph, "--dicom-results", tmp_path / "made")
        status, out, err = pulmo(*call)
        assert status == 0
        written = sorted((tmp_path / "made").iterdir())
        kinds = [path.name.removeprefix(f"{radiograph.stem}.").split(".")[1] for path in written]
        assert kinds == ["gsps", "sc", "sr"]
        for path in written:
            assert f"DICOM result: {path}\n" in err
            given = pydicom.dcmread(radiograph, stop_before_pixels=True)
            assert pydicom.dcmread(path).StudyInstanceUID == given.StudyInstanceUID
        (result,) = json.loads(pulmo(*call, "--json")[1])
        assert sorted(map(Path, result["dicom_results"])) == written
        assert result["probabilities"][out.split()[1]] == max(result["probabilities"].values())
        status, out, err = pulmo(*call, image, "--jsonl")
        assert status == 4
        first, second = map(json.loads, out.splitlines())
        assert (first["status"], second["code"]) == ("done", "dicom-expected")
        assert "dicom_results" not in second
