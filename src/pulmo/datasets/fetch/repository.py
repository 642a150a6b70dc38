"""A repository on GitHub at one commit: its files, each checked by the name that Git gives it."""

import hashlib
import json
from pathlib import Path
from typing import Final, NamedTuple

import requests

from pulmo.core.errors import InputError
from pulmo.core.files import open_bytes
from pulmo.datasets.fetch.resume import (
    Report,
    cause_of,
    download,
    forget_part,
    other_file,
    wrong_bytes,
)
from pulmo.datasets.source import Repository

_BLOCK: Final = 1 << 20
# Neither a link nor another repository.
_FILES: Final = {"100644", "100755"}


class GitFile(NamedTuple):
    """A file of a repository.

    Attributes:
        path: within the repository.
        sha1: Git's name of its content.
        size: in bytes.
    """

    path: str
    sha1: str
    size: int


def list_files(session: requests.Session, api: str, repository: Repository) -> list[GitFile]:
    """Returns the files that a repository has below the paths that are needed.

    Args:
        session: asks the server.
        api: where GitHub's REST interface is.
        repository: the repository.

    Raises:
        InputError: the list is not available, or holds fewer files than it should.
    """
    url = f"{api}/repos/{repository.name}/git/trees/{repository.commit}?recursive=1"
    try:
        response = session.get(url, timeout=60)
        response.raise_for_status()
        answer = json.loads(response.content)
        files = [
            GitFile(str(item["path"]), str(item["sha"]), int(item["size"]))
            for item in answer["tree"]
            if item["type"] == "blob" and item["mode"] in _FILES
        ]
        whole = answer["truncated"] is False
    except requests.RequestException as error:
        raise InputError(
            "download-list-failed",
            f"The list of files of {repository.name} could not be fetched from GitHub: "
            f"{cause_of(error)}. Try again later; GitHub answers 60 requests per hour.",
        ) from error
    except (KeyError, TypeError, ValueError):
        whole = False
    if not whole:
        raise InputError(
            "download-list-incomplete", f"{url} did not answer with the complete list of files."
        )
    found = [file for file in files if _needed(file.path, repository.paths)]
    if len(found) < repository.least:
        raise InputError(
            "download-list-unexpected",
            f"{repository.name} has {len(found)} files in {', '.join(repository.paths)} at its "
            f"commit {repository.commit}; at least {repository.least} were expected.",
        )
    return found


def _needed(path: str, wanted: tuple[str, ...]) -> bool:
    return any(path == name or path.startswith(f"{name}/") for name in wanted)


def take(session: requests.Session, url: str, file: GitFile, target: Path, report: Report) -> None:
    """Downloads a file of a repository, unless it is there.

    Raises:
        InputError: it cannot be downloaded, or the bytes that came or are there are not its own.
    """
    if target.exists():
        if _git_sha1(target) != file.sha1:
            raise other_file(target)
        return
    part = download(session, url, target, report)
    if _git_sha1(part) != file.sha1:
        forget_part(target)
        raise wrong_bytes(url)
    part.replace(target)


def _git_sha1(path: Path) -> str:
    """Returns the name that Git gives the content of a file."""
    with open_bytes(path) as file:
        digest = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
