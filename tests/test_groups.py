"""The tests of a group go to one worker, which makes once what they share."""

import pytest

pytestmark = pytest.mark.xdist_group("groups")


def test_the_schedule_knows_the_group_of_a_test(request: pytest.FixtureRequest) -> None:
    config = request.config
    if getattr(config.option, "loadgroup", False):  # set by pytest-xdist in its workers
        assert request.node.nodeid.endswith("@groups")
