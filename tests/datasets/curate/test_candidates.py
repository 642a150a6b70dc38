from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from pulmo.datasets.curate import candidates as module
from pulmo.datasets.curate.candidates import (
    HASH_LIMIT,
    candidates,
    near_hashes,
    shared_features,
)
from pulmo.datasets.curate.fingerprint import Fingerprint, fingerprint
from pulmo.datasets.curate.gallery import Gallery

Pixels = NDArray[np.float32]


def brute_force(hashes: NDArray[np.uint64]) -> list[list[int]]:
    """Compares every pair of hashes bit by bit."""
    found = []
    for first, second in combinations(range(len(hashes)), 2):
        for mirrored in (0, 1):
            differing = int(hashes[first, mirrored]) ^ int(hashes[second, 0])
            if f"{differing:b}".count("1") <= HASH_LIMIT:
                found.append([first, second, mirrored])
    return found


@pytest.mark.parametrize("rows", [1, 7, 1 << 18])
def test_near_hashes_are_those_of_a_comparison_of_all(
    rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_ROWS", rows)
    generator = np.random.default_rng(3)
    hashes = generator.integers(2**63, size=(40, 2), dtype=np.uint64)
    # Some are a few bits from others, a few of these mirrored.
    hashes[20:30, 0] = hashes[:10, 0] ^ (np.uint64(1) << np.arange(10, dtype=np.uint64))
    hashes[30:36, 0] = hashes[5:11, 1] ^ np.uint64(0b10111)
    hashes[36:38, 0] = hashes[5:7, 1] ^ np.uint64(0b110111)
    expected = brute_force(hashes)
    assert len(expected) == 18
    assert sorted(near_hashes(hashes).tolist()) == expected


def test_there_may_be_nothing_to_compare() -> None:
    assert near_hashes(np.empty((0, 2), np.uint64)).shape == (0, 3)
    with Gallery() as empty:
        assert candidates(empty).shape == (0, 3)


@pytest.mark.parametrize("mirrored", [0, 1])
@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_crop_is_found_in_every_pose(
    gallery: Gallery, crop: Pixels, mirrored: int, turns: int
) -> None:
    posed = np.rot90(crop[:, ::-1] if mirrored else crop, turns)
    gallery.add(fingerprint(np.ascontiguousarray(posed)))
    found = shared_features(gallery).tolist()
    assert [0, 8, mirrored] in found
    # What else is looked at is right as to the order, and nothing is looked at twice.
    assert all(first < second for first, second, _ in found)
    assert len({tuple(pair) for pair in found}) == len(found)


def test_it_does_not_matter_which_of_two_came_first(
    prints: list[Fingerprint], crop: Pixels
) -> None:
    copy = fingerprint(np.ascontiguousarray(np.rot90(crop[:, ::-1])))
    with Gallery() as one, Gallery() as other:
        for here, there in zip([prints[0], copy], [copy, prints[0]], strict=True):
            one.add(here)
            other.add(there)
        assert shared_features(one).tolist() == shared_features(other).tolist() == [[0, 1, 1]]


def test_the_work_in_pieces_gives_the_same(
    gallery: Gallery, crop: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery.add(fingerprint(crop))
    whole = candidates(gallery)
    monkeypatch.setattr(module, "_ROWS", 100)
    np.testing.assert_array_equal(candidates(gallery), whole)


def test_images_without_features_are_found_by_their_hash(
    drawn: list[Pixels], prints: list[Fingerprint]
) -> None:
    plain = [
        each._replace(points=each.points[:0], codes=each.codes[:0])
        for each in (*prints[:3], fingerprint(drawn[1] * 0.9))
    ]
    with Gallery() as gallery:
        for each in plain:
            gallery.add(each)
        assert candidates(gallery).tolist() == [[1, 3, 0]]
