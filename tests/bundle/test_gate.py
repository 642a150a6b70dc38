"""The gate that knows images that a model was not meant for by their looks."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from PIL import Image

from fixtures.refuses import refuses
from pulmo.bundle.card import Card
from pulmo.bundle.gate import (
    CT,
    CUT,
    INVERTED,
    KINDS,
    LATERAL,
    OTHER,
    SEVERAL,
    TURNED,
    check_appearance,
    shipped_gate,
    unasked,
)
from pulmo.bundle.looks import SIDE, grey_looks, lung_looks
from pulmo.bundle.manifest_predictions import predict_manifest
from pulmo.bundle.model_card import model_card
from pulmo.bundle.predictor import Predictor
from pulmo.core.errors import RefusedError
from pulmo.core.sections import Look
from pulmo.datasets.importing import import_source
from pulmo.datasets.phantom.image import draw
from pulmo.lungs import shipped_finder
from pulmo.radiograph import Radiograph, radiograph_from_array, read_radiograph
from pulmo.radiograph.geometry import to_input


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
    changes = {"modalities": ("X-ray",), "accepts": (), "drawings": 0, "sources": {}, "views": ()}
    return plain_card.model_copy(update={"training": training.model_copy(update=changes)})


def with_training(card: Card, **changes: object) -> Card:
    return card.model_copy(update={"training": card.training.model_copy(update=changes)})


def seen(image: NDArray[np.floating], **facts: object) -> Radiograph:
    read = radiograph_from_array(np.ascontiguousarray(image, np.float32), (0, 1))
    return replace(read, facts=read.facts._replace(**facts))  # type: ignore[arg-type]


def chest(patient: int = 1, label: str = "normal") -> NDArray[np.float32]:
    return draw(label, patient, np.random.default_rng(patient), 200).pixels


def unfit(kind: Look) -> NDArray[np.floating]:
    """An image of a kind; a lateral view cannot be drawn."""
    image = chest()
    images: dict[Look, NDArray[np.floating]] = {
        CT: ct_slice(),
        OTHER: np.random.default_rng(0).random((200, 220)),
        TURNED: np.rot90(image),
        INVERTED: 1 - image,
        CUT: chest(0)[:, :105],
        SEVERAL: np.hstack([chest(0), image]),
    }
    return images[kind]


DRAWN = tuple(kind for kind in KINDS if kind != LATERAL)


@pytest.mark.parametrize("kind", DRAWN)
def test_an_unfit_image_is_refused_for_what_it_looks_like(x_ray: Card, kind: Look) -> None:
    refusal = KINDS[kind].refusal("a.png", x_ray.name)
    with refuses(refusal.code, "a.png", x_ray.name):
        check_appearance(x_ray, seen(unfit(kind)), "a.png")


def test_drawn_chests_pass_also_mirrored(x_ray: Card) -> None:
    passed = 0
    for patient in range(8):
        image = chest(patient, "normal")
        for shown in (image, image[:, ::-1]):
            passed += not check_appearance(x_ray, seen(shown), "a.png", described=True)
    assert passed >= 14


def test_a_nearly_even_image_and_a_page_are_no_radiograph(x_ray: Card) -> None:
    page = np.ones((300, 220), np.uint8) * 255
    for line in range(20, 290, 14):
        cv2.putText(page, "words on a page", (10, line), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 0, 1)
    dust = 0.6 + np.random.default_rng(0).normal(0, 0.004, (90, 90))
    for image in (dust, page / 255):
        with refuses("image-looks-like-no-radiograph"):
            check_appearance(x_ray, seen(image), "a.png")


def test_what_is_stated_counts_more_than_looks(x_ray: Card) -> None:
    settled = {"modality": "X-ray", "view": "PA"}
    for kind in (CT, OTHER):
        assert not KINDS[kind].asked(seen(unfit(kind), **settled).facts)
    assert not KINDS[LATERAL].asked(seen(chest(), **settled).facts)
    with refuses("image-looks-turned"):
        check_appearance(x_ray, seen(unfit(TURNED), **settled), "a.dcm")


@pytest.mark.parametrize(
    "training",
    [
        {"modalities": ("CT",)},
        {"modalities": ("CT", "X-ray")},
        {"drawings": 9},
        {"views": ("PA", "lateral")},
    ],
)
def test_a_model_of_more_than_frontal_radiographs_asks_no_looks(
    x_ray: Card, training: dict[str, object]
) -> None:
    card = with_training(x_ray, **training)
    for kind in DRAWN:
        assert check_appearance(card, seen(unfit(kind)), "a.png") == ()
    assert unasked(x_ray) is None
    reason = unasked(card)
    assert reason
    assert reason in model_card(card)


@pytest.mark.parametrize(
    "facts", [{"view": "lateral"}, {"body_part": "hand"}, {"intent": "for processing"}]
)
def test_an_image_that_the_header_calls_another_is_asked_no_looks(
    x_ray: Card, facts: dict[str, object]
) -> None:
    assert check_appearance(x_ray, seen(unfit(TURNED), **facts), "a.dcm") == ()


@pytest.mark.parametrize("kind", DRAWN)
def test_what_is_accepted_or_described_is_noted(x_ray: Card, kind: Look) -> None:
    radiograph = seen(unfit(kind))
    (described,) = check_appearance(x_ray, radiograph, "a.png", described=True)
    (accepted,) = check_appearance(with_training(x_ray, accepts=(kind,)), radiograph, "a.png")
    (unstated,) = check_appearance(with_training(x_ray, modalities=()), radiograph, "a.png")
    assert described == accepted
    assert {described.kind, unstated.kind} == {"looks"}
    assert KINDS[kind].says in described.text
    assert "no stated modality" in unstated.text


def test_the_view_of_the_models_own_network_of_the_lungs_is_used(
    x_ray: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = shipped_gate()
    doubts = {kind: each.model_copy(update={"threshold": -1e9}) for kind, each in gate.grey.items()}
    doubting = gate.model_copy(update={"grey": doubts})
    monkeypatch.setattr("pulmo.bundle.gate.shipped_gate", lambda: doubting)
    image, finder = seen(chest()), shipped_finder()
    lungs = finder.look(image)
    owns = {"input": x_ray.input.model_copy(update={"lungs": finder.sha256})}
    monkeypatch.setattr(finder, "look", lambda _: np.zeros_like(lungs))
    assert check_appearance(x_ray.model_copy(update=owns), image, "a.png", lungs=lungs) == ()
    with pytest.raises(RefusedError):
        check_appearance(x_ray, image, "a.png", lungs=lungs)


def test_the_lungs_are_asked_only_if_the_grey_values_leave_a_doubt() -> None:
    gate = shipped_gate()
    weights = np.array([gate.grey[kind].weights for kind in KINDS])
    limits = np.array([gate.grey[kind].threshold - gate.grey[kind].bias for kind in KINDS])
    # The image whose sums are one below the threshold of every kind, and one beyond one of them.
    below = np.linalg.lstsq(weights, limits - 1)[0]
    beyond = np.linalg.lstsq(weights, limits - 1 + 2 * (np.arange(len(limits)) == 3))[0]
    calls: list[None] = []

    def of_lungs() -> NDArray[np.float64]:
        calls.append(None)
        return np.zeros(len(gate.kinds[CT].weights) - len(gate.grey[CT].weights))

    gate.likeliest(below, of_lungs, [*KINDS])
    assert not calls
    gate.likeliest(beyond, of_lungs, [kind for kind in KINDS if kind != [*KINDS][3]])
    assert not calls
    gate.likeliest(beyond, of_lungs, [*KINDS])
    assert len(calls) == 1


def test_the_shipped_gate_fits_the_shipped_network() -> None:
    gate, finder = shipped_gate(), shipped_finder()
    assert gate.finder == finder.sha256
    assert finder.card.size == SIDE
    assert set(gate.kinds) == set(gate.grey) == set(KINDS)
    image = seen(chest())
    square = to_input(image.pixels, SIDE, "squash")
    grey = len(np.concatenate(grey_looks(square)))
    lungs = len(np.concatenate(lung_looks(square, finder.look(image), finder)))
    assert {len(each.weights) for each in gate.grey.values()} == {grey}
    assert {len(each.weights) for each in gate.kinds.values()} == {grey + lungs}


def test_the_numbers_are_means_spreads_and_quantiles_of_folded_cells() -> None:
    generator = np.random.default_rng(7)
    image = generator.random((192, 192)).astype(np.float32)
    chance = generator.random((192, 192)).astype(np.float32)
    square = to_input(image, SIDE, "squash")
    found, of_lungs = grey_looks(square), lung_looks(square, chance, shipped_finder())
    small = np.rint(image * 255).astype(np.float64) / 255
    cells = [
        [small[24 * r : 24 * r + 24, 24 * c : 24 * c + 24] for c in range(8)] for r in range(8)
    ]
    means = [[cell.mean() for cell in line] for line in cells]
    middle, spread = np.mean(means), np.std(means) + 1e-3
    both = [(line[c] + line[7 - c]) / 2 - middle for line in means for c in range(4)]
    apart = [abs(line[c] - line[7 - c]) / 2 for line in means for c in range(4)]
    assert found.grey == pytest.approx(np.array([*both, *apart]) / spread)
    within = [(line[c].std() + line[7 - c].std()) / 2 for line in cells for c in range(4)]
    assert found.spread[:32] == pytest.approx(within)
    top = [
        (chance[:24, 24 * c :][:, :24].mean() + chance[:24, 168 - 24 * c :][:, :24].mean()) / 2
        for c in range(4)
    ]
    assert of_lungs.lungs[:4] == pytest.approx(top, rel=1e-5)
    ranked = np.sort(small.ravel())
    levels = np.array([0.02, 0.05, 0.25, 0.5, 0.75, 0.95, 0.98]) * (ranked.size - 1)
    assert found.levels == pytest.approx(np.interp(levels, np.arange(ranked.size), ranked))
    inside = np.average(small, weights=chance)
    assert of_lungs.contrast[0] == pytest.approx(inside, rel=1e-4)
    rows = [abs(a - b) for line in small for a, b in pairwise(line)]
    assert found.texture[0] == pytest.approx(np.log(np.mean(rows) + 1e-3))
    assert found.texture[2] == pytest.approx(np.mean(np.array(rows) == 0))


def test_a_mirrored_image_looks_the_same() -> None:
    image, finder = ct_slice(), shipped_finder()
    chance = np.random.default_rng(8).random((192, 192)).astype(np.float32)
    square, mirrored = (
        to_input(np.ascontiguousarray(each), SIDE, "squash") for each in (image, image[:, ::-1])
    )
    there = (*grey_looks(square), *lung_looks(square, chance, finder))
    back = (*grey_looks(mirrored), *lung_looks(mirrored, chance[:, ::-1].copy(), finder))
    for one, other in zip(there, back, strict=True):
        assert one == pytest.approx(other, abs=1e-2)


def test_an_image_of_a_manifest_is_noted_for_what_is_not_stated(
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
        "ct.png": "looks"
    }
    stated = predict_manifest(predictor, import_source("csv", tmp_path / "stated.csv").manifest)
    assert not stated.failed
    assert stated.frame["notes"].isna().tolist() == [False, True]
    x_ray = seen(ct_slice(), modality="X-ray")
    (note,) = check_appearance(predictor.card, x_ray, "ct.png", described=True)
    assert KINDS[TURNED].says in note.text
    with refuses("image-looks-like-ct"):
        predictor.predict(read_radiograph(tmp_path / "ct.png"))
