import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pulmo.radiograph.geometry import to_input
from pulmo.radiograph.grey import Grey, regrade


@pytest.fixture
def dull() -> NDArray[np.float32]:
    """A film whose greys crowd between 0.3 and 0.5."""
    generator = np.random.default_rng(0)
    return (0.3 + 0.2 * generator.beta(2, 5, (60, 70))).astype(np.float32)


def test_plain_is_the_film_itself(dull: NDArray[np.float32]) -> None:
    assert regrade(dull, "plain") is dull


def test_a_stretch_takes_the_percentiles_to_the_ends(dull: NDArray[np.float32]) -> None:
    found = regrade(dull, "stretch")
    low, high = np.percentile(dull, [1, 99])
    assert found.dtype == np.float32
    assert (found == 0).mean() == pytest.approx(0.01, abs=0.002)
    assert (found == 1).mean() == pytest.approx(0.01, abs=0.002)
    middle = (dull > low) & (dull < high)
    np.testing.assert_allclose(found[middle], ((dull - low) / (high - low))[middle], atol=1e-6)


def test_equalisation_is_opencvs_on_bytes(dull: NDArray[np.float32]) -> None:
    stored = np.rint(dull * 255).astype(np.uint8)
    found = regrade((stored / np.float32(255)).astype(np.float32), "equalise")
    # Within a bin the cumulative share rises; OpenCV has its end for the whole bin.
    assert np.abs(found * 255 - cv2.equalizeHist(stored)).max() < 0.2 * 255
    assert np.corrcoef(found.ravel(), cv2.equalizeHist(stored).ravel())[0, 1] > 0.995


def test_equalised_greys_are_equally_frequent(dull: NDArray[np.float32]) -> None:
    counts, _ = np.histogram(regrade(dull, "equalise"), 10, (0, 1))
    assert counts / dull.size == pytest.approx(np.full(10, 0.1), abs=0.01)


def test_clahe_raises_local_contrast_within_the_range(dull: NDArray[np.float32]) -> None:
    found = regrade(dull, "clahe")
    assert found.dtype == np.float32
    assert found.min() >= 0
    assert found.max() <= 1
    assert found.std() > 1.5 * dull.std()


@pytest.mark.parametrize("grey", ["stretch", "equalise", "clahe"])
def test_a_film_of_nearly_one_grey_stays_in_range(grey: Grey) -> None:
    flat = np.full((20, 20), 0.5, np.float32)
    flat[0, 0] = 0.5001
    found = regrade(flat, grey)
    assert np.isfinite(found).all()
    assert 0 <= found.min() <= found.max() <= 1


def test_what_is_padded_stays_black(dull: NDArray[np.float32]) -> None:
    square = to_input(dull[:30], 70, "pad", "equalise")
    assert not square[:20].any()
    assert square[20:50].max() > 250
