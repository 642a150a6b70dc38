"""Who gets results, or is asked for images, as a user names them."""

import os
import re
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from pulmo.core.errors import InputError, RefusedError, UsageError
from pulmo.core.files import read_bytes
from pulmo.daemon.addresses import is_here

VARIABLE: Final = "PULMO_DICOMWEB_CREDENTIALS"
_TITLE: Final = re.compile(r"[\x20-\x5b\x5d-\x7e]{1,16}")
"""PS3.5, table 6.2-1, AE: 16 characters, none of them a backslash or a control character."""
_PEER: Final = re.compile(r"(?P<title>.+)@(?P<host>\[[^\]]+\]|[^:@\[\]]+):(?P<port>[0-9]{1,5})")
_LAST_PORT: Final = 65535


class DicomPeer(NamedTuple):
    """A node that speaks DIMSE.

    Attributes:
        title: its AE title.
        host: its name or address.
        port: its port.
    """

    title: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.title}@{host}:{self.port}"


class WebPeer(NamedTuple):
    """A server that speaks DICOMweb.

    Attributes:
        url: its root.
    """

    url: str

    def __str__(self) -> str:
        return self.url


Peer = DicomPeer | WebPeer


class Credentials(NamedTuple):
    """What a DICOMweb server is told of who asks.

    Attributes:
        user: the user's name; None where there is a token.
        secret: the password, or the token.
    """

    user: str | None
    secret: str


def check_title(title: str) -> str:
    """Returns an AE title without spaces around it.

    Raises:
        UsageError: it is none.
    """
    if not _TITLE.fullmatch(title) or not title.strip():
        raise UsageError(
            "ae-title-invalid",
            f"{title!r} is no AE title: 1 to 16 characters of ASCII without a backslash.",
        )
    return title.strip()


def read_peer(text: str) -> DicomPeer:
    """Returns a node that is named as `TITLE@HOST:PORT`.

    Raises:
        UsageError: it is not named so.
    """
    found = _PEER.fullmatch(text)
    if found is None or not 0 < int(found["port"]) <= _LAST_PORT:
        raise UsageError(
            "peer-invalid",
            f"{text!r} names no node; one is named TITLE@HOST:PORT, as PACS@pacs:104.",
        )
    return DicomPeer(check_title(found["title"]), found["host"].strip("[]"), int(found["port"]))


def read_web_peer(text: str) -> WebPeer:
    """Returns a DICOMweb server that is named by its address.

    Raises:
        UsageError: that is none, or it holds a password, which the log would show.
    """
    try:
        parts = urlsplit(text)
        is_web = parts.scheme in {"http", "https"} and bool(parts.hostname)
        has_user = "@" in parts.netloc
    except ValueError:
        is_web = has_user = False
    if has_user:
        raise UsageError(
            "dicomweb-address-with-password",
            "The address of a DICOMweb server holds a user's name or a password. Put them into a "
            f"file or into the environment variable {VARIABLE}.",
        )
    if not is_web:
        raise UsageError(
            "dicomweb-address-invalid",
            f"{text!r} is no address of a DICOMweb server, as https://pacs.example/dicom-web is.",
        )
    return WebPeer(text.rstrip("/"))


def read_credentials(file: Path | None) -> Credentials | None:
    """Returns the credentials of a file, else those of the environment; None without any.

    Raises:
        InputError: the file cannot be read, or they are neither `USER:PASSWORD` nor `Bearer TOKEN`.
    """
    where = VARIABLE if file is None else str(file)
    if file is None:
        text = os.environ.get(VARIABLE, "").strip()
    else:
        text = read_bytes(file).decode("utf-8", "replace").strip()
    if not text and file is None:
        return None
    scheme, _, token = text.partition(" ")
    if scheme == "Bearer" and token.strip():
        return Credentials(None, token.strip())
    user, colon, password = text.partition(":")
    if not (user and colon) or "\n" in text:
        raise InputError(
            "credentials-invalid",
            f"{where} holds no credentials: USER:PASSWORD or Bearer TOKEN was expected.",
        )
    return Credentials(user, password)


def check_secrecy(peer: Peer, credentials: Credentials | None) -> None:
    """Does nothing where credentials cannot be read on their way.

    Raises:
        RefusedError: they would leave this machine without TLS.
    """
    if isinstance(peer, DicomPeer):
        return
    parts = urlsplit(peer.url)
    if credentials and parts.scheme == "http" and not is_here(parts.hostname or ""):
        raise RefusedError(
            "credentials-without-tls",
            f"The credentials for {peer} would be sent without TLS. Use an address of https.",
        )
