"""The values of a table that others wrote: text, numbers and per cent."""

from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pulmo.core.errors import InputError

_POINT: Final = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_COMMA: Final = r"[+-]?(?:\d+,?\d*|,\d+)(?:[eE][+-]?\d+)?"
_TRUTHS: Final = {"true": True, "false": False}


class Numbers(NamedTuple):
    """A column of numbers.

    Attributes:
        array: float64 [n], NaN where one is missing.
        percent: whether they were written with a per cent sign; they are not divided by 100.
    """

    array: NDArray[np.float64]
    percent: bool


def as_text(column: pd.Series) -> pd.Series:
    """Returns values as text without spaces around it, a whole number without its point."""
    texts = [None if pd.isna(value) else _text(value) for value in column]
    return pd.Series(texts, column.index, "string", name=column.name)


def _text(value: object) -> str | None:
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value).strip() or None


def as_numbers(column: pd.Series, *, decimal_comma: bool) -> Numbers | None:
    """Returns a column as numbers; None where a value is none.

    Args:
        column: numbers, or text.
        decimal_comma: whether a comma stands for the point of a number.

    Raises:
        InputError: some values have a per cent sign and some have none, so that one cannot know
            what the latter are.
    """
    if pd.api.types.is_numeric_dtype(column.dtype):
        return Numbers(column.to_numpy(np.float64, na_value=np.nan), percent=False)
    texts = as_text(column)
    known = texts.dropna()
    signs = known.str.endswith("%")
    bare = known.str.removesuffix("%").str.strip()
    if not bare.str.fullmatch(_POINT).all():
        if not decimal_comma or not bare.str.fullmatch(_COMMA).all():
            return None
        bare = bare.str.replace(",", ".", regex=False)
    if signs.any() and not signs.all():
        raise InputError(
            "percent-signs-mixed",
            f"The column {column.name} has {int(signs.sum()):,} values with a per cent sign and "
            f"{int((~signs).sum()):,} without. Write all of them in one way.",
        )
    values = np.full(len(texts), np.nan)
    values[texts.notna().to_numpy(np.bool_)] = [float(text) for text in bare]
    return Numbers(values, percent=bool(signs.any()))


def inferred(column: pd.Series, *, decimal_comma: bool) -> pd.Series:
    """Returns a column of text as whole numbers, numbers or truths, where all its values are such.

    A column of another type is returned as it is.
    """
    if pd.api.types.is_numeric_dtype(column.dtype) or column.isna().all():
        return column
    texts = as_text(column)
    known = texts.dropna()
    if len(known) == len(texts) and known.str.lower().isin(_TRUTHS).all():
        return known.str.lower().map(_TRUTHS).astype(bool)
    if known.str.contains("%", regex=False).any():
        return column
    found = as_numbers(column, decimal_comma=decimal_comma)
    if found is None:
        return column
    if len(known) == len(texts) and known.str.fullmatch(r"[+-]?\d{1,15}").all():
        return pd.Series(found.array.astype(np.int64), column.index, name=column.name)
    return pd.Series(found.array, column.index, name=column.name)
