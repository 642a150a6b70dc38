"""Card: a datasheet and two reporting checklists are filled in from what the files state."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pulmo.checklists.markdown import Written, write_checklists
from pulmo.checklists.reading import Places, read_artefacts
from pulmo.core.errors import UsageError
from pulmo.core.output import claim_folder
from pulmo.workflows.options.evaluation import CardOptions

DEFAULTS: Final = CardOptions()


def write_card(bundle: Path, output: Path, options: CardOptions = DEFAULTS) -> Sequence[Written]:
    """Writes DATASHEET.md, CLAIM.md and TRIPOD-AI.md; what no file states is marked as a gap.

    Args:
        bundle: the bundle's folder.
        output: the folder to write.
        options: what belongs to the bundle.

    Raises:
        UsageError: the bundle is a file, such as a table of predictions.
        InputError: a file cannot be read or written.
        RefusedError: a file belongs to another model.
    """
    if bundle.is_file():
        raise UsageError(
            "bundle-folder-expected",
            f"{bundle} is a file; the checklists are those of a bundle, which is a folder. "
            "A table of predictions has no card; it can be evaluated and audited.",
        )
    places = Places(bundle, options.data, options.run, options.evaluations, options.audit)
    artefacts = read_artefacts(places)
    claim_folder(output)
    return list(write_checklists(artefacts, output))
