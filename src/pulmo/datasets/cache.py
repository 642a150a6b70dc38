"""A store of decoded images: read, fitted and kept as bytes once, mapped into memory ever after.

A store is a folder for each size, aspect policy, grey scale and region. It holds shards: files that
are written once, whole, and never changed, each with the pixels of some images, their SHA-256, and,
where they show the lungs, the part of the image that they show. So two programs may fill a store at
once, and an interruption loses one shard.
"""

import os
import secrets
from collections.abc import Callable, Generator
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pulmo.core.choices import file_name
from pulmo.core.errors import InputError
from pulmo.core.files import sha256
from pulmo.core.parallel import in_threads
from pulmo.core.sections import ImageSection
from pulmo.datasets.manifest import Manifest
from pulmo.lungs.framing import NO_FINDER, framed_input
from pulmo.radiograph import read_radiograph
from pulmo.radiograph.geometry import Box

if TYPE_CHECKING:
    from pulmo.lungs.finder import LungFinder

# Raised when the reader or the geometry changes what an image looks like.
_FORMAT: Final = 2
_SHARD: Final = 4096
_DIGEST: Final = 32
_WHOLE: Final = Box(0, 0, 0, 0)
"""What a shard holds for an image without lungs, of which it shows the whole."""


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
        boxes: int32 [n, 4], the part of its image that each row shows, as a `Box`; zeros for the
            whole of an image without lungs. None if all rows show whole images.
    """

    shards: tuple[NDArray[np.uint8], ...]
    shard: NDArray[np.intp]
    place: NDArray[np.intp]
    boxes: NDArray[np.int32] | None = None

    def take(self, indices: NDArray[np.intp]) -> NDArray[np.uint8]:
        """Returns uint8 [k, size, size], the images of k rows of the manifest."""
        taken = np.empty((len(indices), *self.shards[0].shape[1:]), np.uint8)
        shard, place = self.shard[indices], self.place[indices]
        for number in np.unique(shard):
            here = shard == number
            taken[here] = self.shards[number][place[here]]
        return taken

    @property
    def without_lungs(self) -> NDArray[np.bool_]:
        """Which rows were to show the lungs and show the whole image, as none were found, [n]."""
        if self.boxes is None:
            return np.zeros(len(self.shard), np.bool_)
        return np.asarray(~self.boxes.any(axis=1), np.bool_)

    def box(self, row: int) -> Box | None:
        """Returns the part of its image that a row shows; None for the whole."""
        if self.boxes is None or not self.boxes[row].any():
            return None
        return Box(*self.boxes[row].tolist())


class _Shard(NamedTuple):
    """A shard: the SHA-256 of its images' files, 32 bytes each, their pixels, and their boxes."""

    digests: NDArray[np.bytes_]
    pixels: NDArray[np.uint8]
    boxes: NDArray[np.int32] | None


class _Row(NamedTuple):
    """The bytes of an image's input, and the part of the image that it shows."""

    pixels: bytes
    box: Box


def cached_images(
    manifest: Manifest,
    image: ImageSection,
    folder: Path,
    on_progress: Callable[[int, int], None] | None = None,
    finder: "LungFinder | None" = None,
) -> Images:
    """Decodes a manifest's images, or finds them decoded.

    Args:
        manifest: the images.
        image: how an image becomes the network's input.
        folder: where stores lie.
        on_progress: called with the images decoded and the images to decode.
        finder: the network of the lungs, where the input is to show them.

    Raises:
        InputError: an image is missing, unreadable or not the one that was imported, or the
            store cannot be written.
    """
    store = folder / _store_name(image, finder)
    table = manifest.frame
    wanted = _digests(table)
    shards = [shard for path in sorted(store.glob("*.npy")) if (shard := _opened(path, image))]
    held = np.concatenate([shard.digests for shard in shards]) if shards else wanted[:0]
    missing = table[~np.isin(wanted, held)].drop_duplicates("sha256").sort_values("sha256")
    with closing(_decoded(missing, image, finder, on_progress)) as rows:
        for start in range(0, len(missing), _SHARD):
            path = _write(store, missing.iloc[start : start + _SHARD], image, rows)
            shards.append(_mapped(path, image))
    return _located(shards, wanted)


