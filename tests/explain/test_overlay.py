import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from fixtures.refuses import refuses
from pulmo.explain.overlay import (
    LONG_SIDE,
    Overlay,
    colour_stops,
    draw_layer,
    draw_overlay,
    draw_pair,
    draw_sheet,
    small_pair,
)
from pulmo.radiograph.geometry import Aspect, Box

GAP = 10


def image(height: int = 90, width: int = 120) -> NDArray[np.float32]:
    return np.linspace(0, 1, height * width, dtype=np.float32).reshape(height, width)


def pair(
    activation: NDArray[np.float32],
    *,
    aspect: Aspect = "squash",
    scale: float = 2.0,
    pixels: NDArray[np.float32] | None = None,
) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    """The plain and the painted image, as integers."""
    shown = image() if pixels is None else pixels
    drawn = draw_pair(Overlay(shown, activation, aspect, scale)).astype(np.int_)
    width = (drawn.shape[1] - GAP) // 2
    return drawn[:, :width], drawn[:, width + GAP :]


def even(value: float) -> NDArray[np.float32]:
    return np.full((4, 4), value, np.float32)


@pytest.mark.parametrize("value", [0.0, -3.0])
def test_no_evidence_leaves_the_plain_image(value: float) -> None:
    plain, painted = pair(even(value))
    np.testing.assert_array_equal(plain, painted)


