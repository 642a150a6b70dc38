"""The images that are kept for the viewer: in memory alone, for a while."""

from collections import OrderedDict
from threading import Lock
from time import monotonic
from typing import NamedTuple


class _Kept(NamedTuple):
    data: bytes
    until: float


class KeptImages:
    """The bytes of images, by the ids of their results; the oldest are dropped first.

    Attributes:
        bytes: of all images.
    """

    def __init__(self, minutes: float, most: int) -> None:
        """Keeps nothing yet.

        Args:
            minutes: for which an image is kept.
            most: bytes of all.
        """
        self._seconds, self._most = 60 * minutes, most
        self._images: OrderedDict[str, _Kept] = OrderedDict()
        self.bytes = 0
        self._lock = Lock()

    def keep(self, key: str, data: bytes) -> None:
        """Keeps an image."""
        if self._seconds <= 0 or len(data) > self._most:
            return
        with self._lock:
            self._images[key] = _Kept(data, monotonic() + self._seconds)
            self.bytes += len(data)
            while self.bytes > self._most:
                self._drop(next(iter(self._images)))

    def get(self, key: str) -> bytes | None:
        """Returns an image; None if it is not kept."""
        self.expire()
        with self._lock:
            kept = self._images.get(key)
            return None if kept is None else kept.data

    def drop(self, key: str) -> None:
        """Forgets an image, if it is kept."""
        with self._lock:
            if key in self._images:
                self._drop(key)

    def expire(self) -> None:
        """Forgets the images whose time is over."""
        with self._lock:
            while self._images:
                key, kept = next(iter(self._images.items()))
                if kept.until > monotonic():
                    return
                self._drop(key)

    def _drop(self, key: str) -> None:
        self.bytes -= len(self._images.pop(key).data)
