"""Sends objects: by C-STORE, or by STOW-RS."""

import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any, Final

import requests
from dicomweb_client import DICOMwebClient
from dicomweb_client.session_utils import create_session_from_user_pass
from pydicom import dcmread
from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, evt
from pynetdicom.association import Association

from pulmo.core.errors import PulmoError
from pulmo.node.peers import DicomPeer, Peer, WebPeer, check_title
from pulmo.node.way import Way

Send = Callable[[Path], None]
"""Sends a file; it raises a `PeerAwayError` where no other file can be sent either."""

SECONDS: Final = 30.0
"""That a peer may take for an answer."""
_PLAIN: Final = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)
_ACKNOWLEDGED: Final = (
    # Success, the warnings of PS3.4, table B.2-1, and 0111: the instance is there already.
    0x0000, 0xB000, 0xB006, 0xB007, 0x0111,
)  # fmt: skip


class PeerAwayError(PulmoError):
    """A peer takes nothing at the moment."""


@contextmanager
def connected(peer: Peer, way: Way, files: Sequence[Path]) -> Iterator[Send]:
    """Gives what sends the files to a peer.

    Args:
        peer: who gets them.
        way: how this node shows itself.
        files: which kinds of objects are offered to the peer.

    Raises:
        PeerAwayError: the peer cannot be reached, or does not let this node in.
    """
    if isinstance(peer, WebPeer):
        yield _stow(web_client(peer, way), peer)
        return
    heads = [dcmread(path, stop_before_pixels=True) for path in files]
    offered: dict[UID, list[UID]] = {}
    for head in heads:
        syntax = UID(head.file_meta.TransferSyntaxUID)
        syntaxes = list(_PLAIN) if syntax in _PLAIN else [syntax]
        known = offered.setdefault(UID(head.SOPClassUID), [])
        known.extend(each for each in syntaxes if each not in known)
    entity = AE(check_title(way.title))
    for kind, syntaxes in offered.items():
        for syntax in syntaxes:
            # A context of one syntax each, so that the peer does not choose among them.
            entity.add_requested_context(kind, syntax)
    with associated(entity, peer, way) as association:
        yield _store(association, peer)


@contextmanager
def associated(
    entity: AE,
    peer: DicomPeer,
    way: Way,
    roles: Sequence[Any] = (),
    handlers: Sequence[Any] = (),
) -> Iterator[Association]:
    """Gives an association with a peer.

    Args:
        entity: with what is asked for.
        peer: who is asked.
        way: how this node shows itself.
        roles: which roles are negotiated, of pynetdicom.
        handlers: of its events, likewise.

    Raises:
        PeerAwayError: the peer cannot be reached, or does not let this node in.
    """
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = SECONDS
    entity.connection_timeout = SECONDS
    connected_at_all = Event()

    def on_connected(event: evt.Event) -> None:
        connected_at_all.set()
        # A message has several parts, of which none is to wait for an acknowledgement (RFC 896).
        sock: Any = event.assoc.dul.socket
        sock.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    handlers = [*handlers, (evt.EVT_CONN_OPEN, on_connected)]
    association = entity.associate(
        peer.host,
        peer.port,
        ae_title=peer.title,
        tls_args=None if way.tls is None else (way.tls, peer.host),
        ext_neg=list(roles),
        evt_handlers=handlers,
    )
    try:
        if not association.is_established:
            raise _away(association, peer, way, connected_at_all.is_set())
        yield association
    finally:
        if association.is_established:
            association.release()
        _close(association)


def _close(association: Association) -> None:
    """Closes the socket, which pynetdicom leaves open where the other side has closed its own."""
    sock: Any = association.dul.socket
    if sock is not None and sock.socket is not None:
        sock.socket.close()


