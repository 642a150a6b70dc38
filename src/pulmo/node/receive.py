"""Receives images by C-STORE: each is kept before the sender hears that it was received."""

import re
import socket
import ssl
import sys
import time
from collections.abc import Callable
from threading import Event
from typing import Any, Final

from pydicom.uid import (
    UID,
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    DigitalXRayImageStorageForProcessing,
    SecondaryCaptureImageStorage,
)
from pynetdicom import AE, evt
from pynetdicom.events import Event as DicomEvent
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined] # made at run time
from pynetdicom.transport import ThreadedAssociationServer

from pulmo.core.errors import InputError, PulmoError, UsageError
from pulmo.daemon.json_log import log
from pulmo.node.files import file_of_encoded
from pulmo.node.inbox import put
from pulmo.node.options import ListenOptions
from pulmo.node.peers import check_title
from pulmo.node.store import Store, instance_of
from pulmo.radiograph.dicom_syntax import COMPRESSIONS

CLASSES: Final = (
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    DigitalXRayImageStorageForProcessing,
    SecondaryCaptureImageStorage,
)
"""Storage classes that are received."""

# PS3.4, table B.2-1: a sender may try again after the first, and not after the second.
_OUT_OF_RESOURCES: Final = 0xA700
_NOT_UNDERSTOOD: Final = 0xC000
_LATER: Final = ("disk-full", "database-locked")
_HANDSHAKE: Final = 10.0
"""Seconds that a handshake of TLS may take."""
_SILENCE: Final = 60.0
"""Seconds without a message after which a connection is closed."""
_PDU: Final = 2**18
"""Bytes of a message's part: images come in few parts, and a part takes little memory."""
_UID: Final = re.compile(r"[0-9.]{1,64}")
_LAST_PORT: Final = 65535


class _Server(ThreadedAssociationServer):
    """Shakes hands in the thread of a connection, so that a silent one keeps no other out.

    Attributes:
        serves: set while connections are taken; before, it cannot be stopped.
    """

    def __init__(self, *words: Any, **named: Any) -> None:  # noqa: ANN401 - as the base class
        self.serves = Event()
        super().__init__(*words, **named)

    def service_actions(self) -> None:
        """Says that connections are taken."""
        self.serves.set()
        super().service_actions()

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        """Takes a connection as it is."""
        listener: Any = self.socket
        taken: tuple[socket.socket, tuple[str, int]] = listener.accept()
        return taken

    def finish_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as the base class
        """Begins TLS, if it is spoken, and then the association."""
        # An answer has several parts, of which none is to wait for an acknowledgement (RFC 896).
        request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.ssl_context is not None:
            request.settimeout(_HANDSHAKE)
            request = self.ssl_context.wrap_socket(request, server_side=True)
            request.settimeout(None)
        super().finish_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401, ARG002 - as the base class
        """Says that a connection came to nothing."""
        log("connection-failed", "warning", address=client_address[0], message=_failure())


