"""Overlap: judged pictures that the model was trained or chosen on are voided, by name.

A figure of pictures that a model has seen says how well it remembers. What it has seen is known by
content, whatever a manifest calls it: a bundle carries the digests of its training and validation
pictures, and the run that it is from tells patients and groups too.
"""

from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import Final, NamedTuple

import pandas as pd

from pulmo.bundle.manifest_predictions import Failure
from pulmo.core.tables import patient_names

_NAMED: Final = 5
"""Voided pictures that a sentence names; an evaluation lists all."""

_DIGESTS = {"pixels_sha256": "a picture of the same pixels", "sha256": "the same file"}


class Seen(NamedTuple):
    """What a model was trained and chosen on.

    Attributes:
        digests: SHA-256 of the files and of their pixels; empty if unknown.
        rows: the rows of its manifest; None if they are not at hand.
    """

    digests: frozenset[str] = frozenset()
    rows: pd.DataFrame | None = None


class Overlap(NamedTuple):
    """What is left of the judged pictures.

    Attributes:
        table: the rows that the model has not seen.
        voided: the others, each with how it was seen.
    """

    table: pd.DataFrame
    voided: tuple[Failure, ...]


def void_seen(table: pd.DataFrame, seen: Seen) -> Overlap:
    """Takes the pictures out of a manifest that a model has seen.

    Args:
        table: rows of a manifest.
        seen: what the model has seen.
    """
    reasons = pd.Series(pd.NA, table.index, dtype="string")
    if seen.rows is not None:
        for name, keys, known in (
            ("group", table["group"], seen.rows["group"]),
            ("patient", patient_names(table), patient_names(seen.rows)),
        ):
            shared = keys.notna() & keys.isin(known.dropna())
            reasons[shared] = f"a picture of its {name} is among those that it was trained on"
    for name, words in _DIGESTS.items():
        reasons[table[name].isin(seen.digests)] = f"{words} is among those that it was trained on"
    voided = reasons.notna()
    failures = (
        Failure(path=str(path), reason=f"{path}: {reason}.")
        for path, reason in zip(table["path"][voided], reasons[voided], strict=True)
    )
    return Overlap(table[~voided], tuple(failures))


def say_voided(voided: Sequence[Failure]) -> Iterator[str]:
    """Yields a sentence that names pictures that a model has seen, if there are some."""
    if voided:
        names = [PurePath(each.path).name for each in voided]
        more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
        what, whom = ("picture", "it") if len(names) == 1 else ("pictures", "them")
        yield (
            f"{len(names):,} {what} took no part, because the model was trained or chosen on "
            f"{whom}: {', '.join(names[:_NAMED])}{more}."
        )
