"""Options: what a user says of a table of predictions that its columns do not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from pulmo.core.flags import flag

TEXTS: Final = (".csv", ".tsv", ".txt")
TABLES: Final = (".parquet", *TEXTS, ".xlsx")
"""The suffixes of tables of predictions."""


@dataclass(frozen=True)
class Options:
    """What a user says of a table of predictions.

    Attributes:
        positive: a class that counts as positive. Default: none.
        threshold: the probability of the positive classes, or of a finding, from which a result is
            positive. Default: what the table says, else the most probable class or 0.5.
        merge: count a label as a class, or a class as another or a new one. Default: none.
        truth: the column of the true class. Default: by its name.
        decision: the column of the decided class. Default: by its name.
        score: the only column of probabilities, of the class in its name or of the positive class.
            Default: by the names of the columns.
        group: the column of images that belong together. Default: the group, else the patient, else
            each image alone.
    """

    positive: tuple[str, ...] = field(default=(), metadata=flag(metavar="CLASS"))
    threshold: float | None = None
    merge: Mapping[str, str] = field(default_factory=dict, metadata=flag(metavar="LABEL=CLASS"))
    truth: str | None = field(default=None, metadata=flag(metavar="COLUMN"))
    decision: str | None = field(default=None, metadata=flag(metavar="COLUMN"))
    score: str | None = field(default=None, metadata=flag(metavar="COLUMN"))
    group: str | None = field(default=None, metadata=flag("--groups", metavar="COLUMN"))
