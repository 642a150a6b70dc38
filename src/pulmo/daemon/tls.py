"""TLS: the certificates of this side, and the authority that vouches for the other one."""

import ssl
from pathlib import Path
from typing import NamedTuple

from pulmo.core.errors import InputError, UsageError


class TlsFiles(NamedTuple):
    """Files of TLS, all PEM; None of what was not named.

    Attributes:
        certificate: of this side.
        key: of that certificate.
        authority: certificates of those that vouch for the other side.
    """

    certificate: Path | None = None
    key: Path | None = None
    authority: Path | None = None

    def server_context(self) -> ssl.SSLContext | None:
        """Returns how connections are accepted; None where no certificate was named.

        Where an authority is named, who connects must show a certificate of it.

        Raises:
            UsageError: a certificate was named without its key, or either without the other.
            InputError: a file cannot be used.
        """
        self._check_pair()
        if self.certificate is None:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._load(context)
        if self.authority is not None:
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def client_context(self) -> ssl.SSLContext:
        """Returns how a server is connected to, whose certificate must name its host.

        Raises:
            UsageError: a certificate was named without its key, or either without the other.
            InputError: a file cannot be used.
        """
        self._check_pair()
        context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH)
        self._load(context)
        return context

    def _check_pair(self) -> None:
        if (self.certificate is None) != (self.key is None):
            raise UsageError(
                "tls-file-missing", "TLS needs two files, a certificate and its key; one was named."
            )

    def _load(self, context: ssl.SSLContext) -> None:
        try:
            if self.certificate is not None and self.key is not None:
                context.load_cert_chain(self.certificate, self.key)
        except OSError as error:
            raise InputError(
                "tls-files-unusable",
                f"{self.certificate} and {self.key} cannot be used for TLS: "
                f"{error.strerror or error}.",
            ) from error
        try:
            if self.authority is not None:
                context.load_verify_locations(self.authority)
        except OSError as error:
            raise InputError(
                "tls-authority-unusable",
                f"{self.authority} cannot be used as the certificates of an authority: "
                f"{error.strerror or error}.",
            ) from error
