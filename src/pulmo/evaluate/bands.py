"""Bands of age and of image size, by which subgroups are formed in every artefact."""

from itertools import pairwise
from typing import Final

import numpy as np
import pandas as pd

AGES: Final = (18, 40, 65)
"""Years at which an age band ends."""

SIDES: Final = (512, 1024, 2048)
"""Pixels of the shorter side at which a band of sizes ends."""

UNKNOWN: Final = "not known"


def age_bands(years: pd.Series) -> pd.Series:
    """Returns the band of each age in years, as text; null where it is unknown."""
    return _bands(years, AGES, "years")


def size_bands(sides: pd.DataFrame) -> pd.Series:
    """Returns the band of the shorter side of each image, as text; null where it is unknown.

    The shorter side is what limits the detail that is left once an image is made square.

    Args:
        sides: `width` and `height` in pixels.
    """
    pixels = sides[["width", "height"]].apply(pd.to_numeric, errors="coerce")
    return _bands(pixels.astype("Float64").min(axis=1, skipna=False), SIDES, "px")


def band_order(name: object) -> tuple[bool, int, str]:
    """Orders bands by their numbers, other names by their letters, and what is unknown last."""
    text = str(name)
    digits = "".join(letter if letter.isdigit() else " " for letter in text).split()
    first = -1 if text.startswith("below ") else int(digits[0]) if digits else 0
    return text == UNKNOWN, first, text


def _bands(values: pd.Series, ends: tuple[int, ...], unit: str) -> pd.Series:
    """Names the band that each value lies in; a band does not hold its upper end."""
    names = [
        f"below {ends[0]} {unit}",
        *(f"{low} to {high - 1} {unit}" for low, high in pairwise(ends)),
        f"{ends[-1]} {unit} or more",
    ]
    numbers = values.astype("Float64").to_numpy(np.float64, na_value=np.nan)
    placed = pd.cut(numbers, [-np.inf, *ends, np.inf], right=False, labels=names)
    return pd.Series(placed, values.index).astype("string")
