"""A cache of decoded pictures: read, fitted and stored as bytes once, mapped ever after."""

import os
import secrets
from collections.abc import Callable, Generator
from contextlib import closing, suppress
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pulmo.core.errors import InputError
from pulmo.core.files import sha256
from pulmo.datasets.parallel import in_threads
from pulmo.radiograph import read_radiograph
from pulmo.radiograph.geometry import Aspect, to_input

# Raised when the reader or the geometry changes what a picture looks like.
_FORMAT: Final = 1


def cache_folder() -> Path:
    """Returns where caches lie: `$PULMO_CACHE`, else `pulmo` in the user's cache folder."""
    chosen = os.environ.get("PULMO_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pulmo"


class Pictures(NamedTuple):
    """The network's inputs of a manifest's rows, on disk.

    Attributes:
        memory: uint8 [pictures, size, size], mapped.
        rows: int [n], where each row of the manifest lies in `memory`.
    """

    memory: NDArray[np.uint8]
    rows: NDArray[np.intp]

    def take(self, indices: NDArray[np.intp]) -> NDArray[np.uint8]:
        """Returns uint8 [k, size, size], the pictures of k rows of the manifest."""
        return self.memory[self.rows[indices]]


def cached_pictures(
    table: pd.DataFrame,
    size: int,
    aspect: Aspect,
    folder: Path,
    on_progress: Callable[[int, int], None] | None = None,
) -> Pictures:
    """Decodes a manifest's pictures, or finds them decoded.

    The cache is keyed by the pictures' content, the size and the aspect policy, so a new split of
    the same pictures decodes nothing. A cache that is not whole is built anew.

    Args:
        table: a manifest.
        size: side of the input in pixels.
        aspect: how a film that is not square becomes square.
        folder: where caches lie.
        on_progress: called with the pictures decoded and the pictures in all.

    Raises:
        InputError: a picture is missing, unreadable or not the one that was imported, or the
            cache cannot be written.
    """
    unique = table.drop_duplicates("sha256").sort_values("sha256")
    digests = unique["sha256"].to_numpy(str)
    key = sha256(f"{_FORMAT} {size} {aspect} {' '.join(digests)}".encode())
    path = folder / f"pictures-{size}-{aspect}-{key[:16]}.npy"
    shape = (len(unique), size, size)
    memory = _mapped(path, shape)
    if memory is None:
        _build(path, shape, _decoded(unique, size, aspect, on_progress))
        memory = np.lib.format.open_memmap(path, mode="r")
    return Pictures(memory, np.searchsorted(digests, table["sha256"].to_numpy(str)))


def _mapped(path: Path, shape: tuple[int, int, int]) -> NDArray[np.uint8] | None:
    """Returns a cache's pictures; None if there is no cache, or it is cut short or damaged."""
    try:
        memory = np.lib.format.open_memmap(path, mode="r")
    except (OSError, ValueError):
        return None
    return memory if memory.shape == shape and memory.dtype == np.uint8 else None


def _decoded(
    unique: pd.DataFrame,
    size: int,
    aspect: Aspect,
    on_progress: Callable[[int, int], None] | None,
) -> Generator[bytes, None, None]:
    """Yields the bytes of each picture's input, in the order of `unique`."""

    def decode(row: tuple[str, str]) -> bytes:
        path, expected = row
        radiograph = read_radiograph(Path(path))
        if radiograph.sha256 != expected:
            raise InputError(f"{path} has changed since it was imported; import it again.")
        return to_input(radiograph.pixels, size, aspect).tobytes()

    pictures = zip(unique["path"], unique["sha256"], strict=True)
    with closing(in_threads(decode, pictures)) as rows:
        for done, data in enumerate(rows, start=1):
            yield data
            if on_progress:
                on_progress(done, len(unique))


def _build(path: Path, shape: tuple[int, int, int], rows: Generator[bytes, None, None]) -> None:
    """Writes a cache. A stream and not a map, on which a full disk would kill the process."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(rows), temporary.open("xb") as file:
            _write_header(file, shape)
            for row in rows:
                file.write(row)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise InputError(
            f"The cache {path} could not be written: {error.strerror or error}. "
            "Set PULMO_CACHE to a folder with more room."
        ) from error
    finally:
        # The folder may be none; the error that says so must not be hidden by this one.
        with suppress(OSError):
            temporary.unlink()


def _write_header(file: BinaryIO, shape: tuple[int, int, int]) -> None:
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
