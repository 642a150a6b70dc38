"""A download that goes on where it was interrupted (RFC 9110, sections 13.1.5 and 14)."""

import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import requests

from pulmo.core.errors import InputError

Report = Callable[[int, int], None]
"""Is called with the bytes that have arrived and, if the server says so, those of the whole."""

# What an interruption loses at most.
_BLOCK: Final = 1 << 16
# Seconds to connect, and between two pieces.
_PATIENCE: Final = (15, 60)
_RANGE: Final = re.compile(r"bytes (?P<start>\d+)-\d+/(\d+|\*)")


def part_of(target: Path) -> Path:
    """Returns where the bytes of `target` lie until all of them are there."""
    return target.with_name(f"{target.name}.part")


def forget_part(target: Path) -> None:
    """Removes what there is of a download."""
    for path in (part_of(target), _tag_of(target)):
        path.unlink(missing_ok=True)


def other_file(target: Path) -> InputError:
    """Returns the error for a file that is there and not the one that was published."""
    return InputError(
        "download-target-differs",
        f"{target} exists and differs from the published file. It was not changed. Move it away "
        "and try again.",
    )


def wrong_bytes(url: str) -> InputError:
    """Returns the error for a download whose hash is not the published one."""
    return InputError(
        "download-hash-differs",
        f"{url} sent other data than was published; they were deleted. Try again. If that does "
        "not help, inform the publisher of the data set.",
    )


def download(session: requests.Session, url: str, target: Path, report: Report) -> Path:
    """Downloads what is still lacking of a file, and returns where all of its bytes now lie.

    They lie in `<target>.part`, which stays there after an interruption or an error. A server that
    cannot send the rest, or whose file has changed meanwhile, sends all of it again.

    Args:
        session: its headers are sent too.
        url: the file.
        target: the name that the file will have once its bytes are checked.
        report: called with the bytes as they arrive.

    Raises:
        InputError: the file cannot be reached, the connection is dropped, or the disk is full.
    """
    part, tag = part_of(target), _tag_of(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if not _attempt(session, url, (part, tag), report):
            forget_part(target)
            if not _attempt(session, url, (part, tag), report):
                raise InputError(
                    "download-range-differs",
                    f"{url} sent another part of the file than was requested.",
                )
        tag.unlink(missing_ok=True)
    except requests.RequestException as error:
        have = part.stat().st_size if part.is_file() else 0
        raise InputError(
            "download-interrupted",
            f"{url} could not be downloaded: {cause_of(error)}. {have:,} bytes of it are kept.",
        ) from error
    except OSError as error:
        raise InputError(
            "download-not-written",
            f"{part} could not be written: {error.strerror or error}. Make room on the disk.",
        ) from error
    return part


def _attempt(
    session: requests.Session, url: str, places: tuple[Path, Path], report: Report
) -> bool:
    """Asks for the bytes after those that are there; False if these are of no use."""
    part, tag = places
    have = part.stat().st_size if part.is_file() else 0
    with session.get(url, headers=_ask(have, tag), stream=True, timeout=_PATIENCE) as response:
        if have and response.status_code == requests.codes.requested_range_not_satisfiable:
            return response.headers.get("Content-Range") == f"bytes */{have}"
        _refuse(response)
        if response.status_code != requests.codes.partial_content:
            have = 0
            _remember(response, tag)
        elif not _goes_on(response, have):
            return False
        total = have + int(response.headers.get("Content-Length", 0))
        with part.open("ab" if have else "wb") as file:
            for piece in response.iter_content(_BLOCK):
                file.write(piece)
                have += len(piece)
                report(have, max(have, total))
    return True


def _ask(have: int, tag: Path) -> dict[str, str]:
    # The rest of a compressed answer cannot be requested.
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
        if tag.is_file():
            headers["If-Range"] = tag.read_text()
    return headers


def _remember(response: requests.Response, tag: Path) -> None:
    """Keeps the name of the file's version; a weak one says nothing of its bytes."""
    name = response.headers.get("ETag", "")
    if name.startswith('"'):
        tag.write_text(name)
    else:
        tag.unlink(missing_ok=True)


def _goes_on(response: requests.Response, have: int) -> bool:
    match = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
    return match is not None and int(match["start"]) == have


def _refuse(response: requests.Response) -> None:
    """Turns an answer that is no file into a sentence.

    Raises:
        InputError: it is one.
    """
    status = response.status_code
    if status < 400:
        return
    if status in {404, 410}:
        raise InputError(
            "download-gone",
            f"{response.url} answered {status} {response.reason}: the file is no longer there.",
        )
    raise InputError(
        "download-refused",
        f"{response.url} answered {status} {response.reason}. The server is busy, or limits the "
        "number of requests.",
    )


def cause_of(error: requests.RequestException) -> str:
    """Returns why a request failed, without what two libraries say around it."""
    inner = error.args[0] if error.args else error
    inner = getattr(inner, "reason", inner)
    if isinstance(getattr(inner, "__cause__", None), socket.gaierror) and error.request:
        host = urlsplit(str(error.request.url)).hostname
        return (
            f"the host {host} could not be found; see whether this machine is online, and whether "
            "HTTPS_PROXY must name a proxy"
        )
    text = str(inner.args[0]) if getattr(inner, "args", ()) else str(inner)
    return text.rpartition("): ")[2].rstrip(".")


def _tag_of(target: Path) -> Path:
    return target.with_name(f"{target.name}.part.etag")
