"""Card: a datasheet and two reporting checklists are filled in from what the files state."""

from collections.abc import Sequence
from pathlib import Path

from pulmo.checklists.markdown import Written, write_checklists
from pulmo.checklists.reading import Places, read_artefacts
from pulmo.core.errors import UsageError
from pulmo.core.output import claim_folder


def write_card(places: Places, output: Path) -> Sequence[Written]:
    """Writes DATASHEET.md, CLAIM.md and TRIPOD-AI.md; what no file states is marked as a gap.

    Args:
        places: the bundle, and what belongs to it.
        output: the folder to write.

    Raises:
        UsageError: the bundle is a file, such as a table of predictions.
        InputError: a file cannot be read or written.
        RefusedError: a file belongs to another model.
    """
    if places.bundle.is_file():
        raise UsageError(
            "bundle-folder-expected",
            f"{places.bundle} is a file; the checklists are those of a bundle, which is a folder. "
            "A table of predictions has no card; it can be evaluated and audited.",
        )
    artefacts = read_artefacts(places)
    claim_folder(output)
    return list(write_checklists(artefacts, output))
