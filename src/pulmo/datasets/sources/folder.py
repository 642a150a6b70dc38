"""Any data set that keeps one folder a class."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from pulmo.core.errors import InputError
from pulmo.datasets.source import (
    About,
    Entry,
    Problem,
    check_map,
    label_of,
    left_out_link,
    pictures_below,
    source,
)


@source(
    "folder",
    About(
        title="Your own pictures, one folder a class",
        licence="yours",
        size="any",
        url="",
        obtain="Put the pictures into ROOT/<label>/; other folder names need --map NAME=LABEL. "
        "Without patient ids no split can keep a patient on one side: prefer the source csv, or "
        "take those of DICOM files with --patients-from-dicom KEYFILE. "
        "Say with --source which hospital the pictures of each class are from.",
    ),
)
def folder(root: Path, label_map: Mapping[str, str]) -> Iterator[Entry | Problem]:
    """Yields the pictures below each folder of `root`, labelled by the folder's name.

    A link to a folder is no class.

    Raises:
        InputError: `root` is not a folder or holds no folder.
        UsageError: a folder's name is neither a label nor in `label_map`, or a name of `label_map`
            is no folder.
    """
    if not root.is_dir():
        raise InputError(f"{root} is not a folder.")
    found = sorted(path for path in root.iterdir() if path.is_dir() and path.name[0] != ".")
    yield from (left_out_link(path) for path in found if path.is_symlink())
    folders = [path for path in found if not path.is_symlink()]
    if not folders:
        raise InputError(
            f"{root} holds no folder; one folder a class was expected, and a link is none."
        )
    check_map(label_map, {path.name for path in folders}, root)
    labels = {path: label_of(path.name, label_map, str(path)) for path in folders}
    for path, label in labels.items():
        empty = True
        for picture in pictures_below(path):
            if isinstance(picture, Problem):
                yield picture
            else:
                empty = False
                yield Entry(picture, label, finding=path.name)
        if empty:
            yield Problem(str(path), "the folder holds no file")
