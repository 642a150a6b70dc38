"""Load: a data set becomes a manifest in memory, without a file."""

from collections.abc import Callable, Mapping
from os import PathLike

from pulmo.datasets.importing import import_source
from pulmo.datasets.manifest import Manifest
from pulmo.datasets.source import Problem
from pulmo.datasets.stating import EVERY, check_can_be_stated, state_sources


class LoadedManifest(Manifest):
    """The manifest of a data set that was read just now.

    Attributes:
        problems: the files and rows that are not in it, and why. A manifest that is made of this
            one, as by `filter`, has none.
    """

    problems: tuple[Problem, ...] = ()


def load(
    source: str,
    root: str | PathLike[str],
    *,
    name: str | None = None,
    sources: str | Mapping[str, str] | None = None,
    label_map: Mapping[str, str] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> LoadedManifest:
    """Reads every image of a data set once.

    Args:
        source: the data set's reader, a name in `pulmo.datasets.source.SOURCES` such as `kermany`,
            or `folder` and `csv` for your own images.
        root: the data set's folder; of the source csv the table.
        name: what the manifest calls the data set. None: the source's name.
        sources: the hospital or public set that your own images are from: of all of them, or class
            -> hospital. None: it is not known.
        label_map: name of a class in your own images -> label.
        on_progress: called with the images found and 0 while their number is unknown, then with
            the images read and the number of images.

    Raises:
        UsageError: there is no such source, a class has no label, or `sources` does not fit it.
        InputError: `root` is no such data set, or none of its images can be used.
    """
    stated = {EVERY: sources} if isinstance(sources, str) else sources or {}
    check_can_be_stated(stated, source)
    imported = import_source(source, root, label_map, called=name, on_progress=on_progress)
    loaded = LoadedManifest(state_sources(imported.manifest, stated).frame)
    loaded.problems = tuple(imported.problems)
    return loaded
