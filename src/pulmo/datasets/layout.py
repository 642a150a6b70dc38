"""The layout of a folder of one's own: a folder a class, below folders of a split or not."""

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from pulmo.core.errors import InputError, UsageError
from pulmo.core.labels import LABELS
from pulmo.datasets.class_names import HERE, check_map, labels_of, proposed_label

SPLIT_FOLDERS: Final = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}
"""The name of a split's folder, in any case -> the split."""

_IGNORED: Final = frozenset({"__MACOSX"})
"""What an archive of macOS contains apart from the data."""

_KINDS: Final = {"pneumonia": ("bacterial", "viral", "covid"), "viral": ("covid",)}
"""Label -> those that are kinds of it, whose folders may lie in its own."""

_DEPTH: Final = 3
"""How far below a folder the folders of classes are looked for, to propose their place."""


class ClassFolder(NamedTuple):
    """A folder of one class.

    Attributes:
        path: the folder.
        label: the label of its images.
        split: the split that it lies in; None where there is none.
    """

    path: Path
    label: str
    split: str | None = None


def folders_in(folder: Path) -> list[Path]:
    """Returns the folders in a folder, without hidden ones, in order; links are among them."""
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if entry.name[0] != "." and entry.is_dir()]
    return [folder / name for name in sorted(names) if name not in _IGNORED]


def class_folders(root: Path, label_map: Mapping[str, str]) -> list[ClassFolder]:
    """Returns the folders of the classes of a data set; links to folders are none.

    Either `root` holds one folder a class, or it holds folders of a split, such as train, val and
    test, and each of these one folder a class.

    Args:
        root: the data set.
        label_map: class name -> label; `.` is `root` itself, all of whose images are of a class.

    Raises:
        InputError: it holds no folder, or its folders hold no classes.
        UsageError: the name of a folder is no label, or a name of the map is no folder.
    """
    folders = _own_folders(root)
    if HERE in label_map:
        return [_whole(root, folders, label_map)]
    if not folders:
        raise InputError(
            "class-folders-missing",
            f"{root} contains no folder (links do not count). One folder per class was expected.",
        )
    splits = [path for path in folders if path.name.lower() in SPLIT_FOLDERS]
    if splits and len(splits) == len(folders):
        return list(_labelled(root, _in_splits(splits), label_map))
    if splits and not any(path.name in label_map for path in splits):
        others = ", ".join(path.name for path in folders if path not in splits)
        raise InputError(
            "class-folders-mixed",
            f"{root} contains folders of a split ({', '.join(path.name for path in splits)}) "
            f"and other folders ({others}). Use either one folder per class, or only folders of "
            "a split, each with one folder per class.",
        )
    _check_places(root, folders, label_map)
    return list(_labelled(root, [(path, None) for path in folders], label_map))


def _whole(root: Path, folders: list[Path], label_map: Mapping[str, str]) -> ClassFolder:
    """Returns the data set as one class."""
    classes = [path.name for path in folders if _is_class(path) or _is_split(path)]
    if len(label_map) > 1 or classes:
        named = f" ({', '.join(classes)})" if classes else ""
        raise UsageError(
            "class-folders-present",
            f"All images of {root} are given one label, but it contains folders of classes{named}.",
        )
    return ClassFolder(root, labels_of([HERE], label_map, root)[HERE])


def _in_splits(splits: Sequence[Path]) -> list[tuple[Path, str | None]]:
    """Returns the folders in the folders of a split, and the split of each."""
    found: list[tuple[Path, str | None]] = []
    for split in splits:
        folders = _own_folders(split)
        if not folders and any(path.is_file() for path in split.iterdir()):
            raise InputError(
                "split-folder-without-classes",
                f"{split} is the folder of a split, but its images are not in folders of "
                "classes. Put them into one folder per class, or list them in a table for the "
                "source csv.",
            )
        found += [(path, SPLIT_FOLDERS[split.name.lower()]) for path in folders]
    return found


