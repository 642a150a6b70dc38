"""The part of an image that a network sees."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage, stats

from fixtures.refuses import refuses
from pulmo.core.sections import ImageSection
from pulmo.datasets.phantom import draw
from pulmo.lungs import Box, LungFinder, LungMask, shipped_finder
from pulmo.lungs.finder import SHIPPED
from pulmo.lungs.framing import finder_for, framed, framed_input, open_finder
from pulmo.radiograph import Radiograph, radiograph_from_array
from pulmo.radiograph.geometry import to_input

LUNGS = ImageSection(size=64, region="lungs")
BLACK = ImageSection(size=64, region="lungs", outside="black")
FLAT = ImageSection(
    size=64, aspect="squash", region="lungs", margin=0.0, frame="moments", normalise="lungs",
    outside="mean",
)  # fmt: skip


class Fixed(LungFinder):
    """A network that finds the same lungs in every image."""

    def __init__(self, lungs: LungMask) -> None:
        super().__init__(shipped_finder().model, "it")
        self.lungs = lungs

    def mask(self, radiograph: Radiograph, probability: NDArray[np.float32]) -> LungMask:
        assert radiograph.pixels.shape == self.lungs.mask.shape
        assert probability.shape == (self.card.size, self.card.size)
        return self.lungs


def radiograph(pixels: NDArray[np.float32]) -> Radiograph:
    return radiograph_from_array(pixels, (0, 1), "it")


@pytest.fixture(scope="module")
def chest() -> Radiograph:
    return radiograph(draw("normal", 3, np.random.default_rng(3), (300, 340)).pixels)


@pytest.fixture
def slope() -> Radiograph:
    """An image without lungs."""
    return radiograph(np.tile(np.linspace(0, 1, 120, dtype=np.float32), (100, 1)))


def test_the_rectangle_around_the_lungs_is_seen(chest: Radiograph) -> None:
    found = shipped_finder().find(chest)
    for margin in (0.0, 0.05, 0.5):
        image = LUNGS.model_copy(update={"margin": margin})
        part = framed(chest, image, shipped_finder())
        assert part.box == found.box(margin)
        assert part.box is not None
        top, bottom, left, right = part.box
        assert np.array_equal(part.pixels, chest.pixels[top:bottom, left:right])
        assert part.notes == ()
        shown = framed_input(chest, image, shipped_finder())
        assert np.array_equal(shown.pixels, to_input(part.pixels, 64, "pad"))
        assert shown.box == part.box


def test_only_the_lungs_and_a_border_are_kept(chest: Radiograph) -> None:
    found = shipped_finder().find(chest)
    box = found.box()
    assert box is not None
    part = framed(chest, BLACK, shipped_finder())
    kept = framed(chest, LUNGS, shipped_finder())
    assert part.box == kept.box
    assert part.box is not None
    lungs = part.box.of(found.mask.astype(np.float32)) > 0
    assert np.array_equal(part.pixels[lungs], kept.pixels[lungs])
    width = round(0.05 * min(box.bottom - box.top, box.right - box.left))
    rows, columns = np.nonzero(found.mask)
    border = black = 0
    for row, column in np.ndindex(part.pixels.shape[0], part.pixels.shape[1]):
        if row % 7 or column % 7 or lungs[row, column]:
            continue
        far = np.hypot(rows - row - part.box.top, columns - column - part.box.left).min() > width
        expected = 0 if far else kept.pixels[row, column]
        assert part.pixels[row, column] == expected
        black, border = black + far, border + (not far)
    assert min(black, border) > 10


def test_the_lungs_fill_the_input_by_their_moments(chest: Radiograph) -> None:
    found = shipped_finder().find(chest)
    part = framed(chest, FLAT, shipped_finder())
    assert part.box == found.frame(2.1)
    assert part.box is not None
    assert part.pixels.shape == part.box.shape
    height, width = found.mask.shape
    rows = np.clip(np.arange(part.box.top, part.box.bottom), -1, height)
    columns = np.clip(np.arange(part.box.left, part.box.right), -1, width)
    inside = np.pad(found.mask, 1)[np.ix_(rows + 1, columns + 1)]
    shown = framed_input(chest, FLAT, shipped_finder()).pixels
    small = to_input(inside.astype(np.float32), 64, "squash") > 127
    places = (np.argwhere(small) + 0.5) / 32 - 1
    np.testing.assert_allclose(places.mean(axis=0), 0, atol=0.02)
    np.testing.assert_allclose(places.std(axis=0), 1 / 2.1, atol=0.02)
    assert set(shown[[0, 0, -1, -1], [0, -1, 0, -1]]) == {128}


def test_the_lungs_grey_values_are_normalised_and_the_rest_is_flat(chest: Radiograph) -> None:
    found = shipped_finder().find(chest)
    darker = radiograph(0.2 + 0.4 * chest.pixels)
    darker_lungs = found.mask
    finder = Fixed(found)
    for each in (chest, darker):
        part = framed(each, FLAT, finder)
        assert part.box is not None
        mask = part.box.of(darker_lungs.astype(np.float32)) > 0
        within = part.pixels[mask].astype(np.float64) * 255
        scores = stats.zscore(each.pixels[part.box.inside(*each.pixels.shape).slices][
            part.box.inside(*each.pixels.shape).of(darker_lungs.astype(np.float32)) > 0
        ].astype(np.float64))  # fmt: skip
        np.testing.assert_allclose(within, np.clip(128 + 40 * scores, 0, 255), atol=1e-3)
        assert (part.pixels[~mask] == np.float32(128 / 255)).all()
        assert part.fill == 128 / 255
    same = [framed_input(each, FLAT, finder).pixels.astype(int) for each in (chest, darker)]
    assert np.abs(same[0] - same[1]).max() <= 1
    padded = framed_input(chest, FLAT.model_copy(update={"aspect": "pad"}), finder).pixels
    assert {*padded[0], *padded[-1], *padded[:, 0], *padded[:, -1]} == {128}


@pytest.mark.parametrize("margin", [0.0, 0.1])
@pytest.mark.parametrize("spread", [1.0, 2.1, 4.0])
def test_a_part_is_framed_as_in_the_whole_image(
    chest: Radiograph, margin: float, spread: float
) -> None:
    found = shipped_finder().find(chest)
    image = FLAT.model_copy(update={"margin": margin, "spread": spread})
    within = chest.pixels[found.mask].astype(np.float64)
    grey = np.clip((128 + 40 * (chest.pixels - within.mean()) / within.std()) / 255, 0, 1)
    box, lungs = found.frame(spread), found.box()
    assert box is not None
    assert lungs is not None
    width = round(margin * min(lungs.shape))
    near = ndimage.distance_transform_edt(~found.mask) <= width
    expected = box.of(np.where(near, grey, 128 / 255).astype(np.float32), 128 / 255)
    part = framed(chest, image, Fixed(found))
    assert part.box == box
    np.testing.assert_allclose(part.pixels, expected, atol=1e-5)
    shown = framed_input(chest, image, Fixed(found)).pixels.astype(int)
    assert np.abs(shown - to_input(expected, 64, "squash", fill=128 / 255)).max() <= 1


def test_without_normalising_the_rest_is_as_grey_as_the_lungs(chest: Radiograph) -> None:
    found = shipped_finder().find(chest)
    image = FLAT.model_copy(update={"normalise": "none"})
    part = framed(chest, image, Fixed(found))
    assert part.box is not None
    mask = part.box.of(found.mask.astype(np.float32)) > 0
    assert np.unique(part.pixels[~mask]).size == 1
    np.testing.assert_allclose(part.pixels[~mask][0], chest.pixels[found.mask].mean(), atol=1e-6)


def test_lungs_of_one_grey_are_flat(chest: Radiograph) -> None:
    found = shipped_finder().find(chest)
    flat = radiograph(np.where(found.mask, 0.3, 0.9).astype(np.float32))
    assert (framed_input(flat, FLAT, Fixed(found)).pixels == 128).all()


def test_an_image_without_lungs_is_seen_whole_and_noted(slope: Radiograph) -> None:
    for image in (LUNGS, BLACK, FLAT):
        part = framed(slope, image, shipped_finder())
        assert part.box is None
        assert np.array_equal(part.pixels, slope.pixels)
        assert [note.kind for note in part.notes] == ["no-lungs"]
        assert "whole image" in part.notes[0].text


def test_a_model_of_whole_images_asks_nothing(chest: Radiograph) -> None:
    image = ImageSection(size=64)
    assert finder_for(image) is None
    assert open_finder(image, Path("missing")) is None
    shown = framed_input(chest, image, None)
    assert (shown.box, shown.notes) == (None, ())
    assert np.array_equal(shown.pixels, to_input(chest.pixels, 64, "pad"))


def test_lungs_are_not_shown_without_a_network(chest: Radiograph) -> None:
    assert finder_for(LUNGS) is shipped_finder()
    with pytest.raises(ValueError, match="network of the lungs"):
        framed_input(chest, LUNGS, None)


def test_the_network_of_a_run_is_the_one_of_its_card(tmp_path: Path) -> None:
    found = open_finder(LUNGS, SHIPPED, shipped_finder().sha256)
    assert found is not None
    assert found.model == SHIPPED.read_bytes()
    with refuses("run-file-changed", SHIPPED):
        open_finder(LUNGS, SHIPPED, "0" * 64)
    with refuses("file-missing"):
        open_finder(LUNGS, tmp_path / "none")


def test_a_box_on_the_same_image_at_another_size() -> None:
    box = Box(10, 50, 20, 30)
    assert box.scaled((100, 200), (200, 400)) == Box(20, 100, 40, 60)
    assert box.scaled((100, 200), (100, 200)) == box
    assert Box(98, 100, 199, 200).scaled((100, 200), (10, 10)) == Box(9, 10, 9, 10)
