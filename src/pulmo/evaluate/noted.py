"""Notes on the pictures that a model was asked about."""

import pandas as pd

from pulmo.core.noted import count_kinds
from pulmo.radiograph.notes import SAYS


def noted(rows: pd.DataFrame) -> dict[str, int] | None:
    """Returns kind of note -> pictures, the commonest first; None where the rows do not tell.

    Args:
        rows: pictures, with the columns `notes` and `sha256` of a manifest if they are known. A
            column `notes` that holds anything else, as a user's own words, tells nothing.
    """
    if not {"notes", "sha256"} <= set(rows):
        return None
    counts = count_kinds(rows["notes"])
    return counts if counts.keys() <= SAYS.keys() else None
