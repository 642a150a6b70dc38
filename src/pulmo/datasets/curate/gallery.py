"""The fingerprints of many images: codes in memory, the squares in a file that has no name."""

import os
import tempfile
from types import TracebackType
from typing import BinaryIO, Final, Self

import numpy as np
from numpy.typing import NDArray

from pulmo.core.errors import InputError
from pulmo.datasets.curate.fingerprint import SIDE, Fingerprint

_BYTES: Final = SIDE * SIDE


class Gallery:
    """Fingerprints in the order in which they were added; close it after use."""

    def __init__(self) -> None:
        # A file and not memory: 26 KB an image that only few pairs ask for.
        self._squares: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__
        self._shapes: list[tuple[int, int]] = []
        self._hashes: list[NDArray[np.uint64]] = []
        self._points: list[NDArray[np.float32]] = []
        self._codes: list[NDArray[np.uint8]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._squares.close()

    def __len__(self) -> int:
        return len(self._shapes)

    def __getitem__(self, index: int) -> Fingerprint:
        return Fingerprint(
            self._square(index),
            self._shapes[index],
            self._hashes[index],
            self._points[index],
            self._codes[index],
        )

    def add(self, fingerprint: Fingerprint) -> None:
        """Adds an image.

        Raises:
            InputError: the folder for temporary files is full.
        """
        try:
            self._squares.write(fingerprint.square.tobytes())
            self._squares.flush()
        except OSError as error:
            raise InputError(
                "temporary-file-not-written",
                f"The folder for temporary files could not be written to: {error.strerror}. Set "
                f"TMPDIR to a folder with room for {_BYTES} bytes per image.",
            ) from error
        self._shapes.append(fingerprint.shape)
        self._hashes.append(fingerprint.hashes)
        self._points.append(fingerprint.points)
        self._codes.append(fingerprint.codes)

    def hashes(self) -> NDArray[np.uint64]:
        """Returns the hashes [images, 2] of all images and of their mirror images."""
        return np.array(self._hashes, np.uint64).reshape(-1, 2)

    def codes(self) -> NDArray[np.uint8]:
        """Returns the codes [features, 16] of all features, image after image."""
        return np.concatenate([np.empty((0, 16), np.uint8), *self._codes])

    def angles(self) -> NDArray[np.float32]:
        """Returns the directions [features] of all features, in degrees."""
        return np.concatenate([np.empty(0, np.float32), *(p[:, 2] for p in self._points)])

    def owners(self) -> NDArray[np.int32]:
        """Returns the image [features] that each feature is of."""
        counts = [len(points) for points in self._points]
        return np.repeat(np.arange(len(self), dtype=np.int32), counts)

    def _square(self, index: int) -> NDArray[np.uint8]:
        # No common place in the file, so several threads can read.
        data = os.pread(self._squares.fileno(), _BYTES, index * _BYTES)
        return np.frombuffer(data, np.uint8).reshape(SIDE, SIDE)
