"""The model that comes with pulmo: where it lies, and where its accesses to tests are recorded."""

import json
import os
from pathlib import Path
from typing import Final, NamedTuple

from pulmo.core.files import read_bytes
from pulmo.core.folders import ShippedFolder

FOLDER: Final = Path(__file__).parents[1] / "shipped"


def shipped_bundle() -> Path | None:
    """Returns the bundle that comes with pulmo; None if this copy of pulmo has none."""
    return FOLDER if ShippedFolder(FOLDER).card.is_file() else None


class ShippedModel(NamedTuple):
    """What is known of the model that comes with pulmo without opening it.

    Attributes:
        folder: its bundle.
        title: its name and its date.
        backbone: of its network.
        sha256: of its trained tensors.
        model_sha256: of its `model.onnx`.
    """

    folder: ShippedFolder
    title: str
    backbone: str
    sha256: str
    model_sha256: str


def shipped_model() -> ShippedModel:
    """Returns what the card of the model that comes with pulmo says of it.

    It is read without the type of a card, for which a usage error does not wait.

    Raises:
        InputError: this copy of pulmo has none.
    """
    folder = ShippedFolder(FOLDER)
    card = json.loads(read_bytes(folder.card))
    network, title = card["network"], f"{card['name']} of {card['created'][:10]}"
    return ShippedModel(
        folder, title, network["backbone"], network["sha256"], card["files"][folder.model.name]
    )


def records_of(bundle: Path) -> Path:
    """Returns the folder for what is recorded about a bundle: its own.

    That of the model that comes with pulmo is in the user's data folder (the XDG Base Directory
    Specification), since the package may be read-only and is replaced by each new version.
    """
    if bundle.resolve() != FOLDER.resolve():
        return bundle
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "pulmo"
