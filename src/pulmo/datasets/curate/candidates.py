"""Which pairs of images are worth a closer look, without looking at every pair."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pulmo.datasets.curate.fingerprint import mirrored_codes
from pulmo.datasets.curate.gallery import Gallery

HASH_LIMIT: Final = 4
"""Bits of 64 by which the perceptual hashes of two images may differ, to be looked at."""

VOTES: Final = 3
"""Local features that two images must share, to be looked at."""

# How many of the 128 bits of two codes may differ, and by how many degrees the directions from a
# quarter turn. Half of the features of a copy are within 7 bits.
_CODE_LIMIT: Final = 10
_ANGLE_LIMIT: Final = 20

# Sortings of the codes, and neighbours that each code is compared with in each.
_SORTINGS: Final = 8
_NEIGHBOURS: Final = 2

_ROWS: Final = 1 << 18


class Entries(NamedTuple):
    """Features as they are, and once more as in the mirror image.

    Attributes:
        codes: uint64 [n, 2].
        angles: float32 [n], in degrees.
        owners: int32 [n], the image.
        features: int32 [n], the feature.
        mirrored: bool [n].
    """

    codes: NDArray[np.uint64]
    angles: NDArray[np.float32]
    owners: NDArray[np.int32]
    features: NDArray[np.int32]
    mirrored: NDArray[np.bool_]


def candidates(gallery: Gallery) -> NDArray[np.int64]:
    """Returns the pairs to look at: [n, 3], first < second, and 1 if one is to be mirrored."""
    found = np.concatenate([near_hashes(gallery.hashes()), shared_features(gallery)])
    return np.unique(found, axis=0)


def near_hashes(hashes: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Returns the pairs whose hashes differ by at most `HASH_LIMIT` bits.

    Every hash is compared with every other: seconds for ten thousand images, hours for a million.

    Args:
        hashes: [n, 2], of each image and of its mirror image.

    Returns:
        As `candidates`.
    """
    found = [np.empty((0, 3), np.int64)]
    step = max(1, _ROWS // max(1, len(hashes)))
    for start in range(0, len(hashes), step):
        rest = hashes[start + 1 :, 0]
        for mirrored in (0, 1):
            chunk = hashes[start : start + step, mirrored, None]
            first, second = np.nonzero(np.bitwise_count(chunk ^ rest) <= HASH_LIMIT)
            first, second = first[second >= first], second[second >= first]
            pairs = [first + start, second + start + 1, np.full(len(first), mirrored)]
            found.append(np.stack(pairs, axis=1))
    return np.concatenate(found)


def shared_features(gallery: Gallery) -> NDArray[np.int64]:
    """Returns the pairs that share at least `VOTES` features, whatever was cut off or turned.

    All codes are sorted by their bits, several times, each time with the bits in another order, and
    each is compared with its neighbours (Charikar 2002). The work grows with the number of features
    and not with its square. A code that very many images have is compared with few of them, so what
    all chest X-rays share counts little.

    Args:
        gallery: the images.

    Returns:
        As `candidates`.
    """
    entries = _entries(gallery)
    features = len(entries.features) // 2
    keys = [np.empty(0, np.int64)]
    for first, second in _neighbours(entries):
        # Whichever of the two is the mirrored one, and whichever is found first, gives one key.
        low = np.minimum(entries.features[first], entries.features[second]).astype(np.int64)
        high = np.maximum(entries.features[first], entries.features[second]).astype(np.int64)
        pose = _poses(entries, first, second)
        keys.append((low * features + high) * 8 + pose)
    matches = np.unique(np.concatenate(keys))
    pairs, pose = matches // 8, matches % 8
    owners = entries.owners[:features]
    low, high = (owners[each].astype(np.int64) for each in np.divmod(pairs, max(1, features)))
    poses, votes = np.unique((low * len(gallery) + high) * 8 + pose, return_counts=True)
    poses = poses[votes >= VOTES]
    first, second = np.divmod(poses // 8, max(1, len(gallery)))
    return np.unique(np.stack([first, second, poses % 8 // 4], axis=1), axis=0)


def _entries(gallery: Gallery) -> Entries:
    codes, angles, owners = gallery.codes(), gallery.angles(), gallery.owners()
    both = np.concatenate([codes, mirrored_codes(codes)])
    return Entries(
        both.view(np.uint64).reshape(-1, 2),
        np.concatenate([angles, 180 - angles]),
        np.tile(owners, 2),
        np.tile(np.arange(len(codes), dtype=np.int32), 2),
        np.repeat([False, True], len(codes)),
    )


def _neighbours(entries: Entries) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Yields entries of different images whose codes and directions are alike.

    The first is of the image with the lower number.
    """
    # Part of the method, not a random draw: the same images always give the same pairs.
    generator = np.random.default_rng(0)
    for _ in range(_SORTINGS):
        order = np.argsort(_keys(entries.codes, generator.permutation(128)), kind="stable")
        for step in range(1, _NEIGHBOURS + 1):
            for start in range(0, len(order) - step, _ROWS):
                stop = min(start + _ROWS, len(order) - step)
                one, two = order[start:stop], order[start + step : stop + step]
                first, second = _alike(entries, one, two)
                swapped = entries.owners[first] > entries.owners[second]
                yield np.where(swapped, second, first), np.where(swapped, first, second)


def _keys(codes: NDArray[np.uint64], bits: NDArray[np.intp]) -> NDArray[np.uint64]:
    """Returns 64 of the bits of each code, in their new order, as one number."""
    keys = np.empty(len(codes), np.uint64)
    for start in range(0, len(codes), _ROWS):
        rows = np.unpackbits(codes[start : start + _ROWS].view(np.uint8), axis=1)[:, bits[:64]]
        keys[start : start + _ROWS] = np.ascontiguousarray(np.packbits(rows, axis=1)).view(">u8")[
            :, 0
        ]
    return keys


def _alike(
    entries: Entries, one: NDArray[np.intp], two: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    differing = np.bitwise_count(entries.codes[one] ^ entries.codes[two]).sum(axis=1)
    # Two mirrored ones repeat what the two say as they are.
    kept = (differing <= _CODE_LIMIT) & ~(entries.mirrored[one] & entries.mirrored[two])
    kept &= entries.owners[one] != entries.owners[two]
    one, two = one[kept], two[kept]
    turn = (entries.angles[two] - entries.angles[one]) % 90
    upright = (turn <= _ANGLE_LIMIT) | (turn >= 90 - _ANGLE_LIMIT)
    return one[upright], two[upright]


def _poses(
    entries: Entries, first: NDArray[np.intp], second: NDArray[np.intp]
) -> NDArray[np.int64]:
    """Returns how the second image comes from the first: quarter turns, and 4 if mirrored."""
    turn = np.rint((entries.angles[second] - entries.angles[first]) / 90).astype(np.int64)
    # A mirror before a turn is the contrary turn before a mirror.
    turn = np.where(entries.mirrored[second], -turn, turn) % 4
    mirrored = entries.mirrored[first] | entries.mirrored[second]
    return turn + 4 * mirrored
