"""Data sets: readers of public ones, and the manifest that every step takes and gives."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pulmo.datasets.loading import load

__all__ = ["load"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    """Loads `load` when it is first used (PEP 562), because it imports all that reads images."""
    if name == "load":
        return import_module("pulmo.datasets.loading").load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
