"""Select: the images of a manifest that fulfil conditions."""

import operator
import re
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, Self

import pandas as pd

from pulmo.core.errors import UsageError
from pulmo.datasets.manifest import Manifest, check_column
from pulmo.datasets.modality import kind_of, kinds

UNKNOWN: Final = "unknown"
"""The value that stands for what a manifest does not state."""

_ORDERED: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_CONDITION: Final = re.compile(
    r"(?P<column>\w+)\s*(?P<sign><=|>=|!=|=|<|>)\s*(?P<value>.+)", re.DOTALL
)


class Condition(NamedTuple):
    """What an image must fulfil.

    Attributes:
        column: of the manifest.
        sign: `=`, `!=`, `<`, `<=`, `>` or `>=`.
        values: one of them, for `=`; none of them, for `!=`; else a single number.
    """

    column: str
    sign: str
    values: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads `view=PA|AP`, `age>=18`, `source!=nih` or `patient=unknown`.

        Raises:
            UsageError: it is no condition, or a manifest has no such column.
        """
        match = _CONDITION.fullmatch(text.strip())
        if not match:
            raise UsageError(
                "condition-invalid",
                f"{text!r} is no condition. One is a column, a sign (=, !=, <, <=, >, >=) and a "
                "value, such as age>=18; several values are joined by |, such as view=PA|AP.",
            )
        check_column(match["column"])
        return cls(match["column"], match["sign"], tuple(match["value"].strip().split("|")))

    def holds(self, manifest: Manifest) -> pd.Series:
        """Returns whether it holds for each image; null where the manifest does not say.

        Raises:
            UsageError: the column holds text, which has no order, or the value is no number.
        """
        cells = manifest.frame[self.column]
        if self.sign in _ORDERED:
            return self._compare(cells)
        stated = tuple(value for value in self.values if value != UNKNOWN)
        if self.column == "modality":
            cells = kinds(cells)
            stated = tuple(kind for value in stated if (kind := kind_of(value)))
        numeric = pd.api.types.is_numeric_dtype(cells)
        wanted = [self._number(value) for value in stated] if numeric else list(stated)
        inside = cells.isin(wanted).astype("boolean").mask(cells.isna())
        if UNKNOWN in self.values:
            inside = inside.fillna(value=True)
        return ~inside if self.sign == "!=" else inside

    def _compare(self, cells: pd.Series) -> pd.Series:
        if len(self.values) > 1 or not pd.api.types.is_numeric_dtype(cells):
            raise UsageError(
                "condition-without-order",
                f"{self} compares by size, which needs a column of numbers and one value.",
            )
        held: pd.Series = _ORDERED[self.sign](cells, self._number(self.values[0]))
        return held.astype("boolean")

    def _number(self, value: str) -> float:
        try:
            return float(value)
        except ValueError:
            raise UsageError(
                "condition-value-invalid", f"{self} needs a number; {value!r} is none."
            ) from None

    def __str__(self) -> str:
        return f"{self.column}{self.sign}{'|'.join(self.values)}"


class Selected(NamedTuple):
    """The images that fulfil all conditions.

    Attributes:
        manifest: these.
        unknown: column -> images that were left out only because the manifest does not state it.
    """

    manifest: Manifest
    unknown: dict[str, int]


def select(manifest: Manifest, conditions: Sequence[Condition]) -> Selected:
    """Returns the images that fulfil every condition, in their order and with their splits.

    An image of which a column is not stated does not fulfil a condition on it, unless the condition
    names `unknown`.

    Raises:
        UsageError: a condition does not fit its column.
    """
    held = pd.DataFrame(
        {number: condition.holds(manifest) for number, condition in enumerate(conditions)}
    )
    possible = held.fillna(value=True).all(axis=1)
    unknown = {
        condition.column: int((held[number].isna() & possible).sum())
        for number, condition in enumerate(conditions)
    }
    chosen = held.fillna(value=False).all(axis=1)
    return Selected(manifest.select(chosen), {column: n for column, n in unknown.items() if n})
