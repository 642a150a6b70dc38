"""Source: the reader of one public data set in the layout in which its authors publish it."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pulmo.core.boxes import Box
from pulmo.core.errors import InputError, UsageError
from pulmo.core.registry import Registry

_Kind = Literal["file", "folder", "link"]
"""What an entry of a folder is."""


class Entry(NamedTuple):
    """One image as its source describes it; None where the source does not say.

    Attributes:
        path: the image's file.
        label: a label of `pulmo.core.labels.LABELS`.
        finding: the finding in the source's own words.
        patient: the patient's name within the source.
        view: PA, AP, AP supine, lateral, axial or coronal.
        modality: X-ray or CT.
        age: years.
        sex: F, M or O.
        split: the source's own split: train, val or test.
        origin: where the source has the image from: a hospital, a publication, another set.
        licence: of this image.
        offset: days since the onset of symptoms or the admission.
        boxes: what the source draws about its findings.
        group: what images share, beside a patient, that belong on one side of a split: a
            publication whose figures may show one patient.
    """

    path: Path
    label: str
    finding: str | None = None
    patient: str | None = None
    view: str | None = None
    modality: str | None = None
    age: float | None = None
    sex: str | None = None
    split: str | None = None
    origin: str | None = None
    licence: str | None = None
    offset: float | None = None
    boxes: tuple[Box, ...] = ()
    group: str | None = None


class Problem(NamedTuple):
    """A file or a row that does not become a row of the manifest, and why.

    Attributes:
        path: the file, or the row's description.
        reason: a sentence's end, such as `it has no finding`.
        failed: True for a fault of the file, False for a row that is left out by rule.
    """

    path: str
    reason: str
    failed: bool = True


Index = Callable[[Path, Mapping[str, str]], Iterator[Entry | Problem]]
"""Takes the set's folder and a map from class name to label; yields its images in path order."""

Elsewhere = Callable[[Path, Mapping[str, str], Path], Iterator[Entry | Problem]]
"""The same of a table whose files lie in another folder, which is the third argument."""


class Repository(NamedTuple):
    """A data set in a repository on GitHub: at one commit, whose files Git names by their hashes.

    Attributes:
        name: owner and repository, such as `ieee8023/covid-chestxray-dataset`.
        commit: 40 hexadecimal digits.
        paths: the folders and files that the reader needs; it reads them in the same places.
        least: how many files these hold at least, so that a commit before the images is noticed.
    """

    name: str
    commit: str
    paths: tuple[str, ...]
    least: int


class Published(NamedTuple):
    """A file whose publisher states its hash.

    Attributes:
        url: where it is.
        digest: the algorithm and the hexadecimal digits, such as `md5:28209eda62fecd6e...`.
    """

    url: str
    digest: str


Remote = Repository | Mapping[str, Published]
"""What `pulmo data fetch` can download: a repository, or one of several files by its part's name.

The first part is the one that is taken if nobody chooses."""


class About(NamedTuple):
    """What a person must know before using a source.

    Attributes:
        title: whose data set it is.
        licence: as its publisher states it.
        size: in images and bytes.
        url: its page; empty for a reader of one's own images.
        obtain: the steps to get it by hand, and what ROOT is; a line that begins with `$ ` is what
            to type.
        remote: what can be downloaded without an account and with hashes to check it by.
    """

    title: str
    licence: str
    size: str
    url: str
    obtain: str
    remote: Remote | None = None

    def facts(self, name: str) -> dict[str, Any]:
        """Returns what is known of a source for a machine; `parts` are what can be fetched alone.

        Args:
            name: of the source.
        """
        remote = self.remote
        return {
            "name": name,
            "title": self.title,
            "licence": self.licence,
            "size": self.size,
            "url": self.url or None,
            "obtain": self.obtain,
            "fetch": remote is not None,
            "parts": [] if remote is None or isinstance(remote, Repository) else list(remote),
        }


class Source(NamedTuple):
    """A public data set's reader and what is known of the set.

    Attributes:
        about: what is known of the set.
        entries: its reader.
        elsewhere: its reader where its files lie in another folder; None for all but tables.
    """

    about: About
    entries: Index
    elsewhere: Elsewhere | None = None


SOURCES: Registry[Source] = Registry("source", "pulmo.datasets.sources")


def source(name: str, about: About, elsewhere: Elsewhere | None = None) -> Callable[[Index], Index]:
    """Returns a decorator that registers an index function as source `name`; see `Source`."""

    def decorate(index: Index) -> Index:
        SOURCES.register(name)(Source(about, index, elsewhere))
        return index

    return decorate


def refuse_map(label_map: Mapping[str, str], name: str) -> None:
    """Refuses any map from class name to label, for a source whose classes have their labels.

    Raises:
        UsageError: the map says something.
    """
    if label_map:
        raise UsageError(
            "label-map-not-taken",
            f"Only the sources folder and csv take labels of classes; {name} knows the label of "
            "each of its classes.",
        )


def images_below(folder: Path) -> Iterator[Path | Problem]:
    """Returns the files below `folder` in path order, without hidden ones, and its links.

    A link within the set would be the same image twice, and one that leads out of it no part of
    the set, so none is followed: it is a problem in the place of what it leads to. `folder` itself
    may be one. A folder that cannot be opened takes the place of its files: the import names
    it.

    Raises:
        InputError: it is not a folder.
    """
    if not folder.is_dir():
        raise InputError("folder-missing", f"{folder} is not a folder.")
    return _files_below(folder)


def left_out_link(path: Path) -> Problem:
    """Returns the problem that a link is, which nothing follows."""
    return Problem(str(path), "it is a link, and links are not followed", failed=False)


def _files_below(folder: Path) -> Iterator[Path | Problem]:
    levels = [_children(folder)]
    while levels:
        path, kind = next(levels[-1], (None, "file"))
        if path is None:
            levels.pop()
        elif kind == "folder":
            levels.append(_children(path))
        else:
            yield left_out_link(path) if kind == "link" else path


def _children(folder: Path) -> Iterator[tuple[Path, _Kind]]:
    """Yields what is in a folder, and what it is."""
    try:
        with os.scandir(folder) as entries:
            kinds = {
                entry.name: kind
                for entry in entries
                if entry.name[0] != "." and (kind := _kind_of(entry))
            }
    except OSError:
        yield folder, "file"
        return
    for name in sorted(kinds):
        yield folder / name, kinds[name]


def _kind_of(entry: os.DirEntry[str]) -> _Kind | None:
    """Returns what an entry of a folder is; None for a pipe and its like."""
    if entry.is_symlink():
        return "link"
    if entry.is_dir():
        return "folder"
    return "file" if entry.is_file() else None
