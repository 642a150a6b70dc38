"""What an import of a folder of images would need, found without reading an image."""

from pathlib import Path
from typing import NamedTuple

from pulmo.core.errors import PulmoError
from pulmo.datasets.class_names import UnknownClassesError
from pulmo.datasets.layout import class_folders


class FolderLook(NamedTuple):
    """What was found in a folder.

    Attributes:
        refusal: why an import would refuse the folder; blank if it would not.
        meant: class name -> the label that is meant, for names that are no labels; None where no
            label is near.
        official: whether the folder has a split of its own.
    """

    refusal: str = ""
    meant: tuple[tuple[str, str | None], ...] = ()
    official: bool = False


def look_into(folder: Path) -> FolderLook:
    """Looks for the classes of a folder as the import does."""
    try:
        found = class_folders(folder, {})
    except UnknownClassesError as error:
        meant = tuple(error.meant.items())
        try:
            known = {name: label or "other" for name, label in meant}
            official = any(one.split for one in class_folders(folder, known))
        except PulmoError as further:
            return FolderLook(str(further), meant)
        return FolderLook("", meant, official)
    except PulmoError as error:
        return FolderLook(str(error))
    return FolderLook(official=any(one.split for one in found))
