"""What a change costs, and what that means."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from pulmo.audit.accuracy import balanced_difference
from pulmo.audit.check import CannotRun
from pulmo.audit.context import AuditContext
from pulmo.audit.drops import decided_on, drop, drop_verdict, require_enough, require_skill, worst
from pulmo.stats.estimate import Estimate

MakeRows = Callable[..., pd.DataFrame]
Tell = Callable[..., AuditContext]


@pytest.fixture
def context(make_rows: MakeRows, tell: Tell) -> AuditContext:
    """A hundred images of each of two classes, all decided on rightly."""
    rows = make_rows(["normal"] * 100 + ["covid"] * 100)
    return tell(rows, np.repeat(np.eye(2), 100, axis=0))


def test_a_drop_is_the_paired_difference(context: AuditContext) -> None:
    numbers = np.arange(200)
    changed = context.truth.copy()
    changed[:20] = 1
    found = drop(context, numbers, changed)
    assert found.value == pytest.approx(0.1)
    assert found == balanced_difference(context, numbers, context.truth, changed).estimate
    # The variance of the mean of two shares, one of which does not vary.
    reach = 1.972 * np.sqrt(0.2 * 0.8 / 100 / 4)
    assert found.low == pytest.approx(0.1 - reach, abs=1e-3)


def test_where_nothing_changes_the_interval_is_that_of_none(context: AuditContext) -> None:
    found = drop(context, np.arange(200), context.truth)
    z = float(norm.ppf(0.975))
    assert found.value == 0.0
    assert found.high == pytest.approx(z**2 / (200 + z**2), rel=0.02)
    assert found.low == -(found.high or 0)
    everything = drop(context, np.arange(200), 1 - context.truth)
    assert (everything.value, everything.high) == (1.0, 1.0)
    assert everything.low == pytest.approx(1 - (found.high or 0))


def test_one_group_shows_nothing(make_rows: MakeRows, tell: Tell) -> None:
    rows = make_rows(["normal", "covid"] * 50).assign(group="one")
    context = tell(rows, np.tile(np.eye(2), (50, 1)))
    found = drop(context, np.arange(100), context.truth)
    assert found.low is None
    assert drop_verdict(found) == "could_not_run"
    with pytest.raises(CannotRun, match="not clearly above chance"):
        require_skill(context, np.arange(100))
    with pytest.raises(CannotRun, match=r"100 images are too few: .* 1\.000"):
        require_enough(context, np.arange(100))


def test_skill_is_above_chance(make_rows: MakeRows, tell: Tell, context: AuditContext) -> None:
    assert require_skill(context, np.arange(200)).value == 1.0
    rows = make_rows(["normal"] * 50 + ["covid"] * 50)
    guessing = tell(rows, np.tile(np.eye(2), (50, 1)))
    with pytest.raises(CannotRun, match=r"balanced accuracy on 100 images is 0\.500"):
        require_skill(guessing, np.arange(100))


def test_few_images_are_refused(context: AuditContext) -> None:
    require_enough(context, np.arange(50, 150))
    with pytest.raises(CannotRun, match="40 images are too few"):
        require_enough(context, np.arange(80, 120))
    require_enough(context, np.arange(80, 120), margin=0.2)


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (Estimate(0.10, 0.06, 0.14, 100), "fails"),
        (Estimate(0.10, 0.04, 0.16, 100), "warns"),
        (Estimate(0.02, -0.02, 0.06, 100), "warns"),
        (Estimate(0.01, -0.02, 0.04, 100), "passes"),
        (Estimate(-0.2, -0.3, -0.1, 100), "passes"),
    ],
)
def test_a_drop_must_significantly_be_within_the_margin(found: Estimate, verdict: str) -> None:
    assert drop_verdict(found) == verdict


def test_the_worst_verdict_matters() -> None:
    assert worst("passes", "warns", "could_not_run") == "warns"
    assert worst("passes", "fails", "could_not_run") == "fails"
    assert worst("passes", "could_not_run") == "could_not_run"


def test_decisions_are_those_of_the_changed_images(context: AuditContext) -> None:
    numbers = np.array([0, 150, 3])
    others = np.array([101, 5, 102])
    decided = decided_on(context, context.images[others], numbers)
    assert decided.tolist() == [1, 0, 1]
