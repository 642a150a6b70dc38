import cv2
import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pulmo.datasets.curate.fingerprint import (
    FEATURES,
    SIDE,
    Fingerprint,
    fingerprint,
    mirrored_codes,
    mirrored_points,
)

Pixels = NDArray[np.float32]


def sizes(made: Fingerprint) -> list[tuple[int, ...]]:
    return [made.square.shape, made.hashes.shape, made.points.shape, made.codes.shape]


def test_a_fingerprint_is_small(prints: list[Fingerprint]) -> None:
    for each in prints:
        n = len(each.points)
        assert 50 < n <= FEATURES
        assert sizes(each) == [(SIDE, SIDE), (2,), (n, 3), (n, 16)]
        assert each.shape == (224, 256)
        assert (each.points[:, :2] >= 0).all()
        assert (each.points[:, :2] < SIDE).all()


def test_the_hash_is_that_of_imagehash(prints: list[Fingerprint]) -> None:
    square = Image.fromarray(prints[0].square)
    expected = [
        str(imagehash.phash(image))
        for image in (square, square.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    ]
    assert [f"{int(value.byteswap()):016x}" for value in prints[0].hashes] == expected


def test_squashing_changes_little(drawn: list[Pixels], prints: list[Fingerprint]) -> None:
    smaller = cv2.resize(drawn[0], (200, 300), interpolation=cv2.INTER_AREA)
    squashed = fingerprint(np.asarray(smaller, np.float32))
    assert squashed.shape == (300, 200)
    assert np.bitwise_count(squashed.hashes ^ prints[0].hashes).max() <= 2
    difference = squashed.square.astype(int) - prints[0].square
    assert np.abs(difference).mean() < 2


def test_an_image_without_details_has_no_features() -> None:
    ramp = np.linspace(0, 1, 64 * 64, dtype=np.float32).reshape(64, 64)
    assert sizes(fingerprint(ramp)) == [(SIDE, SIDE), (2,), (0, 3), (0, 16)]


def test_mirrored_features_are_those_of_the_mirror_image(prints: list[Fingerprint]) -> None:
    for each in prints:
        mirror = fingerprint(np.asarray(each.square[:, ::-1] / 255, np.float32))
        points, codes = mirrored_points(each.points), mirrored_codes(each.codes)
        matches = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(codes, mirror.codes)
        assert len(matches) > 0.8 * len(codes)
        here, there = (
            [match.queryIdx for match in matches],
            [match.trainIdx for match in matches],
        )
        apart = points[here] - mirror.points[there]
        apart[:, 2] = (apart[:, 2] + 180) % 360 - 180
        assert np.median([match.distance for match in matches]) <= 1
        assert np.median(np.abs(apart), axis=0).max() < 0.1
        assert each.hashes.tolist() == mirror.hashes[::-1].tolist()
        np.testing.assert_array_equal(mirrored_codes(codes), each.codes)
