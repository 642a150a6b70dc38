"""Every image of a manifest is read once and becomes a fingerprint."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from pulmo.core.errors import PulmoError
from pulmo.core.parallel import in_threads
from pulmo.datasets.curate.fingerprint import Fingerprint, fingerprint
from pulmo.datasets.curate.gallery import Gallery
from pulmo.datasets.manifest import Manifest
from pulmo.datasets.source import Problem
from pulmo.radiograph import pixels_sha256, read_radiograph

Progress = Callable[[int, int], None]


class Looks(NamedTuple):
    """What came of reading the images.

    Attributes:
        rows: for each image of the gallery, its row; of exact copies only the first is there.
        digests: for each row, the hash of its pixels; None if it could not be read.
        problems: for each row that could not be read, why.
    """

    rows: list[int]
    digests: list[str | None]
    problems: dict[int, Problem]


class _Row(NamedTuple):
    """A row of a manifest; `digest` is the hash of the pixels, None if nobody has taken it."""

    path: str
    sha256: str
    digest: str | None


class _Look(NamedTuple):
    """An image that was read."""

    digest: str
    fingerprint: Fingerprint


def look(manifest: Manifest, gallery: Gallery, on_progress: Progress | None = None) -> Looks:
    """Reads the images of a manifest into a gallery.

    Args:
        manifest: the images.
        gallery: an empty one.
        on_progress: called with the images read and the images in all.

    Raises:
        InputError: the folder for temporary files is full.
    """
    looks = Looks([], [], {})
    seen: set[str] = set()
    table = manifest.frame
    digests = table["pixels_sha256"].astype(object).where(table["pixels_sha256"].notna(), None)
    items = [_Row(*row) for row in zip(table["path"], table["sha256"], digests, strict=True)]
    with closing(in_threads(_read, items)) as results:
        for row, result in enumerate(results):
            if isinstance(result, Problem):
                looks.problems[row] = result
                looks.digests.append(None)
            else:
                looks.digests.append(result.digest)
                if result.digest not in seen:
                    seen.add(result.digest)
                    gallery.add(result.fingerprint)
                    looks.rows.append(row)
            if on_progress:
                on_progress(row + 1, len(items))
    return looks


def _read(row: _Row) -> _Look | Problem:
    try:
        radiograph = read_radiograph(Path(row.path))
    except PulmoError as error:
        return Problem(row.path, f"it{str(error).removeprefix(row.path).removesuffix('.')}")
    if radiograph.sha256 != row.sha256:
        return Problem(row.path, "it has changed since it was imported; import it again")
    return _Look(row.digest or pixels_sha256(radiograph.pixels), fingerprint(radiograph.pixels))
