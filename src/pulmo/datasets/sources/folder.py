"""Any data set that keeps one folder a class."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from pulmo.core.errors import InputError
from pulmo.datasets.layout import class_folders, folders_in
from pulmo.datasets.source import (
    About,
    Entry,
    Problem,
    images_below,
    left_out_link,
    source,
)


@source(
    "folder",
    About(
        title="Your own images, one folder a class",
        licence="yours",
        size="any",
        url="",
        obtain="Put the images into ROOT/<label>/, or into ROOT/train/<label>/ and its like for "
        "val and test; the import must state a label for any other folder name. "
        "Without patient ids no split can keep a patient on one side: use the source csv, or "
        "let the import read the patients of DICOM files. "
        "State in the import which hospital the images of each class are from.",
    ),
)
def folder(root: Path, label_map: Mapping[str, str]) -> Iterator[Entry | Problem]:
    """Yields the images below each folder of a class, labelled by the folder's name.

    The layout is that of `pulmo.datasets.layout.class_folders`. A link to a folder is no class.

    Raises:
        InputError: `root` is not a folder or holds no folder of a class.
        UsageError: a folder's name is neither a label nor in `label_map`, or a name of `label_map`
            is no folder.
    """
    if not root.is_dir():
        raise InputError("folder-missing", f"{root} is not a folder.")
    yield from (left_out_link(path) for path in folders_in(root) if path.is_symlink())
    for path, label, split in class_folders(root, label_map):
        empty = True
        for image in images_below(path):
            if isinstance(image, Problem):
                yield image
            else:
                empty = False
                yield Entry(image, label, finding=path.name, split=split)
        if empty:
            yield Problem(str(path), "the folder holds no file")
