"""A data set is downloaded into a folder."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlsplit

import requests

import pulmo
from pulmo.core.errors import InputError, UsageError
from pulmo.datasets.fetch import published, repository
from pulmo.datasets.fetch.resume import Report
from pulmo.datasets.rows import file_inside
from pulmo.datasets.source import Published, Remote, Repository


class Web(NamedTuple):
    """Where GitHub is: its interface, and its files."""

    api: str = "https://api.github.com"
    raw: str = "https://raw.githubusercontent.com"


class Fetched(NamedTuple):
    """What was downloaded.

    Attributes:
        root: what `pulmo data import` takes as ROOT.
        files: how many files there are.
        size: their bytes.
    """

    root: Path
    files: int
    size: int


def fetch(
    remote: Remote,
    folder: Path,
    part: str | None = None,
    on_progress: Report | None = None,
    web: Web = Web(),  # noqa: B008 - it is a constant
) -> Fetched:
    """Downloads a data set, or the rest of one whose download was interrupted.

    Files that are there and right are left as they are; those that are there and wrong are never
    overwritten. A file gets its name once its bytes have their hash; until then it ends in `.part`.

    Args:
        remote: what to download.
        folder: where to; it is made if need be.
        part: which of several files; the first if None.
        on_progress: called with the bytes done and the bytes in all.
        web: where GitHub is.

    Raises:
        UsageError: there is no such part.
        InputError: a file cannot be downloaded or written, or is not the one that was published.
    """
    progress = on_progress or _show_nothing
    with requests.Session() as session:
        session.headers["User-Agent"] = f"pulmo/{pulmo.__version__}"
        if isinstance(remote, Repository):
            if part is not None:
                raise UsageError(
                    "download-without-parts", "This data set has no parts to choose from."
                )
            return _repository(session, remote, folder, progress, web)
        return _published(session, _chosen(remote, part), folder, progress)


def _repository(
    session: requests.Session, remote: Repository, folder: Path, progress: Report, web: Web
) -> Fetched:
    files = repository.list_files(session, web.api, remote)
    total, done = sum(file.size for file in files), 0
    for file in files:
        url = f"{web.raw}/{remote.name}/{remote.commit}/{quote(file.path)}"
        report = partial(_report_file, progress, done, total)
        repository.take(session, url, file, _inside(folder, file.path), report)
        done += file.size
        progress(done, total)
    return Fetched(folder, len(files), total)


def _chosen(parts: Mapping[str, Published], part: str | None) -> Published:
    name = part or next(iter(parts))
    if name not in parts:
        raise UsageError(
            "download-part-unknown", f"There is no part {name!r}; choose one of {', '.join(parts)}."
        )
    return parts[name]


def _published(
    session: requests.Session, file: Published, folder: Path, progress: Report
) -> Fetched:
    target = _inside(folder, Path(urlsplit(file.url).path).name)
    published.take(session, file, target, progress)
    return Fetched(target, 1, target.stat().st_size)


def _inside(folder: Path, name: str) -> Path:
    try:
        return file_inside(folder, name)
    except ValueError as error:
        raise InputError("download-failed", f"The file is not downloaded: {error}.") from None


def _report_file(progress: Report, before: int, total: int, have: int, _size: int) -> None:
    progress(before + have, total)


def _show_nothing(_done: int, _total: int) -> None:
    """Shows no progress."""
