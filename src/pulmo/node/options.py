"""Options of `pulmo listen` and `pulmo pull`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pulmo.core.flags import PYTHON_ONLY, flag

_FILE: Final[Any] = flag(metavar="FILE")


@dataclass(frozen=True)
class NodeData:
    """Where the node keeps what it received and what it has to send.

    Attributes:
        data: the folder of the inbox, the outbox and the log. Default: pulmo/listen in the
            user's data folder, such as ~/.local/share.
    """

    data: Path | None = field(default=None, metadata=flag(metavar="DIR"))


@dataclass(frozen=True)
class Network(NodeData):
    """How this node speaks with others.

    Attributes:
        aet: the AE title of this node.
        tls_certificate: the certificate of this node for TLS, a PEM file.
        tls_key: the key of the certificate, a PEM file.
        tls_ca: certificates of the authority that vouches for the other side, a PEM file.
        credentials: a file with `USER:PASSWORD` or `Bearer TOKEN` for DICOMweb. Default: what the
            environment variable PULMO_DICOMWEB_CREDENTIALS holds.
    """

    aet: str = field(default="PULMO", metadata=flag(metavar="TITLE"))
    tls_certificate: Path | None = field(default=None, metadata=_FILE)
    tls_key: Path | None = field(default=None, metadata=_FILE)
    tls_ca: Path | None = field(default=None, metadata=_FILE)
    credentials: Path | None = field(default=None, metadata=_FILE)


@dataclass(frozen=True)
class ListenOptions(Network):
    """Who may send images, where results go, and what an image may cost.

    Attributes:
        host: the address to listen at; 0.0.0.0 is every address of this machine.
        port: the port to listen at; 0 takes a free one.
        allow: the AE title of a node that may send. Default: any, where only this machine can.
        send_to: a node that gets the results by C-STORE.
        send_tls: speak TLS with the nodes that get the results by C-STORE.
        stow: the DICOMweb address that gets the results by STOW-RS, such as
            https://pacs.example/dicom-web.
        workers: processes that read and classify. Default: one a processor core.
        timeout: seconds that an image may take.
        memory: MiB that a worker process may take.
        associations: connections that may be open at once; more are refused for the moment.
        keep_days: days after which an image and its results are removed, if all were sent.
        first_delay: seconds after which a failed sending is tried again; then twice as long, and
            so on.
        longest_delay: the longest of these.
    """

    host: str = "127.0.0.1"
    port: int = field(default=11112, metadata=flag(least=0))
    allow: Sequence[str] = field(default=(), metadata=flag(metavar="TITLE"))
    send_to: Sequence[str] = field(default=(), metadata=flag(metavar="TITLE@HOST:PORT"))
    send_tls: bool = False
    stow: Sequence[str] = field(default=(), metadata=flag(metavar="URL"))
    workers: int | None = field(default=None, metadata=flag(least=1))
    timeout: int = field(default=60, metadata=flag(metavar="SECONDS", least=1))
    memory: int = field(default=4096, metadata=flag(metavar="MIB", least=512))
    associations: int = field(default=10, metadata=flag(least=1))
    keep_days: int = field(default=30, metadata=flag(metavar="DAYS", least=0))
    first_delay: float = field(default=1.0, metadata=PYTHON_ONLY)
    longest_delay: float = field(default=300.0, metadata=PYTHON_ONLY)


@dataclass(frozen=True)
class PullOptions(Network):
    """Which images are fetched, and where to.

    Attributes:
        since: the first study date, such as 2026-01-31; it is needed.
        until: the last study date. Default: that of --since.
        modality: a modality of the studies. Default: CR and DX.
        body_part: a part of the body, such as CHEST. A series that states none is fetched too.
            Default: any.
        to: fetch into this folder. Default: into the inbox of `pulmo listen`.
        move_to: the AE title of the `pulmo listen` that the other node sends to by C-MOVE.
            Default: C-GET, which brings the images over the same connection.
        tls: speak TLS with a node that is asked by C-FIND.
    """

    since: str = field(default="", metadata=flag(metavar="DATE"))
    until: str | None = field(default=None, metadata=flag(metavar="DATE"))
    modality: Sequence[str] = ()
    body_part: Sequence[str] = ()
    to: Path | None = field(default=None, metadata=flag(metavar="DIR"))
    move_to: str | None = field(default=None, metadata=flag(metavar="TITLE"))
    tls: bool = False
