"""Spreads: the sizes of the files and the ages of the patients, by class."""

from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pulmo.datasets.inspect.counts import classes_of
from pulmo.datasets.inspect.inspection import QUANTILES, Distribution, Spread

BINS: Final = 24


class _Quantity(NamedTuple):
    """A quantity, and whether its bins are equally wide in its logarithm."""

    name: str
    logarithmic: bool


_QUANTITIES: Final = (
    _Quantity("width", logarithmic=True),
    _Quantity("height", logarithmic=True),
    _Quantity("aspect", logarithmic=True),
    _Quantity("bytes", logarithmic=True),
    _Quantity("bytes_per_pixel", logarithmic=True),
    _Quantity("age", logarithmic=False),
)


def distributions_of(table: pd.DataFrame, facts: pd.DataFrame) -> dict[str, Distribution]:
    """Describes the quantities of the files and the age by class.

    Args:
        table: a manifest.
        facts: the facts of its files, as `file_facts` gives them.
    """
    frame = facts.assign(age=table["age"])
    labels, classes = table["label"].to_numpy(str), classes_of(table)
    return {
        quantity.name: _distribution(
            frame[quantity.name].to_numpy(float, na_value=np.nan),
            labels,
            classes,
            logarithmic=quantity.logarithmic,
        )
        for quantity in _QUANTITIES
    }


def _distribution(
    values: NDArray[np.float64], labels: NDArray[np.str_], classes: list[str], *, logarithmic: bool
) -> Distribution:
    known = values[~np.isnan(values)]
    edges = _edges(known, logarithmic=logarithmic) if len(known) else np.empty(0)
    spreads = {}
    for label in classes:
        own = values[(labels == label) & ~np.isnan(values)]
        spreads[label] = Spread(
            n=len(own),
            quantiles=tuple(np.quantile(own, QUANTILES).tolist()) if len(own) else (),
            counts=tuple(np.histogram(own, edges)[0].tolist()) if len(known) else (),
        )
    return Distribution(edges=tuple(edges.tolist()), logarithmic=logarithmic, classes=spreads)


def _edges(known: NDArray[np.float64], *, logarithmic: bool) -> NDArray[np.float64]:
    """Returns the edges of bins from the least to the greatest value, both within them."""
    low, high = float(known.min()), float(known.max())
    if low == high:
        return np.array([low, high])
    space = np.geomspace if logarithmic else np.linspace
    edges: NDArray[np.float64] = space(low, high, BINS + 1)
    # Rounding could leave the ends out.
    edges[0], edges[-1] = low, high
    return edges
