"""A cache of decoded pictures: read, fitted and stored as bytes once, mapped ever after."""

import os
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pulmo.core.errors import InputError
from pulmo.core.files import sha256
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
    the same pictures decodes nothing.

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
    if not path.exists():
        _build(path, size, _decoded(unique, size, aspect, on_progress), len(unique))
    memory = np.load(path, mmap_mode="r")
    return Pictures(memory, np.searchsorted(digests, table["sha256"].to_numpy(str)))


def _decoded(
    unique: pd.DataFrame,
    size: int,
    aspect: Aspect,
    on_progress: Callable[[int, int], None] | None,
) -> Iterator[bytes]:
    """Yields the bytes of each picture's input, in the order of `unique`."""

    def decode(path: str, expected: str) -> bytes:
        radiograph = read_radiograph(Path(path))
        if radiograph.sha256 != expected:
            raise InputError(f"{path} has changed since it was imported; import it again.")
        return to_input(radiograph.pixels, size, aspect).tobytes()

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        rows = pool.map(decode, unique["path"], unique["sha256"])
        for done, data in enumerate(rows, start=1):
            yield data
            if on_progress:
                on_progress(done, len(unique))


def _build(path: Path, size: int, rows: Iterator[bytes], count: int) -> None:
    """Writes a cache. A stream and not a map, on which a full disk would kill the process."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            _write_header(file, (count, size, size))
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
        temporary.unlink(missing_ok=True)


def _write_header(file: BinaryIO, shape: tuple[int, int, int]) -> None:
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
