"""A table of predictions as its authors send it, and what it becomes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pulmo.predictions.reading.labels import values_of
from pulmo.predictions.reading.options import Options


class ClassTable(NamedTuple):
    """A table whose classes are known.

    Attributes:
        table: with `p_<class>` of each class; without one where only decisions are known.
        positive: the classes that count as positive, as the table spells them.
        used: the columns that it was made of, and the roles.
        notes: how, as sentences.
    """

    table: pd.DataFrame
    positive: tuple[str, ...]
    used: frozenset[str]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class SentTable:
    """A table as its authors send it.

    Attributes:
        table: the table, its roles renamed.
        options: what the user says of it.
        decided: what its column of decisions is called there; None if it has none.
        decimal_comma: whether a comma in a number is its point.
        fractions: a column whose name is that of decisions and whose values are probabilities.
    """

    table: pd.DataFrame
    options: Options
    decided: str | None
    decimal_comma: bool
    fractions: str | None = None

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return [str(name) for name in self.table.columns]

    @property
    def labels(self) -> list[str]:
        """The different labels."""
        return values_of(self.table["label"]) if "label" in self.table else []


def with_classes(
    table: pd.DataFrame, columns: Mapping[str, pd.Series | NDArray[np.float64]], used: list[str]
) -> pd.DataFrame:
    """Returns a table with the columns of its classes, and no other that looks like such a one."""
    stale = [name for name in table.columns if name in used or name[:2] == "p_"]
    return table.drop(columns=stale).assign(**columns)
