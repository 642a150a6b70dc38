"""Names and unique identifiers that stand for the real ones, the same each time."""

import hashlib
import hmac
import secrets
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from pydicom.uid import UID

from pulmo.core.errors import InputError
from pulmo.core.files import read_bytes

_MIN_KEY_BYTES: Final = 16


@dataclass(frozen=True)
class Pseudonyms:
    """Replaces identifiers by a keyed hash: without the key no one can try out real ones.

    Attributes:
        key: secret; the same key gives the same pseudonyms.
    """

    key: bytes

    @classmethod
    def unrepeatable(cls) -> Self:
        """Returns pseudonyms by a new random key, which is kept nowhere."""
        return cls(secrets.token_bytes(32))

    def uid(self, real: str) -> str:
        """Returns the unique identifier that replaces `real`: 2.25 and a UUID (PS3.5 B.2)."""
        digest = self._digest("uid", real)
        return f"2.25.{uuid.UUID(bytes=digest[:16], version=4).int}"

    def patient(self, real: str) -> str:
        """Returns the name that replaces a patient's: P and 16 hexadecimal digits."""
        return f"P{self._digest('patient', real).hex()[:16].upper()}"

    def _digest(self, kind: str, real: str) -> bytes:
        return hmac.digest(self.key, f"{kind}\0{real}".encode(), hashlib.sha256)


def is_of_the_standard(uid: str) -> bool:
    """Tells whether DICOM itself assigned a unique identifier (PS3.6 annex A)."""
    known = UID(uid)
    return bool(known.name != known)


def read_key(path: Path) -> bytes:
    """Returns the key in a file: all its bytes.

    Raises:
        InputError: the file cannot be read, or is too short to be a secret.
    """
    key = read_bytes(path)
    if len(key) < _MIN_KEY_BYTES:
        raise InputError(
            "key-too-short",
            f"{path} contains {len(key)} bytes; a key must have at least {_MIN_KEY_BYTES}.",
        )
    return key
