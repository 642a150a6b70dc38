from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pulmo.datasets.curate import verify
from pulmo.datasets.curate.fingerprint import Fingerprint, fingerprint
from pulmo.datasets.curate.verify import Evidence, compare

Pixels = NDArray[np.float32]

CLEAR = Evidence(2, 100, 90, 0.95, 0.05, 1.0, mirrored=False)


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        (CLEAR, True),
        (CLEAR._replace(displacement=0.23), False),
        (CLEAR._replace(correlation=0.74), False),
        (CLEAR._replace(overlap=0.29), False),
        (CLEAR._replace(displacement=0.22, correlation=0.75, overlap=0.3), True),
    ],
)
def test_every_limit_counts(evidence: Evidence, *, expected: bool) -> None:
    assert evidence.copies is expected


def test_a_crop_is_a_copy_in_both_directions(prints: list[Fingerprint], crop: Pixels) -> None:
    copy = fingerprint(crop)
    for first, second in ((prints[0], copy), (copy, prints[0])):
        found = compare(first, second, mirrored=False)
        assert found is not None
        assert found.copies
        assert found.matches >= found.inliers >= 30
        assert found.overlap > 0.95
        assert found.hash_distance == np.bitwise_count(first.hashes[0] ^ second.hashes[0])


def test_a_mirror_image_is_a_copy_if_it_is_looked_for(
    prints: list[Fingerprint], crop: Pixels
) -> None:
    copy = fingerprint(np.ascontiguousarray(crop[:, ::-1]))
    found = compare(prints[0], copy, mirrored=True)
    assert found is not None
    assert found.copies
    assert found.mirrored
    straight = compare(prints[0], copy, mirrored=False)
    assert straight is None or not straight.copies


def test_images_of_other_patients_and_other_images_are_no_copies(prints: list[Fingerprint]) -> None:
    for other in prints[1:]:
        found = compare(prints[0], other, mirrored=False)
        assert found is None or not found.copies


def test_the_displacement_is_in_pixels_of_the_coarser_image(
    drawn: list[Pixels], prints: list[Fingerprint]
) -> None:
    small = cv2.resize(drawn[0], (90, 80), interpolation=cv2.INTER_AREA)
    coarse = np.asarray(small, np.float32)
    found = compare(prints[0], fingerprint(coarse), mirrored=False)
    finer = compare(prints[0], fingerprint(coarse)._replace(shape=(160, 160)), mirrored=False)
    tiny = compare(prints[0], fingerprint(coarse)._replace(shape=(20, 20)), mirrored=False)
    assert found is not None
    assert finer is not None
    assert tiny is not None
    assert found.copies
    assert finer.displacement / found.displacement == pytest.approx(160 / 80, rel=1e-3)
    assert finer.displacement / tiny.displacement == pytest.approx(160 / 64, rel=1e-3)


@pytest.mark.parametrize(
    "distort",
    [
        pytest.param(lambda points: points * [1, 0.4, 1], id="squashed too much"),
        pytest.param(lambda points: points * 0.2, id="too small"),
        pytest.param(lambda points: points * [-1, 1, 1], id="turned over"),
    ],
)
def test_a_map_that_no_copy_has_is_not_used(
    prints: list[Fingerprint], distort: Callable[[Pixels], Pixels]
) -> None:
    odd = prints[0]._replace(points=distort(prints[0].points).astype(np.float32))
    found = compare(prints[0], odd, mirrored=False)
    # The hashes are the same, so the images are compared as they lie.
    assert found is not None
    assert found.inliers == 0
    assert found.copies
    far = odd._replace(hashes=~odd.hashes)
    assert compare(prints[0], far, mirrored=False) is None


def test_features_that_agree_on_nothing_give_no_map(
    prints: list[Fingerprint], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "affine_map", lambda *_: (None, 0))
    found = compare(prints[0], prints[0], mirrored=False)
    assert found is not None
    assert (found.inliers, found.copies) == (0, True)


def test_images_that_cannot_be_laid_on_each_other_are_no_copies(
    prints: list[Fingerprint],
) -> None:
    blank = prints[0]._replace(square=np.full_like(prints[0].square, 9))
    assert compare(prints[0], blank, mirrored=False) is None
