"""What conformal sets do on the pictures that are judged, as it stands in `evaluation.json`."""

from pulmo.core.record import Record
from pulmo.stats.estimate import Estimate


class SetFigures(Record):
    """How the conformal sets of the card do here."""

    coverage: float
    """The share of pictures whose set should hold their class."""
    covered: Estimate
    """The share whose set does."""
    classes: dict[str, Estimate]
    """Class -> the share of its pictures whose set holds it; no share was chosen for a class."""
    size: Estimate
    """Mean number of classes in a set."""
    sizes: tuple[int, ...]
    """Pictures whose set has 0, 1, 2, ... classes."""
