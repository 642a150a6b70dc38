"""What the tests of all use cases share."""

import pytest


@pytest.fixture(autouse=True)
def _learners(hasty_learners: None) -> None:
    """Trains the baselines of an audit in haste."""


@pytest.fixture(autouse=True)
def _figures(request: pytest.FixtureRequest) -> None:
    """Leaves figures blank, but for tests that are marked."""
    if not request.node.get_closest_marker("rendered"):
        request.getfixturevalue("blank_figures")
