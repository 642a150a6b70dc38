"""The network that comes with pulmo, on drawn chests and on what is no chest."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import helper

from fixtures.refuses import refuses
from pulmo import lungs
from pulmo.datasets.phantom import PHANTOM_LABELS, draw
from pulmo.lungs import LungFinder, LungMask, shipped_finder
from pulmo.lungs.finder import SHIPPED
from pulmo.radiograph import read_radiograph
from pulmo.stats.overlap import dice
from pulmo.train.lungs.drawn import drawn_images

COUNT = 24


@pytest.fixture(scope="module")
def drawn() -> list[tuple[NDArray[np.bool_], LungMask]]:
    """Where the lungs of phantoms are, and what is found of them."""
    pairs = []
    for number in range(COUNT):
        # Most are as large as those of `pulmo data phantom`.
        shape = (200 + 8 * number, 230) if number < 4 else (256, 256)
        label = PHANTOM_LABELS[number % len(PHANTOM_LABELS)]
        phantom = draw(label, number, np.random.default_rng(number), shape)
        pairs.append((phantom.lungs, lungs.segment(phantom.pixels, value_range=(0, 1))))
    return pairs


def test_the_lungs_of_phantoms_are_found(drawn: list[tuple[NDArray[np.bool_], LungMask]]) -> None:
    # The network was trained on patients alone, and on masks with the lung behind the heart; those
    # of phantoms lack it.
    values = [dice(found.mask[None], truth[None])[0] for truth, found in drawn]
    assert np.mean([found.found for _, found in drawn]) >= 0.75
    assert np.median(values) > 0.8


def test_a_mask_has_the_size_of_its_image_and_two_sides(
    drawn: list[tuple[NDArray[np.bool_], LungMask]],
) -> None:
    for truth, found in drawn:
        assert found.mask.shape == found.probability.shape == truth.shape
        assert found.mask.dtype == np.bool_
        assert 0 <= found.probability.min() <= found.probability.max() <= 1
        assert not (found.right & found.left).any()
        if found.found:
            across = np.arange(truth.shape[1])
            assert (found.right @ across[:, None] > 0).any()
            middles = [
                (side.sum(axis=0) @ across) / side.sum() for side in (found.right, found.left)
            ]
            assert middles[0] < middles[1]


def test_sides_are_a_note_where_the_view_is_not_stated(phantoms: Path) -> None:
    array = draw("normal", 0, np.random.default_rng(0), 200).pixels
    assert [note.kind for note in lungs.segment(array, value_range=(0, 1)).notes] == ["sides"]
    file = min((phantoms.parent / "images").glob("*.dcm"))
    assert read_radiograph(file).facts.view in {"PA", "AP"}
    assert lungs.segment(file).notes == ()


def test_no_lungs_are_found_where_there_are_none() -> None:
    images = drawn_images(42, 192, seed=77)
    found = [lungs.segment(image, value_range=(0, 255)) for image in images]
    wrong = sum(each.found for each in found)
    assert wrong <= 1
    for each in found:
        if not each.found:
            assert not each.mask.any()
            assert str(each.reason).startswith("No lungs were found")
            assert each.reasons[0].kind.startswith("no-lungs")


def test_an_array_needs_its_range() -> None:
    with refuses("value-range-missing"):
        lungs.segment(np.ones((50, 50)))


def test_the_shipped_network_is_small_and_says_what_it_is() -> None:
    card = shipped_finder().card
    assert SHIPPED.stat().st_size < 1_500_000
    assert card.val_refused <= 0.02 * card.validation[0]
    assert card.val_dice > 0.94
    assert set(card.images) == {"kermany", "cohen"}
    assert shipped_finder() is shipped_finder()


def test_what_is_no_network_of_the_lungs_is_refused() -> None:
    with refuses("onnx-invalid", "text"):
        LungFinder(b"text", "text")
    model = onnx.load(SHIPPED)
    helper.set_model_props(model, {"other": "{}"})
    with refuses("card-missing"):
        LungFinder(model.SerializeToString(), "other")
    helper.set_model_props(model, {"pulmo.lungs": "{}"})
    with refuses("record-invalid"):
        LungFinder(model.SerializeToString(), "damaged")
