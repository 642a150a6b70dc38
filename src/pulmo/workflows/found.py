"""Images that a user names: files, and folders whose images are found."""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from pulmo.core.files import open_bytes
from pulmo.core.parallel import PAUSE, Pause
from pulmo.datasets.source import Problem, images_below
from pulmo.radiograph.content import format_of
from pulmo.radiograph.image_source import ImageSource

Name = str | os.PathLike[str]
"""A file or a folder."""

_SUFFIXES: Final = frozenset(
    {
        ".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".tif", ".tiff", ".dcm", ".dicom", ".dic", ".ima",
        ".bmp", ".gif", ".webp", ".jp2", ".j2k", ".jxl", ".heic",
    }
)  # fmt: skip
"""Suffixes of images. A file in a folder that bears one and is no image is damaged or misnamed, and
so an error and not left out."""

_INDEX: Final = "DICOMDIR"
"""The index of a DICOM medium (PS3.10 8.6), which holds no image."""

_HEAD: Final = 512


class Found(NamedTuple):
    """What may be an image.

    Attributes:
        path: the file; of an image that is none, what it is called.
        inside: whether it was found in a folder that was named, and not named itself.
        problem: why it is left out; None if it is not.
        image: the image, if it was given as something else than a file.
    """

    path: Path
    inside: bool = False
    problem: Problem | None = None
    image: ImageSource | None = None


def images_of(
    names: Iterable[ImageSource | Pause], *without: Path | None
) -> Iterator[Found | Pause]:
    """Yields the files that are named and, in path order, those in folders that are named.

    Below a folder hidden files are left out; links are not followed, each has a problem. No list of
    all files is made.

    Args:
        names: files, folders, and images that are no file, which are called `image 0` and so on by
            their place; a pause is passed on.
        without: folders below which no file is taken, as the place of the results.
    """
    place = -1
    for name in names:
        if isinstance(name, Pause):
            yield PAUSE
            continue
        place += 1
        if not isinstance(name, str | os.PathLike):
            yield Found(Path(f"image {place}"), image=name)
            continue
        path = Path(name)
        if not _is_folder(path):
            yield Found(path)
            continue
        hidden = {_same_in(path, each) for each in without if each is not None} - {None}
        for found in images_below(path):
            if isinstance(found, Problem):
                yield Found(Path(found.path), inside=True, problem=found)
            elif hidden.isdisjoint(found.parents):
                yield Found(found, inside=True)


def is_image(path: Path) -> bool:
    """Tells whether a file found in a folder is meant to be an image, by its name or content.

    Raises:
        InputError: it cannot be read.
    """
    if path.suffix.lower() in _SUFFIXES:
        return True
    if path.name.upper() == _INDEX:
        return False
    with open_bytes(path) as file:
        return format_of(file.read(_HEAD)) is not None


def _is_folder(path: Path) -> bool:
    # A name that is none, or is too long, is reported when it is read.
    with suppress(OSError, ValueError):
        return path.is_dir()
    return False


def _same_in(folder: Path, other: Path) -> Path | None:
    """Returns what `other` is called as a folder below `folder`; None if it is not below it."""
    real, inner = Path(os.path.realpath(folder)), Path(os.path.realpath(other))
    inside = inner.is_relative_to(real) and inner != real
    return folder / inner.relative_to(real) if inside else None
