"""How this node shows itself to others."""

import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pulmo.daemon.tls import TlsFiles
from pulmo.node.options import Network
from pulmo.node.peers import Credentials, Peer, check_secrecy, check_title, read_credentials


class Way(NamedTuple):
    """How this node shows itself to a peer.

    Attributes:
        title: the AE title of this node.
        tls: how TLS is spoken by DIMSE; None without.
        authority: certificates of an authority for https; None for those of the system.
        pair: certificate and key of this node for https; None without.
        credentials: for DICOMweb; None without.
    """

    title: str
    tls: ssl.SSLContext | None = None
    authority: Path | None = None
    pair: tuple[str, str] | None = None
    credentials: Credentials | None = None


def tls_files(options: Network) -> TlsFiles:
    """Returns the files of TLS of the options."""
    return TlsFiles(options.tls_certificate, options.tls_key, options.tls_ca)


def way_of(options: Network, peers: Sequence[Peer], *, tls: bool) -> Way:
    """Returns how this node shows itself to peers.

    Args:
        options: the AE title, the files of TLS and the credentials.
        peers: who is asked.
        tls: whether TLS is spoken by DIMSE.

    Raises:
        RefusedError: credentials would be sent without TLS.
        UsageError: the AE title is none.
        InputError: a file cannot be used.
    """
    credentials = read_credentials(options.credentials)
    for peer in peers:
        check_secrecy(peer, credentials)
    files = tls_files(options)
    context = files.client_context()
    pair = (str(files.certificate), str(files.key)) if files.certificate else None
    title = check_title(options.aet)
    return Way(title, context if tls else None, files.authority, pair, credentials)
