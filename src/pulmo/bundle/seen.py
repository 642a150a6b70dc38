"""Seen images: a bundle knows the images that its model was trained and chosen on by their hashes.

A hash tells whoever has an image that it was used, and no one else anything.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from pulmo.core.files import read_bytes
from pulmo.core.folders import RunFolder

if TYPE_CHECKING:
    # A prediction, which reads this list, need not wait for tables.
    import pandas as pd

_DIGITS: Final = 16
"""Of a SHA-256 in hexadecimal, these are kept: one image in 10^15 is by chance like one of 10,000,
and the list is a quarter as long."""


class SeenImages(NamedTuple):
    """The images that a model was trained and chosen on, and those that its start was.

    Attributes:
        short: the first digits of the SHA-256 of their files and of their pixels; empty if nothing
            says which they are.
    """

    short: frozenset[str] = frozenset()

    @classmethod
    def of(cls, digests: Iterable[str]) -> Self:
        """Takes SHA-256 in hexadecimal, whole or shortened, of files and of pixels."""
        return cls(frozenset(digest[:_DIGITS] for digest in digests))

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Reads what `listed` gives."""
        return cls.of(data.decode().split())

    def listed(self) -> bytes:
        """Returns the hashes as the text of a file, one a line, sorted."""
        return "".join(f"{digest}\n" for digest in sorted(self.short)).encode()

    def __bool__(self) -> bool:
        """Tells whether some images are known."""
        return bool(self.short)

    def has(self, *digests: str) -> bool:
        """Tells whether one of some SHA-256 is of these images."""
        return any(digest[:_DIGITS] in self.short for digest in digests)

    def among(self, column: "pd.Series[str]") -> "pd.Series[bool]":
        """Tells which SHA-256 of a manifest's column are of these images, [n]."""
        return column.str[:_DIGITS].isin(self.short)


def seen_by(run: RunFolder) -> SeenImages:
    """Returns the images that the network of a run was trained and chosen on.

    They are the training and the validation of its manifest, and, where it began with the weights
    of the model that comes with pulmo, the images that that one was trained and chosen on.
    """
    from pulmo.datasets.manifest import read_manifest  # noqa: PLC0415 - tables, as above

    used = read_manifest(run.manifest).split("train", "val").frame
    before = read_bytes(run.start_seen) if run.start_seen.exists() else b""
    return SeenImages.of(
        [*used["sha256"], *used["pixels_sha256"].dropna(), *before.decode().split()]
    )
