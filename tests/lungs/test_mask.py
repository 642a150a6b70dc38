"""What a mask tells: its box, its zones and its outline."""

import cv2
import numpy as np

from pulmo.core.message import Message
from pulmo.lungs import Box, LungMask
from pulmo.lungs.parts import Shape

NONE = Shape(0, 0, 0, 0, 0, 0)


def made(*, empty: bool = False) -> LungMask:
    right, left = np.zeros((2, 80, 100), np.bool_)
    if not empty:
        right[10:70, 10:40] = True
        left[22:67, 60:90] = True
    reasons = (Message("no-lungs", "No lungs were found."),) if empty else ()
    return LungMask((right | left).astype(np.float32), right, left, reasons, NONE)


def test_the_box_holds_both_lungs_and_a_margin_inside_the_image() -> None:
    lungs = made()
    assert lungs.found
    assert lungs.reason is None
    assert lungs.box() == Box(10, 70, 10, 90)
    assert lungs.box(0.1) == Box(4, 76, 2, 98)
    assert lungs.box(0.5) == Box(0, 80, 0, 100)
    assert lungs.area == (60 * 30 + 45 * 30) / 8000


def test_the_frame_is_by_the_moments_of_the_pixels() -> None:
    lungs = made()
    places = np.argwhere(lungs.mask) + 0.5
    low, high = (places.mean(axis=0) + sign * 2.1 * places.std(axis=0) for sign in (-1, 1))
    frame = lungs.frame(2.1)
    assert frame is not None
    assert (frame.top, frame.left) == tuple(np.round(low))
    assert (frame.bottom, frame.right) == tuple(np.round(high))
    assert frame.left < 0  # it sticks out of the image
    assert made(empty=True).frame(2.1) is None


def test_a_stray_pixel_moves_the_box_and_not_the_frame() -> None:
    lungs, stray = made(), made()
    stray.right[79, 0] = True
    assert stray.box() == Box(10, 80, 0, 90)
    assert stray.frame(2.1) == lungs.frame(2.1)


def test_the_zones_are_thirds_of_each_lung() -> None:
    lungs = made()
    zones = lungs.zones
    assert [zones[name].sum() for name in ("right upper", "right middle", "right lower")] == [
        600,
        600,
        600,
    ]
    assert zones["left middle"][37:52, 60:90].all()
    assert zones["left middle"].sum() == 450
    np.testing.assert_array_equal(sum(zones.values()), lungs.mask.astype(int))


def test_the_outline_encloses_the_lungs() -> None:
    lungs = made()
    lines = lungs.outline()
    drawn = np.zeros((80, 100), np.uint8)
    cv2.fillPoly(drawn, [line.astype(np.int32) for line in lines], 1)
    assert len(lines) == 2
    np.testing.assert_array_equal(drawn.astype(np.bool_), lungs.mask)


def test_without_lungs_there_is_nothing_but_a_reason() -> None:
    lungs = made(empty=True)
    assert not lungs.found
    assert lungs.reason == "No lungs were found."
    assert lungs.box(0.1) is None
    assert lungs.outline() == []
    assert not any(zone.any() for zone in lungs.zones.values())
    assert lungs.area == 0
