"""The rule that tells lungs from what is none."""

import pytest

from pulmo.lungs.parts import Shape
from pulmo.lungs.rule import LungRule

GOOD = Shape(area=0.3, certainty=0.95, sharpness=0.8, balance=0.9, level=0.95, whole=1.0)
POOR = Shape(area=0.2, certainty=0.9, sharpness=0.6, balance=0.7, level=0.8, whole=0.9)


def test_what_it_was_fitted_on_passes_and_no_limit_is_stricter_than_that() -> None:
    rule = LungRule.fit([GOOD, POOR])
    assert rule.lacks(GOOD) == rule.lacks(POOR) == ()
    for name, value in POOR._asdict().items():
        assert 0.4 * value < getattr(rule, name) < value


@pytest.mark.parametrize("name", Shape._fields)
def test_each_limit_refuses_what_is_below_it(name: str) -> None:
    rule = LungRule.fit([POOR])
    limit = getattr(rule, name)
    assert rule.lacks(GOOD._replace(**{name: limit})) == ()
    (lacking,) = rule.lacks(GOOD._replace(**{name: 0.99 * limit}))
    assert lacking.kind == f"no-lungs-{name}"
    assert "No lungs were found" in lacking.text


def test_nothing_marked_is_one_reason() -> None:
    (lacking,) = LungRule.fit([POOR]).lacks(Shape(0, 0, 0, 0, 0, 0))
    assert lacking.kind == "no-lungs"
