"""What the user states of a data set of his or her own when it is imported."""

from collections.abc import Mapping
from typing import Final

import pandas as pd

from pulmo.core.errors import UsageError
from pulmo.core.sources import OWN
from pulmo.datasets.manifest import Manifest

EVERY: Final = ""
"""The class that stands for all classes."""


def check_can_be_stated(stated: Mapping[str, str], reader: str) -> None:
    """Refuses a stated hospital for a public data set, whose reader knows where images are from.

    Args:
        stated: as in `state_sources`.
        reader: the name of the source.

    Raises:
        UsageError: something is stated for a source that is not in `OWN`.
    """
    if stated and reader not in OWN:
        raise UsageError(
            "origin-not-taken",
            f"You can state where images are from for the sources {' and '.join(OWN)}; {reader} "
            "knows it.",
        )


def state_sources(manifest: Manifest, stated: Mapping[str, str]) -> Manifest:
    """Returns a manifest with the hospital, or the set, that the images of a class are from.

    An image whose row states its origin keeps it.

    Args:
        manifest: of a folder or a table of the user's own.
        stated: class -> its source; the class is a label, or a name that the data set gives it;
            `EVERY` stands for all classes that are not named.

    Raises:
        UsageError: the data set has no such class.
    """
    if not stated:
        return manifest
    table = manifest.frame
    origin = table["origin"]
    for name, source in sorted(stated.items(), reverse=True):  # the class for all others is last
        mine = (table["finding"] == name).fillna(value=False) | (table["label"] == name)
        if name != EVERY and not mine.any():
            known = sorted({*table["label"], *table["finding"].dropna()})
            raise UsageError(
                "stated-class-missing",
                f"A source is given for the images of {name!r}, but there are none; the classes "
                f"are {', '.join(known)}.",
            )
        chosen = mine if name != EVERY else pd.Series(data=True, index=table.index)
        origin = origin.mask(chosen & origin.isna(), source)
    return manifest.with_columns(origin=origin)
