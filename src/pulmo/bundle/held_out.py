"""Held out: a bundle knows the images of its model's test by their hashes.

So each access to that test is noticed, whatever a manifest calls its images.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from pulmo.core.files import sha256

if TYPE_CHECKING:
    # A prediction, which reads this list, need not wait for tables.
    from pulmo.datasets.manifest import Manifest


class HeldOut(NamedTuple):
    """The images of the test that a model's manifest had when it was trained.

    Attributes:
        digests: SHA-256 of their files and of their pixels; empty if there was no test, or if the
            bundle does not say.
        sha256: SHA-256 of the contents of all of them, see `content_sha256`.
    """

    digests: frozenset[str] = frozenset()
    sha256: str = ""

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Reads what `list_of_test` wrote."""
        lines = [line.split() for line in data.decode().splitlines()]
        digests = frozenset(digest for line in lines for digest in line)
        return cls(digests, content_sha256(line[0] for line in lines) if lines else "")

    def among(self, manifest: "Manifest") -> NDArray[np.bool_]:
        """Tells which images of a manifest are of these, [n]."""
        rows = manifest.frame
        known = rows["sha256"].isin(self.digests) | rows["pixels_sha256"].isin(self.digests)
        return known.to_numpy(np.bool_)


def list_of_test(manifest: "Manifest") -> bytes:
    """Returns the test of a manifest as a list: a line for each image, of its file and its pixels.

    Args:
        manifest: the images. An image that was not decoded has its file alone.
    """
    test = manifest.split("test").frame.sort_values("sha256")
    pairs = zip(test["sha256"], test["pixels_sha256"].fillna(""), strict=True)
    return "".join(f"{file} {pixels}".rstrip() + "\n" for file, pixels in pairs).encode()


def content_sha256(files: Iterable[str]) -> str:
    """Returns the SHA-256 of the contents of several files, by the SHA-256 of each."""
    return sha256("\n".join(sorted(files)).encode())
