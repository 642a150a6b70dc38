"""What a path leads to when it names a model: a bundle, a cross-validation, or predictions."""

from pathlib import Path
from typing import Final, Literal

from pulmo.core.errors import InputError, UsageError
from pulmo.core.folders import RepeatsFolder
from pulmo.predictions.reading.options import TABLES

Kind = Literal["bundle", "folds", "table"]

CALLED: Final[dict[Kind, str]] = {
    "bundle": "a bundle",
    "folds": "a folder of cross-validation",
    "table": "a table of predictions",
}
"""Kind -> what people call it."""


def kind_of(path: Path) -> Kind:
    """Tells what a path is; whether a folder is a sound bundle is seen when it is loaded.

    Raises:
        InputError: there is nothing.
        UsageError: it is a file that is neither a network nor a table.
    """
    if not path.exists():
        raise InputError(
            "file-missing",
            f"{path} does not exist; a model or a table of predictions was expected.",
        )
    if path.suffix.lower() in TABLES:
        return "table"
    if RepeatsFolder(path).index.is_file():
        return "folds"
    if path.is_file() and path.suffix.lower() != ".onnx":
        raise UsageError(
            "bundle-expected", f"{path} is neither a bundle nor a table ({', '.join(TABLES)})."
        )
    return "bundle"
