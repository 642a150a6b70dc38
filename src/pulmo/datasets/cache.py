"""A store of decoded images: read, fitted and kept as bytes once, mapped into memory ever after.

A store is a folder for each size, aspect policy and grey scale. It holds shards: files that are
written once, whole, and never changed, each with the pixels of some images and then their
SHA-256. So two programs may fill a store at once, and an interruption loses one shard.
"""

import os
import secrets
from collections.abc import Callable, Generator
from contextlib import closing, suppress
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pulmo.core.choices import file_name
from pulmo.core.errors import InputError
from pulmo.core.files import sha256
from pulmo.core.parallel import in_threads
from pulmo.core.sections import ImageSection
from pulmo.datasets.manifest import Manifest
from pulmo.radiograph import read_radiograph
from pulmo.radiograph.geometry import to_input

# Raised when the reader or the geometry changes what an image looks like.
_FORMAT: Final = 2
_SHARD: Final = 4096
_DIGEST: Final = 32


def cache_folder() -> Path:
    """Returns where stores lie: `$PULMO_CACHE`, else `pulmo` in the user's cache folder."""
    chosen = os.environ.get("PULMO_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pulmo"


class Images(NamedTuple):
    """The network's inputs of a manifest's rows, on disk.

    Attributes:
        shards: uint8 [images, size, size] each, mapped.
        shard: int [n], the shard of each row of the manifest.
        place: int [n], where in its shard each row lies.
    """

    shards: tuple[NDArray[np.uint8], ...]
    shard: NDArray[np.intp]
    place: NDArray[np.intp]

    def take(self, indices: NDArray[np.intp]) -> NDArray[np.uint8]:
        """Returns uint8 [k, size, size], the images of k rows of the manifest."""
        taken = np.empty((len(indices), *self.shards[0].shape[1:]), np.uint8)
        shard, place = self.shard[indices], self.place[indices]
        for number in np.unique(shard):
            here = shard == number
            taken[here] = self.shards[number][place[here]]
        return taken


class _Shard(NamedTuple):
    """A shard: the SHA-256 of its images' files, 32 bytes each, and their pixels."""

    digests: NDArray[np.bytes_]
    pixels: NDArray[np.uint8]


def cached_images(
    manifest: Manifest,
    image: ImageSection,
    folder: Path,
    on_progress: Callable[[int, int], None] | None = None,
) -> Images:
    """Decodes a manifest's images, or finds them decoded.

    Args:
        manifest: the images.
        image: how an image becomes the network's input.
        folder: where stores lie.
        on_progress: called with the images decoded and the images to decode.

    Raises:
        InputError: an image is missing, unreadable or not the one that was imported, or the
            store cannot be written.
    """
    store = folder / f"images-{_FORMAT}-{image.size}-{image.aspect}-{file_name(image.grey)}"
    table = manifest.frame
    wanted = _digests(table)
    shards = [shard for path in sorted(store.glob("*.npy")) if (shard := _opened(path, image.size))]
    held = np.concatenate([shard.digests for shard in shards]) if shards else wanted[:0]
    missing = table[~np.isin(wanted, held)].drop_duplicates("sha256").sort_values("sha256")
    with closing(_decoded(missing, image, on_progress)) as rows:
        for start in range(0, len(missing), _SHARD):
            path = _write(store, missing.iloc[start : start + _SHARD], image.size, rows)
            shards.append(_mapped(path))
    return _located(shards, wanted)


def _digests(table: pd.DataFrame) -> NDArray[np.bytes_]:
    """Returns S32 [n], the bytes of each row's SHA-256."""
    text = "".join(table["sha256"])
    return np.frombuffer(bytes.fromhex(text), f"S{_DIGEST}")


def _located(shards: list[_Shard], wanted: NDArray[np.bytes_]) -> Images:
    """Returns where each of the wanted images lies."""
    digests = np.concatenate([shard.digests for shard in shards])
    sizes = [len(shard.digests) for shard in shards]
    order = np.argsort(digests, kind="stable")
    found = order[np.searchsorted(digests[order], wanted)]
    number = np.repeat(np.arange(len(shards)), sizes)[found]
    first = np.cumsum([0, *sizes])[number]
    return Images(tuple(shard.pixels for shard in shards), number, found - first)


def _opened(path: Path, size: int) -> _Shard | None:
    """Returns a shard; None if it is cut short or damaged."""
    try:
        shard = _mapped(path)
    except (OSError, ValueError):
        return None
    pixels, digests = shard.pixels, shard.digests
    whole = pixels.dtype == np.uint8 and pixels.shape == (len(digests), size, size)
    return shard if whole else None


def _mapped(path: Path) -> _Shard:
    """Maps a shard's pixels and reads its digests, which are all that follows them."""
    pixels = np.lib.format.open_memmap(path, mode="r")
    return _Shard(np.fromfile(path, f"S{_DIGEST}", offset=pixels.offset + pixels.nbytes), pixels)


def _decoded(
    missing: pd.DataFrame, image: ImageSection, on_progress: Callable[[int, int], None] | None
) -> Generator[bytes, None, None]:
    """Yields the bytes of each image's input, in the order of `missing`."""

    def decode(row: tuple[str, str]) -> bytes:
        path, expected = row
        radiograph = read_radiograph(Path(path))
        if radiograph.sha256 != expected:
            raise InputError("image-changed", f"{path} has changed since it was imported.")
        return to_input(radiograph.pixels, image.size, image.aspect, image.grey).tobytes()

    images = zip(missing["path"], missing["sha256"], strict=True)
    with closing(in_threads(decode, images)) as rows:
        for done, data in enumerate(rows, start=1):
            if on_progress:
                on_progress(done, len(missing))
            yield data


def _write(store: Path, part: pd.DataFrame, size: int, rows: Generator[bytes, None, None]) -> Path:
    """Writes a shard. A stream and not a map, on which a full disk would kill the process."""
    digests = _digests(part).tobytes()
    path = store / f"{sha256(digests)[:16]}.npy"
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        store.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            _write_header(file, (len(part), size, size))
            for _ in range(len(part)):
                file.write(next(rows))
            file.write(digests)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise InputError(
            "cache-not-written",
            f"The cache {path} could not be written: {error.strerror or error}. "
            "Set PULMO_CACHE to a folder with more room.",
        ) from error
    finally:
        # The folder may be none; the error that says so must not be hidden by this one.
        with suppress(OSError):
            temporary.unlink()
    return path


def _write_header(file: BinaryIO, shape: tuple[int, int, int]) -> None:
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