def test_the_image_is_grey_and_its_long_side_has_the_fixed_length() -> None:
    plain, _ = pair(even(0))
    assert plain.shape == (LONG_SIDE * 3 // 4, LONG_SIDE, 3)
    assert np.ptp(plain, axis=2).max() == 0


def test_an_image_of_a_few_pixels_is_drawn_at_full_size() -> None:
    plain, _ = pair(even(0), pixels=image(28, 28))
    assert plain.shape[:2] == (LONG_SIDE, LONG_SIDE)


@pytest.mark.parametrize(("shape", "size"), [((90, 120), (760, 282)), ((280, 280), (760, 377))])
def test_a_pair_for_a_page_is_a_jpeg_that_is_wide_enough(
    shape: tuple[int, int], size: tuple[int, int]
) -> None:
    overlay = Overlay(image(*shape), even(1), "squash", 2.0)
    small = Image.open(io.BytesIO(small_pair(overlay)))
    assert (small.format, small.size) == ("JPEG", size)
    expected = Image.fromarray(draw_pair(overlay)).resize(size, Image.Resampling.LANCZOS)
    np.testing.assert_allclose(np.asarray(small, float), np.asarray(expected, float), atol=24)


def test_a_strip_of_one_pixel_can_be_drawn() -> None:
    plain, painted = pair(even(1), pixels=image(2, 2000), aspect="crop")
    assert plain.shape == painted.shape


def test_more_evidence_is_painted_more_strongly_and_lighter() -> None:
    black = np.zeros((40, 40), np.float32)
    sums = [pair(even(value), pixels=black)[1].sum() for value in (0, 0.2, 0.5, 1, 1.5, 2)]
    assert sums == sorted(set(sums))


def test_the_scale_is_fixed_and_ends_where_it_says() -> None:
    _, half = pair(even(1), scale=2.0)
    _, same = pair(even(2), scale=4.0)
    np.testing.assert_array_equal(half, same)
    _, end = pair(even(2), scale=2.0)
    _, beyond = pair(even(50), scale=2.0)
    np.testing.assert_array_equal(end, beyond)
    assert (half != end).any()


def test_the_paint_lies_where_the_evidence_lies() -> None:
    activation = np.zeros((4, 4), np.float32)
    activation[0, 3] = 2
    plain, painted = pair(activation)
    change = np.abs(plain - painted).max(axis=2)
    height, width = change.shape
    assert change[: height // 4, -width // 4 :].mean() > 50
    # The smooth resampling rings, by less than an eye can see.
    assert change[height // 2 :, : width // 2].max() <= 2


def test_what_crop_cuts_off_is_dimmed_and_hatched() -> None:
    white = np.ones((90, 120), np.float32)
    plain, painted = pair(even(0), aspect="crop", pixels=white)
    edge = LONG_SIDE // 8
    assert set(np.unique(painted[:, : edge - 1])) == {110, 127}
    np.testing.assert_array_equal(plain[:, edge + 1 : -edge - 1], painted[:, edge + 1 : -edge - 1])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_map_that_is_not_finite_is_refused(value: float) -> None:
    with refuses("activation-map-not-finite"):
        pair(even(value))


@pytest.mark.parametrize("scale", [0.0, -1.0, np.nan])
def test_a_scale_that_is_not_positive_is_refused(scale: float) -> None:
    with refuses("activation-map-scale-invalid"):
        pair(even(1), scale=scale)


def sheet(caption: str, aspect: Aspect = "pad", label: str = "covid") -> Image.Image:
    overlay = Overlay(image(), even(1), aspect, 2.0)
    data = draw_overlay(overlay, legend=label, caption=caption)
    return Image.open(io.BytesIO(data))


def test_a_sheet_shows_the_pair_pixel_for_pixel() -> None:
    inner = draw_pair(Overlay(image(), even(1), "pad", 2.0))
    outer = np.asarray(sheet("a caption").convert("RGB"))
    height, width, _ = inner.shape
    np.testing.assert_array_equal(outer[18 : 18 + height, 18 : 18 + width], inner)


def test_a_sheet_has_a_colour_bar_from_the_end_of_the_scale_down_to_none() -> None:
    pixels = np.asarray(sheet("a caption").convert("RGB"))
    bar = pixels[18 : 18 + LONG_SIDE * 3 // 4, 18 + 2 * LONG_SIDE + GAP + 34 + 8]
    drawn = ["#" + bytes(colour).hex() for colour in bar]
    expected = colour_stops(260)[::-1]
    first = drawn.index(expected[0])
    assert drawn[first : first + 260] == expected


def test_a_long_caption_makes_the_sheet_taller_not_wider() -> None:
    short, long = sheet("short"), sheet("word " * 100)
    assert long.width == short.width
    assert long.height > short.height


def test_a_caption_may_hold_anything() -> None:
    strange, plain = sheet("a$b_{$ \u80ba\n\t\0.png"), sheet("a$b_{$ ? ?.png")
    np.testing.assert_array_equal(np.asarray(strange), np.asarray(plain))


def test_the_same_sheet_has_the_same_bytes() -> None:
    assert sheet("one").tobytes() == sheet("one").tobytes()
    assert sheet("one").tobytes() != sheet("two").tobytes()


def test_a_sheet_without_a_file_has_the_same_pixels() -> None:
    drawn = draw_sheet(Overlay(image(), even(1), "pad", 2.0), legend="covid", caption="one")
    assert drawn.dtype == np.uint8
    np.testing.assert_array_equal(drawn, np.asarray(sheet("one").convert("RGB")))


def test_a_sheet_says_that_it_is_hatched_only_when_it_is() -> None:
    cropped = np.asarray(sheet("", "crop").convert("L"))[-40:]
    whole = np.asarray(sheet("", "squash").convert("L"))[-40:]
    assert (cropped > 60).sum() > 1.5 * (whole > 60).sum()


def test_the_colour_scale_rises_in_lightness_from_the_grey_of_the_image() -> None:
    stops = colour_stops(9)
    assert stops[0] == "#737373"
    colours = np.array([list(bytes.fromhex(stop[1:])) for stop in stops[2:]])
    assert (np.diff(colours @ [0.2126, 0.7152, 0.0722]) > 0).all()


def test_what_is_outside_the_part_that_was_seen_is_hatched_and_the_map_lies_in_it() -> None:
    shown = np.full((LONG_SIDE // 2, LONG_SIDE), 0.5, np.float32)
    box = Box(40, 200, 100, 420)
    values = np.zeros((4, 8), np.float32)
    values[:, 4:] = 2.0
    drawn = draw_pair(Overlay(shown, values, "squash", 2.0, box=box)).astype(np.int_)
    plain, painted = drawn[:, :LONG_SIDE], drawn[:, LONG_SIDE + GAP :]
    seen = np.zeros(shown.shape, bool)
    seen[40:200, 100:420] = True
    assert (painted[~seen] < plain[~seen]).all()
    np.testing.assert_array_equal(painted[40:200, 100:200], plain[40:200, 100:200])
    assert (np.ptp(painted[40:200, 320:420], axis=2) > 50).all()
    sheet = draw_overlay(Overlay(shown, values, "squash", 2.0, box=box), legend="", caption="")
    whole = draw_overlay(Overlay(shown, values, "squash", 2.0), legend="", caption="")
    assert sheet != whole


def test_a_box_is_in_pixels_of_the_image_whatever_the_size_of_the_drawing() -> None:
    small, large = (np.full((side, side), 0.5, np.float32) for side in (140, 1120))
    boxes = Box(35, 105, 28, 84), Box(280, 840, 224, 672)
    first, second = (
        draw_pair(Overlay(pixels, even(2), "squash", 2.0, box=box))
        for pixels, box in zip((small, large), boxes, strict=True)
    )
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("aspect", ["squash", "crop"])
def test_the_layer_over_the_plain_image_is_the_painted_one(aspect: Aspect) -> None:
    activation = np.linspace(-1, 3, 16, dtype=np.float32).reshape(4, 4)
    plain, painted = pair(activation, aspect=aspect)
    data = draw_layer(Overlay(image(), activation, aspect, 2.0))
    layer = np.asarray(Image.open(io.BytesIO(data)), np.float64)
    opacity = layer[..., 3:] / 255
    laid = plain * (1 - opacity) + layer[..., :3] * opacity
    assert opacity.min() == 0
    assert np.abs(laid - painted).max() <= 2
