"""What an archive is asked for, whichever protocol it speaks."""

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

Keep = Callable[[str, bytes], None]
"""Keeps an image: its SOP Instance UID and its file."""


class Wanted(NamedTuple):
    """Which images are looked for.

    Attributes:
        since: the first study date, YYYYMMDD.
        until: the last study date, YYYYMMDD.
        modalities: of the series.
        body_parts: of the series, in capitals; empty for any.
    """

    since: str
    until: str
    modalities: tuple[str, ...]
    body_parts: tuple[str, ...]

    def fits(self, modality: str, body_part: str) -> bool:
        """Tells whether a series is looked for; one that states no part of the body is."""
        if modality not in self.modalities:
            return False
        return not (self.body_parts and body_part) or body_part.upper() in self.body_parts


class Instance(NamedTuple):
    """An image of an archive.

    Attributes:
        study: its Study Instance UID.
        series: its Series Instance UID.
        uid: its SOP Instance UID.
        body_part: of its series; blank where the archive does not state it.
    """

    study: str
    series: str
    uid: str
    body_part: str


class Archive(Protocol):
    """What can be asked for images."""

    def find(self, wanted: Wanted) -> Iterator[Instance]:
        """Yields the images that are looked for."""

    def fetch(self, instance: Instance, keep: Keep) -> None:
        """Has an image kept, or sent to where it is kept."""
