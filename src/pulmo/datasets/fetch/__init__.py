"""Downloads of the data sets that allow it: resumable, and every file checked by its hash."""

from pulmo.datasets.fetch.fetch import Fetched, Web, fetch

__all__ = ["Fetched", "Web", "fetch"]
