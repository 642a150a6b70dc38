"""A file whose publisher states its hash."""

from pathlib import Path

import pooch
import requests

from pulmo.datasets.fetch.resume import Report, download, other_file, wrong_bytes
from pulmo.datasets.source import Published


def take(session: requests.Session, file: Published, target: Path, report: Report) -> None:
    """Downloads a file, unless it is there.

    Raises:
        InputError: it cannot be downloaded, or the bytes that came or are there are not its own.
    """
    if target.exists() and not pooch.hashes.hash_matches(target, file.digest):
        raise other_file(target)

    def downloader(url: str, output: str, _pooch: object) -> None:
        download(session, url, target, report).replace(output)

    # It would write its progress to stderr, through the bar.
    pooch.get_logger().setLevel("WARNING")
    try:
        pooch.retrieve(file.url, file.digest, target.name, target.parent, downloader=downloader)
    except ValueError:
        raise wrong_bytes(file.url) from None
