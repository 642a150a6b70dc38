"""pulmo audit, of a table of predictions without the model that made them."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pulmo.core.errors import UsageError

if TYPE_CHECKING:
    from pulmo.study.audited import Audited


class TableTerms(NamedTuple):
    """What the user says of a table that its columns do not.

    Attributes:
        positive: classes that count as positive.
        threshold: summed probability of these from which a result is positive.
        merge: `LABEL=CLASS`, a label that counts as a class.
    """

    positive: Sequence[str]
    threshold: float | None
    merge: Sequence[str]


def table_to_audit(
    path: Path, data: Path | None, split: str | None, terms: TableTerms
) -> "Audited":
    """Reads a table of predictions, and the manifest of its pictures if one is named.

    Raises:
        InputError: one cannot be read, or they do not fit each other.
        UsageError: an option does not fit the table.
    """
    from pulmo.core.tables import check_split_name, read_manifest
    from pulmo.evaluate.multilabel.table import is_multilabel
    from pulmo.evaluate.table import read_table
    from pulmo.evaluate.told import model_of, tell
    from pulmo.study.audited_table import audited_table

    if split is not None and data is None:
        raise UsageError("--split is of a manifest; name it with --data.")
    check_split_name(split)
    table = read_table(path)
    if is_multilabel(table):
        raise UsageError(
            f"{path} has several findings a film (its y_ columns), and an audit is of one: `pulmo "
            "evaluate` writes a table of each, labels/FINDING/predictions.parquet."
        )
    merge = _merges(terms.merge)
    told = tell(table, model_of(path), terms.positive, terms.threshold, merge)
    return audited_table(told, None if data is None else read_manifest(data), split)


def _merges(pairs: Sequence[str]) -> dict[str, str]:
    """Returns label -> class that it counts as."""
    merges = {}
    for pair in pairs:
        label, sign, name = pair.partition("=")
        if not sign:
            raise UsageError(f"--merge {pair!r} is not LABEL=CLASS.")
        merges[label] = name
    return merges