def _away(
    association: Association,
    peer: DicomPeer,
    way: Way,
    connected_at_all: bool,  # noqa: FBT001 - the last thing that is known
) -> PeerAwayError:
    """Returns why there is no association."""
    if association.is_rejected:
        return PeerAwayError(
            "peer-rejects", f"{peer} does not accept {way.title}, or not under this AE title."
        )
    if association.is_aborted and association.acceptor.primitive is not None:
        return PeerAwayError("peer-takes-nothing", f"{peer} accepts nothing that was offered.")
    if connected_at_all:
        return PeerAwayError("peer-gone", f"{peer} ended the connection.")
    tls = "" if way.tls is None else " with TLS"
    return PeerAwayError("peer-unreachable", f"{peer} cannot be reached{tls}.")


def web_client(peer: WebPeer, way: Way) -> DICOMwebClient:
    """Returns a client of a DICOMweb server, which tries nothing again by itself."""
    credentials = way.credentials
    if credentials is not None and credentials.user is not None:
        session = create_session_from_user_pass(credentials.user, credentials.secret)
    else:
        session = requests.Session()
    # Neither .netrc nor a proxy of the environment decides who learns of the images.
    session.trust_env = False
    if way.authority is not None:
        session.verify = str(way.authority)
    session.cert = way.pair
    token = None
    if credentials is not None and credentials.user is None:
        token = {"Authorization": f"Bearer {credentials.secret}"}
    client = DICOMwebClient(peer.url, session=session, headers=token, timeout=SECONDS)
    client.set_http_retry_params(retry=False)
    return client


@contextmanager
def web_errors(peer: WebPeer) -> Iterator[None]:
    """Turns errors of HTTP into a sentence, which quotes nothing that a server said.

    Raises:
        PeerAwayError: the server cannot be reached, does not let this node in, or has a fault.
        PulmoError: it did not do what it was asked for.
    """
    try:
        yield
    except requests.HTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        sentence = f"{peer} answered with the HTTP status {status}."
        if status in {401, 403, 404, 429} or status >= 500:
            raise PeerAwayError("peer-http-status", sentence) from error
        raise PulmoError("object-not-taken", sentence) from error
    except requests.exceptions.SSLError as error:
        raise PeerAwayError(
            "peer-tls-fails", f"TLS with {peer} failed: its certificate was not accepted."
        ) from error
    except requests.RequestException as error:
        raise PeerAwayError("peer-unreachable", f"{peer} cannot be reached.") from error


def _stow(client: DICOMwebClient, peer: WebPeer) -> Send:
    def send(path: Path) -> None:
        with web_errors(peer):
            said = client.store_instances([dcmread(path)])
        failed = said.get("FailedSOPSequence")
        if failed:
            reason = failed[0].get("FailureReason", 0)
            # PS3.18, I.2.2: 0111H is a duplicate, which is there already.
            if reason != 0x0111:
                raise PulmoError(
                    "object-not-taken", f"{peer} did not take the object: {reason:04X}."
                )

    return send


def _store(association: Association, peer: DicomPeer) -> Send:
    def send(path: Path) -> None:
        if not association.is_established:
            raise PeerAwayError("peer-gone", f"{peer} ended the connection.")
        dataset = dcmread(path)
        try:
            status = association.send_c_store(dataset)
        except ValueError as error:
            raise PulmoError(
                "object-not-taken", f"{peer} does not take {_kind(dataset)}."
            ) from error
        except RuntimeError as error:
            raise PeerAwayError("peer-gone", f"{peer} ended the connection.") from error
        _check(status, dataset, peer)

    return send


def _check(status: Dataset, dataset: FileDataset, peer: DicomPeer) -> None:
    if "Status" not in status:
        raise PeerAwayError("peer-gone", f"{peer} did not answer.")
    if status.Status not in _ACKNOWLEDGED:
        code = f"{status.Status:04X}"
        raise PulmoError("object-not-taken", f"{peer} did not take {_kind(dataset)}: {code}.")


def _kind(dataset: FileDataset) -> str:
    return UID(dataset.SOPClassUID).name
