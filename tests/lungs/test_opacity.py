from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from pulmo.core.message import Message
from pulmo.lungs.mask import LungMask
from pulmo.lungs.opacity import opacity
from pulmo.lungs.parts import measure, parts_of


def chest(right: float, left: float) -> tuple[NDArray[np.float32], LungMask]:
    """Tissue of 0.8 around two lungs of these shades, in each of which a tenth is air of 0.1."""
    mask = np.zeros((60, 80), bool)
    mask[10:50, 10:30] = True
    mask[10:50, 50:70] = True
    pixels = np.full(mask.shape, 0.8, np.float32)
    pixels[10:50, 10:30], pixels[10:50, 50:70] = right, left
    pixels[10:14, 10:30] = pixels[10:14, 50:70] = 0.1
    parts = parts_of(mask)
    shape = measure(mask.astype(np.float32), parts)
    return pixels, LungMask(mask.astype(np.float32), parts.left, parts.right, (), shape)


def expected(shade: float) -> float:
    return 0.9 * (shade - 0.1) / 0.7


def test_it_is_a_share_between_air_and_tissue() -> None:
    found = opacity(*chest(0.3, 0.66))
    assert found is not None
    assert found.right == pytest.approx(expected(0.3), abs=1e-5)
    assert found.left == pytest.approx(expected(0.66), abs=1e-5)
    assert found.both == pytest.approx((expected(0.3) + expected(0.66)) / 2, abs=1e-5)
    assert found.zones["right lower"] == pytest.approx(0.2 / 0.7, abs=1e-5)
    assert found.zones["left lower"] == pytest.approx(0.56 / 0.7, abs=1e-5)
    assert found.zones["left upper"] < found.zones["left lower"]  # type: ignore[operator]


def test_brightness_and_contrast_do_not_change_it() -> None:
    pixels, lungs = chest(0.3, 0.5)
    before, after = opacity(pixels, lungs), opacity((0.1 + pixels / 2).astype(np.float32), lungs)
    assert before is not None
    assert after is not None
    assert after.both == pytest.approx(before.both, abs=1e-5)


def test_without_lungs_or_with_dark_tissue_there_is_none() -> None:
    pixels, lungs = chest(0.3, 0.5)
    assert opacity(1 - pixels, lungs) is None
    missing = replace(lungs, reasons=(Message("lungs-area", "There are none."),))
    assert opacity(pixels, missing) is None
