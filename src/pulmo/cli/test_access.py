"""Where a command records an access to a test, and that it does."""

from pathlib import Path
from typing import TYPE_CHECKING

from pulmo.cli.console import say

if TYPE_CHECKING:
    from pulmo.evaluate.test_access import Access


def lists_of(model: Path, run: Path | None) -> list[Path]:
    """Returns the lists of accesses to tests: beside a model and, if it is named, in its run."""
    from pulmo.core.folders import BundleFolder, RunFolder

    beside = BundleFolder(model if model.is_dir() else model.parent).test_access
    return [beside] if run is None else [beside, RunFolder(run).test_access]


def record(access: "Access | None", lists: list[Path]) -> int | None:
    """Records an access and returns how often the test was evaluated with the model.

    None without an access. A list that cannot be written is reported.
    """
    from pulmo.evaluate.test_access import record_access

    if access is None:
        return None
    recorded = record_access(access, lists)
    for failure in recorded.failures:
        say(failure)
    return recorded.times
