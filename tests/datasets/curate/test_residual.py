import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pulmo.datasets.curate.fingerprint import SIDE, Fingerprint
from pulmo.datasets.curate.residual import affine_map, residual

STILL = np.eye(2, 3)


@pytest.fixture
def square(prints: list[Fingerprint]) -> NDArray[np.uint8]:
    return prints[0].square


def test_an_image_lies_on_itself(square: NDArray[np.uint8]) -> None:
    found = residual(square, square, STILL)
    assert found is not None
    assert found.displacement < 1e-3
    assert found.correlation > 0.99
    assert found.overlap == 1
    np.testing.assert_allclose(found.affine, STILL, atol=1e-3)


def test_a_rough_map_is_made_exact(square: NDArray[np.uint8]) -> None:
    truth = np.array([[0.95, 0.04, 6.0], [-0.03, 1.04, -5.0]])
    moved = np.asarray(cv2.warpAffine(square, truth, (SIDE, SIDE), flags=cv2.INTER_CUBIC), np.uint8)
    found = residual(square, moved, truth + np.array([[0.01, 0, 0.8], [0, -0.01, -0.6]]))
    assert found is not None
    np.testing.assert_allclose(found.affine[:, :2], truth[:, :2], atol=3e-3)
    corners = np.array([[20.0, 20], [140, 20], [20, 140], [140, 140]])
    here, there = (corners @ m[:, :2].T + m[:, 2] for m in (found.affine, truth))
    np.testing.assert_allclose(here, there, atol=0.2)
    assert found.displacement < 0.1
    assert found.correlation > 0.95


def test_the_overlap_is_the_share_of_the_smaller(square: NDArray[np.uint8]) -> None:
    half = cv2.resize(square[:, : SIDE // 2], (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    inside = residual(square, np.asarray(half, np.uint8), np.array([[2.0, 0, 0.5], [0, 1, 0]]))
    assert inside is not None
    assert inside.overlap == pytest.approx(1, abs=0.05)
    shifted = np.asarray(
        cv2.warpAffine(square, np.array([[1.0, 0, SIDE * 0.4], [0, 1, 0]]), (SIDE, SIDE)),
        np.uint8,
    )
    moved = residual(square, shifted, np.array([[1.0, 0, SIDE * 0.4], [0, 1, 0]]))
    assert moved is not None
    assert moved.overlap == pytest.approx(0.6, abs=0.02)


def test_another_patient_does_not_fit(prints: list[Fingerprint]) -> None:
    for other in prints[1:7]:
        found = residual(prints[0].square, other.square, STILL)
        assert found is None or found.displacement > 0.5


@pytest.mark.parametrize(
    "affine",
    [
        pytest.param(np.array([[1.0, 0, SIDE * 0.9], [0, 1, 0]]), id="too little is shared"),
        pytest.param(np.array([[1.0, 0, 3 * SIDE], [0, 1, 0]]), id="nothing is shared"),
        pytest.param(np.array([[1.0, 0, 40], [0, 1, 0]]), id="far from the truth"),
    ],
)
def test_what_does_not_fit_is_given_up(
    square: NDArray[np.uint8], affine: NDArray[np.float64]
) -> None:
    assert residual(square, square, affine) is None


def test_nothing_is_found_on_an_empty_square(square: NDArray[np.uint8]) -> None:
    assert residual(square, np.full_like(square, 90), STILL) is None


def test_the_affine_map_is_the_same_whatever_the_global_seed() -> None:
    generator = np.random.default_rng(0)
    source = generator.uniform(0, 160, (60, 2)).astype(np.float32)
    target = source @ np.array([[1.1, 0.1], [-0.1, 0.9]], np.float32) + 3
    target[:25] = generator.uniform(0, 160, (25, 2))
    maps = []
    for seed in (1, 2):
        cv2.setRNGSeed(seed)
        maps.append(affine_map(source, target, 1.0))
    assert maps[0][1] == maps[1][1] >= 35
    assert maps[0][0] is not None
    np.testing.assert_array_equal(maps[0][0], maps[1][0])
    np.testing.assert_allclose(maps[0][0], [[1.1, -0.1, 3], [0.1, 0.9, 3]], atol=1e-3)


def test_points_on_one_spot_give_no_map() -> None:
    assert affine_map(np.ones((9, 2), np.float32), np.ones((9, 2), np.float32), 1.0) == (None, 0)
