"""Fixtures for all tests, and which worker does which tests."""

import gc
from pathlib import Path

import pytest

# A conftest.py of a folder that the command line names imports some of them first.
pytest.register_assert_rewrite("fixtures")

_FIXTURES = (
    "dicom_answers",
    "dicom_files",
    "drawn",
    "experiment",
    "predictions",
    "quick",
    "results",
    "shipped",
)


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Loads the fixtures, and torch with them, except where other processes do the tests.

    A worker measures coverage from the start of its session on: what is imported before is missed.
    """
    if session.config.getoption("dist", "no") == "no":
        for name in _FIXTURES:
            session.config.pluginmanager.import_plugin(f"fixtures.{name}")


_LONG = {".", "cli", "experiments", "models", "train", "workflows"}
"""Folders whose tests take seconds, so that each goes to the worker that is free."""


def pytest_itemcollected(item: pytest.Item) -> None:
    """Gives the tests of a file to one worker, which makes its fixtures and asks for work once."""
    file = item.path.relative_to(Path(__file__).parent)
    if str(file.parent) not in _LONG and not item.get_closest_marker("xdist_group"):
        item.add_marker(pytest.mark.xdist_group(str(file)))


_FIRST = ("folds", "ray-data", "reproduce")
"""Groups of tests that take long, and so begin first: the last one would leave a worker idle."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the groups that take long before all other tests."""

    def is_later(item: pytest.Item) -> bool:
        group = item.get_closest_marker("xdist_group")
        return group is None or not group.args or group.args[0] not in _FIRST

    items.sort(key=is_later)


def pytest_collection_finish() -> None:
    """Leaves what the libraries made out of the garbage collection, a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def pytest_unconfigure() -> None:
    """Lets the libraries' objects go, or their bindings call them leaked at the end."""
    gc.unfreeze()
