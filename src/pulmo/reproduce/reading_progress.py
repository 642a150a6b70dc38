"""The progress of reading the data sets of a published system."""

from collections.abc import Callable
from dataclasses import dataclass

from pulmo.datasets.curate import CurationProgress


@dataclass(frozen=True)
class ReadingProgress:
    """The functions that are called while data sets are read, with what is done and what is to do.

    Attributes:
        on_import: called for each image that is imported.
        curation: called for the search for copies.
    """

    on_import: Callable[[int, int], None] | None = None
    curation: CurationProgress | None = None
