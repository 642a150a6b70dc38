from collections.abc import Callable

import numpy as np
import pytest

from pulmo.explain.location import Map, Mask, evidence_share, overlap, pointing

MAP = np.array([[0, 1, 2], [-4, 5, 0], [0, 0, 0]], np.float32)


def mask(*places: tuple[int, int]) -> np.ndarray:
    made = np.zeros((3, 3), bool)
    for place in places:
        made[place] = True
    return made


def test_the_highest_value_points() -> None:
    assert pointing(MAP, mask((1, 1))) is True
    assert pointing(MAP, mask((0, 1))) is False
    assert pointing(MAP, mask((0, 1)), tolerance=1) is True


def test_the_share_counts_positive_evidence_alone() -> None:
    assert evidence_share(MAP, mask((1, 0), (1, 1))) == pytest.approx(5 / 8)
    flat = np.ones((3, 3), np.float32)
    assert evidence_share(flat, mask((0, 0), (2, 2))) == pytest.approx(2 / 9)


def test_the_overlap_keeps_as_many_pixels_as_were_marked() -> None:
    assert overlap(MAP, mask((1, 1), (0, 2))) == 1.0
    assert overlap(MAP, mask((1, 1), (2, 2))) == pytest.approx(1 / 3)


@pytest.mark.parametrize("score", [pointing, overlap])
def test_nothing_marked_and_no_evidence_have_no_score(
    score: Callable[[Map, Mask], object],
) -> None:
    assert score(MAP, mask()) is None
    assert score(-np.abs(MAP), mask((0, 0))) is None


def test_a_map_without_evidence_has_no_share() -> None:
    assert evidence_share(-np.abs(MAP), mask((0, 0))) is None
