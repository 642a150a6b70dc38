"""The parts of a mask and its shape, on rectangles whose values can be counted."""

import numpy as np
import pytest

from pulmo.lungs.parts import Shape, box_of, measure, nearer_left, parts_of


def blocks(*places: tuple[int, int, int, int], side: int = 60) -> np.ndarray:
    mask = np.zeros((side, side), np.bool_)
    for top, bottom, left, right in places:
        mask[top:bottom, left:right] = True
    return mask


def test_the_two_largest_parts_are_the_lungs() -> None:
    mask = blocks((10, 50, 35, 50), (10, 50, 10, 25), (2, 4, 55, 58))
    parts = parts_of(mask)
    np.testing.assert_array_equal(parts.left, blocks((10, 50, 10, 25)))
    np.testing.assert_array_equal(parts.right, blocks((10, 50, 35, 50)))
    assert parts.stray.sum() == 6
    np.testing.assert_array_equal(parts.both | parts.stray, mask)


def test_lungs_that_touch_are_parted_at_the_waist() -> None:
    mask = blocks((10, 50, 5, 28), (10, 50, 32, 55), (28, 33, 28, 32))
    parts = parts_of(mask)
    assert parts.left[:, :28].sum() == parts.right[:, 32:].sum() == 40 * 23
    assert not (parts.left & parts.right).any()
    np.testing.assert_array_equal(parts.both, mask)


@pytest.mark.parametrize(("first", "is_left"), [(5, True), (35, False)])
def test_one_lung_is_on_the_side_where_it_lies(first: int, *, is_left: bool) -> None:
    mask = blocks((10, 50, first, first + 18))
    parts = parts_of(mask)
    assert parts.left.any() == is_left
    assert parts.right.any() != is_left
    np.testing.assert_array_equal(nearer_left(parts), np.full((60, 60), is_left))


def test_a_small_second_part_is_no_lung() -> None:
    parts = parts_of(blocks((10, 50, 10, 30), (10, 14, 40, 45)))
    assert not parts.right.any()
    assert parts.stray.sum() == 20


def test_an_empty_mask_has_no_part_and_no_shape() -> None:
    parts = parts_of(blocks())
    assert not parts.both.any()
    assert measure(np.zeros((60, 60), np.float32), parts) == Shape(0, 0, 0, 0, 0, 0)


def test_a_shape_is_what_can_be_counted() -> None:
    left, right = blocks((10, 50, 10, 30)), blocks((20, 60, 35, 45))
    mask = left | right | blocks((0, 2, 0, 2))
    probability = np.where(mask, 0.95, 0.0).astype(np.float32)
    probability[left] = 0.8
    probability[0, 10:30] = 0.3
    shape = measure(probability, parts_of(mask))
    assert shape.area == pytest.approx(1200 / 3600)
    assert shape.certainty == pytest.approx((800 * 0.8 + 400 * 0.95) / 1200, abs=1e-6)
    assert shape.sharpness == pytest.approx(404 / (1204 + 20))
    assert shape.balance == pytest.approx(0.5)
    assert shape.level == pytest.approx(30 / 40)
    assert shape.whole == pytest.approx(1200 / 1204)


def test_each_pixel_is_nearer_to_one_lung() -> None:
    parts = parts_of(blocks((10, 50, 10, 25), (10, 50, 35, 50)))
    nearer = nearer_left(parts)
    assert nearer[:, :30].all()
    assert not nearer[:, 31:].any()


def test_a_box_ends_behind_the_last_pixel() -> None:
    assert box_of(blocks((10, 50, 12, 25))) == (10, 50, 12, 25)
