"""Source: the reader of one public data set in the layout in which its authors publish it."""

from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from pulmo.core.errors import InputError, UsageError
from pulmo.core.registry import Registry


class Entry(NamedTuple):
    """One picture as its source describes it; None where the source does not say.

    Attributes:
        path: the picture's file.
        label: a label of `pulmo.core.labels.LABELS`.
        finding: the finding in the source's own words.
        patient: the patient's name within the source.
        view: PA, AP, AP supine, lateral, axial or coronal.
        modality: X-ray or CT.
        age: years.
        sex: F, M or O.
        split: the source's own split: train, val or test.
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
"""Takes the set's folder and a map from class name to label; yields its pictures in path order."""


class About(NamedTuple):
    """What a person must know before using a source."""

    title: str
    licence: str
    size: str
    url: str
    obtain: str


class Source(NamedTuple):
    """A public data set's reader and what is known of the set."""

    about: About
    entries: Index


SOURCES: Registry[Source] = Registry("source", "pulmo.datasets.sources")


def source(name: str, about: About) -> Callable[[Index], Index]:
    """Returns a decorator that registers an index function as source `name`."""

    def decorate(index: Index) -> Index:
        SOURCES.register(name)(Source(about, index))
        return index

    return decorate


def check_map(label_map: Mapping[str, str], names: Collection[str], root: Path) -> None:
    """Refuses a map from class name to label that speaks of a class that is not there.

    Raises:
        UsageError: it names a class that is not in `names`, those of `root`.
    """
    for name in label_map:
        if name not in names:
            raise UsageError(
                f"--map says what {name!r} means, but {root} has no such class; it has "
                f"{', '.join(sorted(names))}."
            )


def pictures_below(folder: Path) -> list[Path]:
    """Returns the files below `folder` in path order, without hidden ones; links are not followed.

    Raises:
        InputError: it is not a folder.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder.")
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