def _store_name(image: ImageSection, finder: "LungFinder | None") -> str:
    """Returns the name of the folder for all that decides what an input looks like."""
    name = f"images-{_FORMAT}-{image.size}-{image.aspect}-{file_name(image.grey)}"
    if image.region == "all":
        return name
    if finder is None:
        raise ValueError(NO_FINDER)
    name = f"{name}-{image.region}-{image.margin!r}-{image.outside}-{finder.sha256[:16]}"
    # Inputs that were decoded before there were these settings are still right.
    frame = f"-{image.frame}-{image.spread!r}" if image.frame != "box" else ""
    return f"{name}{frame}-normalised" if image.normalise != "none" else f"{name}{frame}"


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
    boxes = [shard.boxes for shard in shards if shard.boxes is not None]
    return Images(
        tuple(shard.pixels for shard in shards),
        number,
        found - first,
        np.concatenate(boxes)[found] if boxes else None,
    )


def _opened(path: Path, image: ImageSection) -> _Shard | None:
    """Returns a shard; None if it is cut short or damaged."""
    try:
        shard = _mapped(path, image)
    except (OSError, ValueError):
        return None
    pixels, count = shard.pixels, len(shard.digests)
    whole = pixels.dtype == np.uint8 and pixels.shape == (count, image.size, image.size)
    return shard if whole and (shard.boxes is None or len(shard.boxes) == count) else None


def _mapped(path: Path, image: ImageSection) -> _Shard:
    """Maps a shard's pixels and reads its digests, and its boxes if it shows the lungs."""
    pixels = np.lib.format.open_memmap(path, mode="r")
    end = pixels.offset + pixels.nbytes
    if image.region == "all":
        return _Shard(np.fromfile(path, f"S{_DIGEST}", offset=end), pixels, None)
    digests = np.fromfile(path, f"S{_DIGEST}", len(pixels), offset=end)
    boxes = np.fromfile(path, np.int32, offset=end + digests.nbytes)
    return _Shard(digests, pixels, boxes.reshape(-1, len(_WHOLE)))


def _decoded(
    missing: pd.DataFrame,
    image: ImageSection,
    finder: "LungFinder | None",
    on_progress: Callable[[int, int], None] | None,
) -> Generator[_Row, None, None]:
    """Yields each image's input and what it shows, in the order of `missing`."""

    def decode(row: tuple[str, str]) -> _Row:
        path, expected = row
        radiograph = read_radiograph(Path(path))
        if radiograph.sha256 != expected:
            raise InputError("image-changed", f"{path} has changed since it was imported.")
        shown = framed_input(radiograph, image, finder)
        return _Row(shown.pixels.tobytes(), shown.box or _WHOLE)

    images = zip(missing["path"], missing["sha256"], strict=True)
    with closing(in_threads(decode, images)) as rows:
        for done, data in enumerate(rows, start=1):
            if on_progress:
                on_progress(done, len(missing))
            yield data


def _write(
    store: Path, part: pd.DataFrame, image: ImageSection, rows: Generator[_Row, None, None]
) -> Path:
    """Writes a shard. A stream and not a map, on which a full disk would kill the process."""
    digests, boxes = _digests(part).tobytes(), []
    path = store / f"{sha256(digests)[:16]}.npy"
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        store.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            _write_header(file, (len(part), image.size, image.size))
            for _ in range(len(part)):
                row = next(rows)
                file.write(row.pixels)
                boxes.append(row.box)
            file.write(digests)
            if image.region != "all":
                file.write(np.array(boxes, np.int32).tobytes())
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
