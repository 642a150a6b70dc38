"""A model that decides by a marker in a corner, and one that decides by the lungs."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from pulmo.audit.check import CHECKS
from pulmo.audit.checks.corners import _alone_verdict, _part_verdict, hide, regions
from pulmo.audit.context import AuditContext
from pulmo.stats.estimate import Estimate

Images = NDArray[np.uint8]
Model = Callable[[Images], NDArray[np.floating]]
Show = Callable[..., AuditContext]


def test_a_model_of_the_lungs_passes(show: Show, chests: Images, by_lungs: Model) -> None:
    result = CHECKS["corners"](show(chests, by_lungs))
    assert result.verdict == "passes"
    assert result.metrics["corners and edges alone"].value == 0.5
    assert [result.metrics[name].value for name in list(result.metrics)[:4]] == [0.0] * 4


def test_a_model_of_a_marker_fails(show: Show, chests: Images, by_marker: Model) -> None:
    result = CHECKS["corners"](show(chests, by_marker))
    assert result.verdict == "fails"
    assert result.metrics["corners black"].value == 0.5
    # The mean grey of these images tells their class, so that a corner of it tells it too.
    assert result.metrics["corners mean grey"].value == 0.0
    assert result.metrics["corners and edges alone"].value == 1.0
    assert result.metrics["corners and edges alone"].value == 1.0


def test_regions_lie_in_all_corners_and_along_all_edges() -> None:
    where = regions(160)
    assert where["corners"].sum() == 4 * 24 * 24
    assert where["edges"].sum() == 160 * 160 - 140 * 140
    for place in where.values():
        assert (place == place[::-1]).all()
        assert (place == place.T).all()
        assert not place[80, 80]


def test_what_is_hidden_has_one_grey_each() -> None:
    images = np.full((2, 8, 8), 100, np.uint8)
    where = np.zeros((8, 8), np.bool_)
    where[0] = True
    hidden = hide(images, where, np.array([3.4, 200.0]))
    assert hidden.dtype == np.uint8
    assert (hidden[:, 0] == [[3], [200]]).all()
    assert (hidden[:, 1:] == 100).all()


@pytest.mark.parametrize(
    ("alone", "verdict"),
    [
        (Estimate(0.62, 0.56, 0.68, 100), "fails"),
        (Estimate(0.58, 0.52, 0.64, 100), "warns"),
        (Estimate(0.55, 0.49, 0.61, 100), "passes"),
        (Estimate(0.9, None, None, 100, "one group"), "passes"),
    ],
)
def test_alone_they_must_be_near_chance(alone: Estimate, verdict: str) -> None:
    assert _alone_verdict(alone, 0.5) == verdict


@pytest.mark.parametrize(
    ("black", "grey", "verdict"),
    [
        (0.2, 0.1, "fails"),
        (0.2, 0.0, "warns"),
        (0.0, 0.2, "warns"),
        (0.05, 0.05, "warns"),
        (0.0, 0.0, "passes"),
    ],
)
def test_a_part_is_missed_in_both_greys(black: float, grey: float, verdict: str) -> None:
    drops = (Estimate(value, value - 0.02, value + 0.02, 100) for value in (black, grey))
    assert _part_verdict(*drops) == verdict
