"""Each grey scale against an independent implementation, and what all of them keep."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pulmo.radiograph.geometry import to_input
from pulmo.radiograph.grey import GREY_SCALES
from pulmo.radiograph.grey.clahe import Clahe
from pulmo.radiograph.grey.equalise import Equalise
from pulmo.radiograph.grey.plain import PLAIN
from pulmo.radiograph.grey.stretch import Stretch

# CLAHE grades each tile by itself.
LOCAL = {"clahe"}


@pytest.fixture
def dull() -> NDArray[np.float32]:
    """An image whose greys crowd between 0.3 and 0.5."""
    generator = np.random.default_rng(0)
    return (0.3 + 0.2 * generator.beta(2, 5, (60, 70))).astype(np.float32)


def test_plain_is_the_image_itself(dull: NDArray[np.float32]) -> None:
    assert PLAIN.apply(dull) is dull


def test_a_stretch_takes_the_percentiles_to_the_ends(dull: NDArray[np.float32]) -> None:
    found = Stretch().apply(dull)
    low, high = np.percentile(dull, [1, 99])
    assert found.dtype == np.float32
    assert (found == 0).mean() == pytest.approx(0.01, abs=0.002)
    assert (found == 1).mean() == pytest.approx(0.01, abs=0.002)
    middle = (dull > low) & (dull < high)
    np.testing.assert_allclose(found[middle], ((dull - low) / (high - low))[middle], atol=1e-6)


def test_equalisation_is_opencvs_on_bytes(dull: NDArray[np.float32]) -> None:
    stored = np.rint(dull * 255).astype(np.uint8)
    found = Equalise().apply((stored / np.float32(255)).astype(np.float32))
    # Within a bin the cumulative share rises; OpenCV has its end for the whole bin.
    assert np.abs(found * 255 - cv2.equalizeHist(stored)).max() < 0.2 * 255
    assert np.corrcoef(found.ravel(), cv2.equalizeHist(stored).ravel())[0, 1] > 0.995


def test_equalised_greys_are_equally_frequent(dull: NDArray[np.float32]) -> None:
    counts, _ = np.histogram(Equalise().apply(dull), 10, (0, 1))
    assert counts / dull.size == pytest.approx(np.full(10, 0.1), abs=0.01)


def test_clahe_raises_local_contrast_within_the_range(dull: NDArray[np.float32]) -> None:
    found = Clahe().apply(dull)
    assert found.dtype == np.float32
    assert found.min() >= 0
    assert found.max() <= 1
    assert found.std() > 1.5 * dull.std()


def test_the_percentiles_and_the_tiles_are_parameters(dull: NDArray[np.float32]) -> None:
    assert (Stretch(low=10).apply(dull) == 0).mean() == pytest.approx(0.1, abs=0.005)
    assert (Stretch(high=80).apply(dull) == 1).mean() == pytest.approx(0.2, abs=0.005)
    assert not np.array_equal(Clahe(tiles=2).apply(dull), Clahe().apply(dull))


@pytest.mark.parametrize("name", GREY_SCALES)
def test_a_grey_scale_keeps_shape_range_and_image(name: str, dull: NDArray[np.float32]) -> None:
    flat = np.full((20, 20), 0.5, np.float32)
    flat[0, 0] = 0.5001
    black = np.zeros((16, 16), np.float32)
    for image in (dull, flat, black, np.linspace(0, 1, 400, dtype=np.float32).reshape(20, 20)):
        before = image.copy()
        found = GREY_SCALES[name]().apply(image)
        assert found.dtype == np.float32
        assert found.shape == image.shape
        assert np.isfinite(found).all()
        assert 0 <= found.min() <= found.max() <= 1
        assert np.array_equal(image, before)
        assert np.array_equal(GREY_SCALES[name]().apply(image), found)


@pytest.mark.parametrize("name", sorted(set(GREY_SCALES) - LOCAL))
def test_what_is_lighter_stays_lighter(name: str, dull: NDArray[np.float32]) -> None:
    order = np.argsort(dull, axis=None, kind="stable")
    assert (np.diff(GREY_SCALES[name]().apply(dull).ravel()[order]) >= 0).all()


def test_what_is_padded_stays_black(dull: NDArray[np.float32]) -> None:
    square = to_input(dull[:30], 70, "pad", Equalise())
    assert not square[:20].any()
    assert square[20:50].max() > 250
