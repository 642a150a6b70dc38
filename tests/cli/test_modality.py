"""CT slices go the same way as images, and do not mix with them."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pydicom
import pytest

from pulmo.core.files import sha256
from pulmo.datasets.manifest import Manifest

Call = Callable[..., tuple[int, str, str]]
QUICK = ["--set", "image.size=32", "--set", "train.epochs=1", "--device", "cpu", "--threads", "1"]


@pytest.fixture
def slices(images: pd.DataFrame, tmp_path: Path) -> pd.DataFrame:
    """The images as if they were CT slices; those that are DICOM say so themselves."""
    for row, path in images["path"].items():
        if path.endswith(".dcm"):
            dataset = pydicom.dcmread(path)
            dataset.Modality = "CT"
            changed = tmp_path / Path(path).name
            dataset.save_as(changed)
            images.loc[row, ["path", "sha256"]] = [str(changed), sha256(changed.read_bytes())]
    return images.assign(modality="CT", view="axial")


def of_kind(table: pd.DataFrame, suffix: str) -> str:
    return next(str(path) for path in table["path"] if path.endswith(suffix))


def test_slices_alone_from_training_to_prediction(
    pulmo: Call, slices: pd.DataFrame, image: Path, phantoms: Path, tmp_path: Path
) -> None:
    manifest, run, bundle = tmp_path / "m.parquet", tmp_path / "run", tmp_path / "bundle"
    Manifest(slices).save(manifest)
    assert pulmo("train", "demo", "--data", manifest, "-o", run, *QUICK)[0] == 0
    assert pulmo("export", run, "-o", bundle)[0] == 0
    card = json.loads((bundle / "card.json").read_text())
    assert card["training"]["modalities"] == ["CT"]
    assert "Modality: CT" in (bundle / "MODEL_CARD.md").read_text()
    words = ["--data", manifest, "--split", "test", "-o", tmp_path / "e"]
    assert pulmo("evaluate", bundle, *words)[0] == 0
    image_dicom = next(iter(sorted((phantoms.parent / "images").glob("*.dcm"))))
    status, out, _ = pulmo(
        "predict", of_kind(slices, ".dcm"), image, image_dicom, "--model", bundle, "--json"
    )
    assert status == 4
    ours, unstated, foreign = json.loads(out)
    assert (ours["status"], unstated["status"]) == ("done", "done")
    assert (foreign["status"], foreign["probabilities"]) == ("refused", None)
    assert foreign["reason"] == (
        f"{image_dicom} has the modality X-ray, but demo was trained on CT only."
    )
    status, _, err = pulmo("explain", bundle, image_dicom, "-o", tmp_path / "maps")
    assert status == 3
    assert f"{image_dicom} has the modality X-ray" in err


def test_training_on_both_is_refused_unless_it_is_said(
    pulmo: Call, slices: pd.DataFrame, tmp_path: Path
) -> None:
    slices["modality"] = slices["modality"].where(slices.index % 2 == 0, "X-ray")
    manifest, run = tmp_path / "m.parquet", tmp_path / "run"
    Manifest(slices).save(manifest)
    status, out, err = pulmo("train", "demo", "--data", manifest, "-o", run, *QUICK)
    assert (status, out) == (5, "")
    assert "The images to train on are of several modalities: " in err
    setting = """data.modalities=["CT", "X-ray"]"""
    assert f"mix them on purpose with {setting}." in err
    assert not run.exists()
    assert pulmo("train", "demo", "--data", manifest, "-o", run, *QUICK, "--set", setting)[0] == 0
    card = json.loads((run / "card.json").read_text())
    assert card["training"]["modalities"] == ["CT", "X-ray"]


class TestEvaluate:
    """A manifest with images of another modality than the model's, which is X-ray."""

    @pytest.mark.parametrize("n", [3, 64])
    def test_it_is_refused(
        self, pulmo: Call, bundle: Path, slices: pd.DataFrame, tmp_path: Path, n: int
    ) -> None:
        slices["modality"] = slices["modality"].where(slices.index < n, "DX")
        manifest = tmp_path / "m.parquet"
        Manifest(slices).save(manifest)
        words = ["--data", manifest, "-o", tmp_path / "e"]
        status, out, err = pulmo("evaluate", bundle, *words)
        assert (status, out) == (5, "")
        assert "demo was trained on X-ray only, and the chosen images " in err
        assert f"are {n} CT" in err
        assert err.endswith(
            "Choose the modality X-ray.\n" if n < 64 else "The model cannot be used for these.\n"
        )
        assert not (tmp_path / "e").exists()

    def test_the_others_are_evaluated(
        self, pulmo: Call, bundle: Path, images: pd.DataFrame, tmp_path: Path
    ) -> None:
        images["modality"] = ["CT", "CR", "DX", "X-ray"] * 16
        manifest = tmp_path / "m.parquet"
        Manifest(images).save(manifest)
        words = ["--data", manifest, "-o", tmp_path / "e", "--modality", "X-ray"]
        copy = shutil.copytree(bundle, tmp_path / "bundle")
        assert pulmo("evaluate", copy, *words)[0] == 0
        evaluation = json.loads((tmp_path / "e" / "evaluation.json").read_text())
        # The training and the validation are excluded.
        tested = (images["modality"] != "CT") & (images["split"] == "test")
        assert evaluation["data"]["n"] == tested.sum()

    def test_a_file_that_says_otherwise_than_its_manifest_fails(
        self, pulmo: Call, bundle: Path, slices: pd.DataFrame, tmp_path: Path
    ) -> None:
        slices["modality"] = "X-ray"
        manifest = tmp_path / "m.parquet"
        Manifest(slices[slices["split"] == "test"]).save(manifest)
        copy = shutil.copytree(bundle, tmp_path / "bundle")
        status, _, err = pulmo("evaluate", copy, "--data", manifest, "-o", tmp_path / "e")
        assert status == 4
        assert ".dcm has the modality CT, but demo was trained on X-ray only.\n" in err
