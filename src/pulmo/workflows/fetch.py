"""Fetch: a data set is downloaded, if its publisher allows that."""

from collections.abc import Callable
from pathlib import Path

from pulmo.core.errors import RefusedError, UsageError
from pulmo.core.output import claim_folder
from pulmo.datasets.fetch import Fetched
from pulmo.datasets.fetch import fetch as fetch_files
from pulmo.datasets.source import SOURCES


def fetch(
    source: str,
    output: Path,
    part: str | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Fetched:
    """Downloads a data set, or the rest of it, and checks the hash of every file.

    Args:
        source: a name in `SOURCES`.
        output: the folder to write.
        part: which file, of a data set with several. None: the first.
        on_progress: called with the bytes downloaded and the bytes in all.

    Raises:
        UsageError: there is no such source or part, or the source reads a user's own images.
        RefusedError: the data set must be got by hand, by the steps in its `about.obtain`.
        InputError: a file cannot be downloaded or written, or has another hash.
    """
    about = SOURCES[source].about
    if about.remote is None:
        if not about.url:
            raise UsageError(
                "download-of-own-images",
                f"{source} reads images of your own; there is nothing to download.",
            )
        raise RefusedError(
            "download-by-hand",
            f"{source} is not downloaded: its publisher asks for an account, or publishes no hash "
            "to check the files by. Follow the steps to get it by hand.",
        )
    claim_folder(output)
    return fetch_files(about.remote, output, part, on_progress)