class Receiver:
    """Takes images of other nodes into the inbox.

    Attributes:
        address: host and port that are listened at.
    """

    def __init__(
        self,
        store: Store,
        options: ListenOptions,
        tls: ssl.SSLContext | None,
        on_new: Callable[[], None],
    ) -> None:
        """Begins to listen.

        Args:
            store: of the node.
            options: the address, and who may send.
            tls: how TLS is spoken; None without.
            on_new: called after an image was kept.

        Raises:
            UsageError: an AE title or the port is none.
            InputError: the address cannot be listened at.
        """
        self._store, self._on_new = store, on_new
        self._title = check_title(options.aet)
        self._entity = AE(self._title)
        self._entity.require_called_aet = True
        self._entity.require_calling_aet = [check_title(title) for title in options.allow]
        self._entity.maximum_associations = options.associations
        self._entity.maximum_pdu_size = _PDU
        self._entity.network_timeout = self._entity.dimse_timeout = _SILENCE
        self._entity.add_supported_context(Verification)
        for kind in CLASSES:
            self._entity.add_supported_context(kind, list(COMPRESSIONS))
        self._server = self._started(options, tls)
        self.address: tuple[str, int] = self._server.server_address[:2]

    def stop(self, seconds: float) -> None:
        """Takes no connection any more, and waits so long for those that are open.

        Args:
            seconds: after which they are cut; what was acknowledged is kept.
        """
        self._server.serves.wait(seconds)
        self._server.shutdown()
        until = time.monotonic() + seconds
        while self._server.active_associations and time.monotonic() < until:
            time.sleep(0.05)
        for association in self._server.active_associations:
            association.abort()

    def _started(self, options: ListenOptions, tls: ssl.SSLContext | None) -> _Server:
        if options.port > _LAST_PORT:
            raise UsageError(
                "port-invalid", f"There is no port {options.port}; the last one is {_LAST_PORT}."
            )
        handlers: list[Any] = [
            (evt.EVT_C_STORE, self._stored),
            (evt.EVT_REJECTED, self._rejected),
            (evt.EVT_ACCEPTED, self._accepted),
        ]
        try:
            server: Any = self._entity.make_server(
                (options.host, options.port),
                ae_title=self._title,
                contexts=self._entity.supported_contexts,
                ssl_context=tls,
                evt_handlers=handlers,
                server_class=_Server,
            )
        except OSError as error:
            raise InputError(
                "address-unusable",
                f"The port {options.port} of {options.host} cannot be listened at: "
                f"{error.strerror or error}.",
            ) from error
        # Its shutdown takes it out again.
        self._entity._servers.append(server)  # noqa: SLF001 - see above
        made: _Server = server
        return made

    def serve(self) -> None:
        """Takes connections until it is stopped."""
        self._server.serve_forever(0.1)

    def _stored(self, event: DicomEvent) -> int:
        """Keeps an image; returns the status that its sender gets."""
        who = event.assoc.requestor.ae_title
        uid = str(event.request.AffectedSOPInstanceUID)  # type: ignore[union-attr] # of C-STORE
        try:
            arrival = put(self._store, uid, file_of_event(event), who)
        except Exception as error:  # noqa: BLE001 - the sender must hear that it was not kept
            code = error.code if isinstance(error, PulmoError) else "internal-error"
            words = str(error) if isinstance(error, PulmoError) else type(error).__name__
            status = _OUT_OF_RESOURCES if code in _LATER else _NOT_UNDERSTOOD
            told: dict[str, Any] = {"status": f"{status:04X}", "code": code, "message": words}
            log("not-received", "error", instance=instance_of(uid), who=who, **told)
            return status
        level = "warning" if arrival == "changed" else "info"
        log("received", level, instance=instance_of(uid), who=who, arrival=arrival)
        if arrival != "known":
            self._on_new()
        return 0x0000

    def _rejected(self, event: DicomEvent) -> None:
        """Says why a node was not let in."""
        association = event.assoc
        who = association.requestor.ae_title
        called = association.requestor.primitive.called_ae_title  # type: ignore[union-attr] # it was read
        allowed = self._entity.require_calling_aet
        if called != self._title:
            code, words = "called-title-wrong", f"{who} called {called}; this is {self._title}."
        elif allowed and who not in allowed:
            code, words = "calling-title-unknown", f"{who} is not on the list of those allowed."
        else:
            code, words = "too-many-connections", f"{who} was refused: too many are connected."
        log("association-rejected", "warning", who=who, code=code, message=words)

    def _accepted(self, event: DicomEvent) -> None:
        """Says what a node offered of these classes, or altogether, that is not received."""
        who = event.assoc.requestor.ae_title
        # Many nodes offer all classes that they know.
        refused = {
            f"{_name(context.abstract_syntax)} in {_name(syntax)}"
            for context in event.assoc.rejected_contexts
            if context.abstract_syntax in CLASSES
            for syntax in context.transfer_syntax
        }
        for each in sorted(refused):
            log("syntax-not-received", "warning", who=who, message=f"{each} is not received.")
        if not event.assoc.accepted_contexts:
            message = f"{who} offered nothing that is received."
            log("nothing-received", "warning", who=who, message=message)


def file_of_event(event: DicomEvent) -> bytes:
    """Returns the file of an image that came by C-STORE."""
    request: Any = event.request
    kind, uid = UID(request.AffectedSOPClassUID), UID(request.AffectedSOPInstanceUID)
    encoded = event.encoded_dataset(include_meta=False)
    return file_of_encoded(kind, uid, UID(event.context.transfer_syntax), encoded)


def _name(uid: object) -> str:
    """Returns what a UID stands for; a text that can be no UID is not quoted."""
    text = str(uid)
    return UID(text).name if _UID.fullmatch(text) else "something unknown"


def _failure() -> str:
    """Returns why a connection came to nothing, without what was sent."""
    error = sys.exc_info()[1]
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason or 'unknown reason'}."
    return f"The connection failed: {type(error).__name__}."
