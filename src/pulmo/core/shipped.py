"""The model that comes with pulmo: where it lies, and where its accesses to tests are recorded."""

import json
import os
from pathlib import Path
from typing import Final

from pulmo.core.files import read_bytes
from pulmo.core.folders import ShippedFolder

FOLDER: Final = Path(__file__).parents[1] / "shipped"


def shipped_bundle() -> Path | None:
    """Returns the bundle that comes with pulmo; None if this copy of pulmo has none."""
    return FOLDER if ShippedFolder(FOLDER).card.is_file() else None


def shipped_name() -> str:
    """Returns the name and the date of the model that comes with pulmo.

    They are read without the type of a card, for which `--help` and a usage error do not wait.

    Raises:
        InputError: this copy of pulmo has none.
    """
    card = json.loads(read_bytes(ShippedFolder(FOLDER).card))
    return f"{card['name']} of {card['created'][:10]}"


def records_of(bundle: Path) -> Path:
    """Returns the folder for what is recorded about a bundle: its own.

    That of the model that comes with pulmo is in the user's data folder (the XDG Base Directory
    Specification), since the package may be read-only and is replaced by each new version.
    """
    if bundle.resolve() != FOLDER.resolve():
        return bundle
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "pulmo"