def _labelled(
    root: Path, folders: Sequence[tuple[Path, str | None]], label_map: Mapping[str, str]
) -> Iterator[ClassFolder]:
    """Yields folders as those of classes.

    Raises:
        UsageError: a name is no label, or a name of the map is no folder.
        InputError: a folder has no name of a class and holds only folders: to say what it is would
            make one class of all that is below it.
    """
    names = list(dict.fromkeys(path.name for path, _ in folders))
    check_map(label_map, names, root)
    closed = [
        path.name
        for path, _ in folders
        if not _is_known(path, label_map)
        and proposed_label(path.name) is None
        and _holds_only_folders(path)
    ]
    if closed:
        raise InputError(
            "class-folders-nested",
            f"{root}: {', '.join(map(repr, dict.fromkeys(closed)))} "
            f"hold{'s' * (len(set(closed)) == 1)} only folders, and no label has that name. Name "
            "the folder that contains one folder per class, or list the images in a table for "
            "the source csv.",
        )
    labels = labels_of(names, label_map, root)
    for path, split in folders:
        yield ClassFolder(path, labels[path.name], split)


def _check_places(root: Path, folders: Sequence[Path], label_map: Mapping[str, str]) -> None:
    """Refuses a folder that holds the folders of classes, and says where these are."""
    for path in folders:
        if not _is_known(path, label_map):
            place = _place_of_classes(path, _DEPTH)
        else:
            label = label_map.get(path.name, path.name.lower())
            # A name that is a label says enough of what lies deeper.
            depth = 1 if _is_class(path) else _DEPTH
            place = _place_of_classes(path, depth, {label, "other", *_KINDS.get(label, ())})
        if place is not None:
            where = "it" if place == path else str(place)
            raise InputError(
                "class-folders-deeper",
                f"{path} is not the folder of one class: {where} contains folders of classes. "
                f"Probably {place} is meant.",
            )
    if len(folders) == 1 and _holds_only_folders(folders[0]):
        only = folders[0]
        if not _is_known(only, label_map) and proposed_label(only.name) is None:
            raise InputError(
                "class-folders-deeper",
                f"{root} contains only {only}, which contains only folders. Probably {only} is "
                "meant.",
            )


def _place_of_classes(folder: Path, depth: int, fitting: Collection[str] = ()) -> Path | None:
    """Returns the folder, here or below, that holds folders of classes; None if none does.

    Args:
        folder: where to look.
        depth: how many levels are looked at.
        fitting: labels that may be there, since they fit what the folder is said to be.
    """
    inside = _own_folders(folder)
    parts = [part for path in inside if _is_split(path) for part in _own_folders(path)]
    named = [path.name for path in (*inside, *parts)]
    sure = {name.lower() for name in named if name.lower() in LABELS}
    likely = {label for name in named if (label := proposed_label(name))} - sure
    if sure.difference(fitting) or len(likely.difference(fitting)) >= (2 if not fitting else 1):
        return folder
    if depth > 1:
        for path in inside:
            if (found := _place_of_classes(path, depth - 1, fitting)) is not None:
                return found
    return None


def _own_folders(folder: Path) -> list[Path]:
    """Returns the folders in a folder that are no links; none of one that cannot be opened."""
    try:
        return [path for path in folders_in(folder) if not path.is_symlink()]
    except PermissionError:
        return []


def _is_known(folder: Path, label_map: Mapping[str, str]) -> bool:
    return folder.name in label_map or _is_class(folder)


def _is_class(folder: Path) -> bool:
    return folder.name.lower() in LABELS


def _is_split(folder: Path) -> bool:
    return folder.name.lower() in SPLIT_FOLDERS


def _holds_only_folders(folder: Path) -> bool:
    inside = [path for path in folder.iterdir() if path.name[0] != "."]
    return bool(inside) and all(path.is_dir() for path in inside)
