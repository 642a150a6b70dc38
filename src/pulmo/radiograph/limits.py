"""How large and how small a file may be, checked before anything is decoded."""

from typing import Final, NamedTuple

from pulmo.core.errors import RefusedError
from pulmo.radiograph.codestream import Codestream

MOST_SCANS: Final = 100
"""More than any encoder makes: each takes the time of an image, and some ten bytes of a file."""
MOST_PIXELS_OF_A_BYTE: Final = 1000
"""A radiograph in so few bytes shows nothing: of 12 bits, compressed to a hundredth, it has 67."""
_FEW_PIXELS: Final = 4_000_000
"""An image of so many may have any number of bytes."""


class Limits(NamedTuple):
    """What the reader accepts.

    Attributes:
        max_pixels: largest height times width.
        max_bytes: largest size of a file, and of what a compressed DICOM file unpacks to.
        min_side: smallest height and width in pixels.
    """

    max_pixels: int = 64_000_000
    max_bytes: int = 512 * 2**20
    min_side: int = 16

    def check_bytes(self, size: int, name: str) -> None:
        """Does nothing for a file of an acceptable size in bytes.

        Raises:
            RefusedError: the file is larger than `max_bytes`.
        """
        if size > self.max_bytes:
            raise RefusedError(
                "file-too-large",
                f"{name} has {size / 2**20:,.0f} MiB; at most {self.max_bytes / 2**20:,.0f} MiB "
                "are read.",
            )

    def check_shape(self, height: int, width: int, name: str) -> None:
        """Does nothing for an image of an acceptable height and width in pixels.

        Raises:
            RefusedError: the image is larger than `max_pixels` or smaller than `min_side`.
        """
        if height * width > self.max_pixels:
            raise RefusedError(
                "image-too-large",
                f"{name} is {width:,} x {height:,} pixels; at most {self.max_pixels:,} pixels "
                "are read. Export it at a lower resolution.",
            )
        if min(height, width) < self.min_side:
            raise RefusedError(
                "image-too-small",
                f"{name} is {width} x {height} pixels; both sides must be at least "
                f"{self.min_side} pixels.",
            )


def check_effort(head: Codestream, size: int, name: str) -> None:
    """Does nothing for a compressed image whose size explains the time and memory that it takes.

    Args:
        head: what the image's own header says.
        size: of the compressed image in bytes.
        name: what a message calls the file.

    Raises:
        RefusedError: a JPEG image has too many scans, or too many pixels lie in a byte.
    """
    if head.scans > MOST_SCANS:
        raise RefusedError(
            "jpeg-scans-too-many",
            f"{name} contains a JPEG image of {head.scans:,} scans; at most {MOST_SCANS} are read.",
        )
    if head.height * head.width > max(_FEW_PIXELS, MOST_PIXELS_OF_A_BYTE * size):
        raise RefusedError(
            "image-compressed-too-much",
            f"{name} contains a compressed image that states {head.width:,} x {head.height:,} "
            f"pixels, but has {size:,} bytes; at most {MOST_PIXELS_OF_A_BYTE:,} pixels in a byte "
            "are read.",
        )


LIMITS: Final = Limits()
"""The limits of every command: the largest detectors give about 20 million pixels."""
