import numpy as np
import pytest

from pulmo.radiograph.geometry import Aspect, Box, Fit, to_image, to_input
from pulmo.radiograph.grey.stretch import Stretch


@pytest.mark.parametrize(
    ("aspect", "fit"),
    [
        ("squash", Fit(0, 0, 60, 40)),
        ("pad", Fit(0, -10, 60, 60)),
        ("crop", Fit(10, 0, 40, 40)),
    ],
)
def test_the_square_of_a_wide_image(aspect: Aspect, fit: Fit) -> None:
    assert Fit.of(40, 60, aspect) == fit


@pytest.mark.parametrize("aspect", ["squash", "pad", "crop"])
def test_a_square_image_of_the_inputs_size_is_its_own_input(aspect: Aspect) -> None:
    pixels = (np.arange(32 * 32) % 256).reshape(32, 32).astype(np.uint8)
    scaled = (pixels / 255).astype(np.float32)
    np.testing.assert_array_equal(to_input(scaled, 32, aspect), pixels)


def test_pad_puts_black_above_and_below_a_wide_image() -> None:
    square = to_input(np.ones((20, 40), np.float32), 32, "pad")
    assert square.dtype == np.uint8
    assert (square[:8] == 0).all()
    assert (square[24:] == 0).all()
    assert (square[8:24] == 255).all()


def test_crop_takes_the_middle() -> None:
    pixels = np.zeros((20, 60), np.float32)
    pixels[:, 20:40] = 1
    assert (to_input(pixels, 20, "crop") == 255).all()


def test_squash_averages_whole_pixels() -> None:
    # A box filter and the triangle filter agree where the image is linear.
    columns = np.tile(np.linspace(0, 1, 64, dtype=np.float32), (32, 1))
    expected = columns.reshape(32, 32, 2).mean(2) * 255
    square = to_input(columns, 32, "squash")
    np.testing.assert_allclose(square[:, 2:-2], expected[:, 2:-2], atol=1)


def test_an_image_thinner_than_a_pixel_of_the_input_still_shows() -> None:
    square = to_input(np.ones((2000, 2), np.float32), 32, "pad")
    assert (square.max(axis=0) == 255).sum() == 1


@pytest.mark.parametrize("aspect", ["squash", "pad"])
@pytest.mark.parametrize("shape", [(40, 60), (61, 40), (33, 33), (16, 97)])
def test_a_map_covers_the_whole_image(aspect: Aspect, shape: tuple[int, int]) -> None:
    back = to_image(np.full((7, 7), 2.5, np.float32), shape, aspect)
    assert back.shape == shape
    np.testing.assert_allclose(back, 2.5, rtol=1e-6)


@pytest.mark.parametrize("shape", [(40, 60), (40, 61), (61, 40), (40, 40)])
def test_a_map_of_a_crop_says_where_the_network_did_not_look(shape: tuple[int, int]) -> None:
    back = to_image(np.ones((7, 7), np.float32), shape, "crop")
    seen = np.isfinite(back)
    assert seen.sum() == min(shape) ** 2
    assert seen[shape[0] // 2, shape[1] // 2]


@pytest.mark.parametrize("aspect", ["squash", "pad", "crop"])
def test_a_spot_of_the_image_comes_back_to_its_place(aspect: Aspect) -> None:
    pixels = np.zeros((80, 120), np.float32)
    pixels[36:44, 68:76] = 1
    square = to_input(pixels, 64, aspect).astype(np.float32)
    back = np.nan_to_num(to_image(square, (80, 120), aspect), nan=0)
    rows, columns = np.nonzero(back > back.max() / 2)
    # Within one pixel of the input.
    assert abs(rows.mean() - 39.5) < 120 / 64
    assert abs(columns.mean() - 71.5) < 120 / 64


@pytest.mark.parametrize("aspect", ["squash", "pad", "crop"])
def test_a_map_of_a_part_lies_in_that_part(aspect: Aspect) -> None:
    box = Box(20, 70, 10, 110)
    values = np.arange(49, dtype=np.float32).reshape(7, 7)
    back = to_image(values, (100, 120), aspect, box)
    assert back.shape == (100, 120)
    np.testing.assert_array_equal(back[20:70, 10:110], to_image(values, (50, 100), aspect))
    outside = np.ones((100, 120), bool)
    outside[20:70, 10:110] = False
    assert np.isnan(back[outside]).all()


BESIDE = Box(-3, 17, 12, 40)
"""A rectangle that sticks out of an image of 20 rows and 30 columns."""


def test_what_sticks_out_of_an_image_is_filled() -> None:
    pixels = np.random.default_rng(0).random((20, 30), np.float32)
    around = np.pad(pixels, 50, constant_values=0.25)
    expected = around[50 - 3 : 50 + 17, 50 + 12 : 50 + 40]
    np.testing.assert_array_equal(BESIDE.of(pixels, 0.25), expected)
    assert BESIDE.of(pixels).min() == 0
    assert BESIDE.inside(20, 30) == Box(0, 17, 12, 30)
    assert Box(-9, -2, 0, 5).of(pixels, 0.5).tolist() == np.full((7, 5), 0.5).tolist()


@pytest.mark.parametrize("aspect", ["squash", "pad", "crop"])
def test_a_map_of_a_part_that_sticks_out_is_cut_off(aspect: Aspect) -> None:
    values = np.random.default_rng(1).random((5, 5), np.float32)
    back = to_image(values, (20, 30), aspect, BESIDE)
    alone = to_image(values, BESIDE.shape, aspect)
    np.testing.assert_array_equal(back[:17, 12:], alone[3:, :18])
    assert np.isnan(back[17:]).all()
    assert np.isnan(back[:, :12]).all()


def test_what_pad_adds_may_be_grey_and_is_changed_like_the_image() -> None:
    pixels = np.full((20, 40), 0.4, np.float32)
    assert (to_input(pixels, 32, "pad", fill=0.4) == round(255 * 0.4)).all()
    pixels[:10] = 0.8
    square = to_input(pixels, 32, "pad", Stretch(low=0, high=100), fill=0.4)
    assert (square[:8] == 0).all()
    assert (square[8:15] == 255).all()
