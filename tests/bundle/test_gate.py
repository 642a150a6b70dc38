"""The gate that knows slices of CT by their looks."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from PIL import Image

from fixtures.refuses import refuses
from pulmo.bundle.card import Card
from pulmo.bundle.gate import CT, appearance, check_appearance, ct_score, shipped_gate
from pulmo.bundle.manifest_predictions import predict_manifest
from pulmo.bundle.predictor import Predictor
from pulmo.datasets.importing import import_source
from pulmo.datasets.phantom.image import draw
from pulmo.radiograph import Radiograph, radiograph_from_array, read_radiograph


def ct_slice(side: int = 240) -> NDArray[np.float32]:
    """Draws a slice through a chest in a lung window: table, body, lungs, heart, spine, vessels."""
    image = np.zeros((side, side), np.float32)

    def ellipse(x: float, y: float, width: float, height: float, grey: float) -> None:
        centre = (round(x * side), round(y * side))
        axes = (round(width * side), round(height * side))
        cv2.ellipse(image, centre, axes, 0, 0, 360, grey, -1)

    ellipse(0.5, 0.5, 0.46, 0.36, 0.85)
    for x in (0.29, 0.71):
        ellipse(x, 0.5, 0.15, 0.25, 0.2)
    ellipse(0.55, 0.45, 0.13, 0.14, 0.85)
    ellipse(0.5, 0.72, 0.06, 0.06, 0.95)
    generator = np.random.default_rng(0)
    for x in (0.29, 0.71):
        for _ in range(25):
            dx, dy = generator.uniform(-0.1, 0.1), generator.uniform(-0.2, 0.2)
            ellipse(x + dx, 0.5 + dy, 0.008, 0.008, 0.6)
    return np.asarray(cv2.GaussianBlur(image, (3, 3), 0), np.float32)


@pytest.fixture
def x_ray(plain_card: Card) -> Card:
    """The card of a model that was trained on radiographs, none of them a drawing."""
    training = plain_card.training
    changes = {"modalities": ("X-ray",), "accepts": (), "drawings": 0, "sources": {}}
    return plain_card.model_copy(update={"training": training.model_copy(update=changes)})


def with_training(card: Card, **changes: object) -> Card:
    return card.model_copy(update={"training": card.training.model_copy(update=changes)})


def saying(modality: str | None) -> Radiograph:
    slice_of_ct = radiograph_from_array(ct_slice(), (0, 1))
    return replace(slice_of_ct, facts=slice_of_ct.facts._replace(modality=modality))


def test_a_slice_that_nothing_states_is_refused(x_ray: Card) -> None:
    with refuses("image-looks-like-ct", "a.png", x_ray.name):
        check_appearance(x_ray, saying(None), "a.png")


def test_what_is_stated_counts_more_than_looks(x_ray: Card) -> None:
    assert check_appearance(x_ray, saying("X-ray"), "a.dcm") == ()


def test_a_model_of_ct_or_of_drawings_refuses_no_slice(x_ray: Card) -> None:
    assert check_appearance(with_training(x_ray, modalities=("CT",)), saying(None), "a.png") == ()
    assert check_appearance(with_training(x_ray, drawings=9), saying(None), "a.png") == ()


@pytest.mark.parametrize("said", [{"accepts": (CT,)}, {"modalities": ()}])
def test_a_card_that_accepts_it_or_states_no_modality_notes_it(
    x_ray: Card, said: dict[str, tuple[str, ...]]
) -> None:
    (note,) = check_appearance(with_training(x_ray, **said), saying(None), "a.png")
    assert note.kind == "scope"
    assert "CT" in note.text


@pytest.mark.parametrize("label", ["normal", "covid", "bacterial"])
def test_drawn_radiographs_pass(x_ray: Card, label: str) -> None:
    generator = np.random.default_rng(5)
    for patient in range(12):
        radiograph = radiograph_from_array(draw(label, patient, generator, 128).pixels, (0, 1))
        assert check_appearance(x_ray, radiograph, "a.png") == ()


def test_noise_and_even_grey_pass() -> None:
    generator = np.random.default_rng(6)
    images = [generator.random((90, 80)), np.zeros((50, 50)), np.ones((50, 50))]
    scores = [ct_score(image.astype(np.float32)) for image in images]
    assert max(scores) < shipped_gate().threshold


def test_the_numbers_are_means_spreads_and_quantiles_of_folded_cells() -> None:
    image = np.random.default_rng(7).random((32, 32)).astype(np.float32)
    small = np.rint(image * 255).astype(np.float64) / 255
    cells = [[small[4 * r : 4 * r + 4, 4 * c : 4 * c + 4] for c in range(8)] for r in range(8)]
    every = [cell.mean() for line in cells for cell in line]
    shape, spread = [], []
    for line in cells:
        for column in range(4):
            pair = (line[column], line[7 - column])
            shape.append((np.mean(pair) - np.mean(every)) / (np.std(every) + 1e-3))
            spread.append((pair[0].std() + pair[1].std()) / 2)
    ranked = np.sort(small.ravel())
    levels = np.interp(np.array([0.05, 0.25, 0.5, 0.75, 0.95]) * 1023, np.arange(1024), ranked)
    assert appearance(image) == pytest.approx(np.concatenate([shape, levels, spread]))


def test_a_mirrored_image_and_one_of_another_size_look_the_same() -> None:
    image = ct_slice()
    assert appearance(np.ascontiguousarray(image[:, ::-1])) == pytest.approx(appearance(image))
    assert ct_score(ct_slice(480)) == pytest.approx(ct_score(image), abs=2)
    assert len(shipped_gate().weights) == len(appearance(image))


def test_an_image_of_a_manifest_is_noted_unless_its_modality_is_stated(
    bundle: Path, tmp_path: Path
) -> None:
    predictor = Predictor.open(bundle)
    predictor.card = with_training(
        predictor.card, sources={}, drawings=0, modalities=("X-ray",), accepts=()
    )
    predictor.notes = ()
    assert not predictor.card.has_drawings
    for name, image in (
        ("ct", ct_slice()),
        ("x-ray", draw("normal", 1, np.random.default_rng(1)).pixels),
    ):
        Image.fromarray(np.rint(image * 255).astype(np.uint8)).save(tmp_path / f"{name}.png")
    rows = pd.DataFrame({"path": ["ct.png", "x-ray.png"], "label": ["covid", "normal"]})
    rows.to_csv(tmp_path / "unstated.csv", index=False)
    rows.assign(modality="X-ray").to_csv(tmp_path / "stated.csv", index=False)
    unstated = predict_manifest(predictor, import_source("csv", tmp_path / "unstated.csv").manifest)
    assert not unstated.failed
    notes = unstated.frame.set_index("path")["notes"]
    assert {Path(str(path)).name: note for path, note in notes.dropna().items()} == {
        "ct.png": "scope"
    }
    stated = predict_manifest(predictor, import_source("csv", tmp_path / "stated.csv").manifest)
    assert not stated.failed
    assert stated.frame["notes"].isna().all()
    with refuses("image-looks-like-ct"):
        predictor.predict(read_radiograph(tmp_path / "ct.png"))
