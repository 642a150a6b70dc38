"""The rule that tells lungs from what is none, by the shape of what the network marks."""

from collections.abc import Sequence
from typing import Final, Self

from pulmo.core.message import Message
from pulmo.core.record import Record
from pulmo.lungs.parts import Shape

SAYS: Final = {
    "area": "they would fill {value:.1%} of the image; at least {limit:.1%} was expected",
    "certainty": "their mean probability is {value:.2f}; at least {limit:.2f} was expected",
    "sharpness": "their edge is unclear: {value:.0%} of it is sure; {limit:.0%} was expected",
    "balance": "one is {value:.0%} of the other in area; at least {limit:.0%} was expected",
    "level": "they share {value:.0%} of their height; at least {limit:.0%} was expected",
    "whole": "{value:.0%} of what was marked is in two parts; {limit:.0%} was expected",
}
"""What a mask lacks, by the field of its shape."""

_SLACK: Final = 0.5
"""By how much of its value each limit lies below the lowest one of the validation images."""


class LungRule(Record):
    """The least value of each field of a `Shape` that lungs have.

    Attributes:
        area, certainty, sharpness, balance, level, whole: of the fields of that name.
    """

    area: float
    certainty: float
    sharpness: float
    balance: float
    level: float
    whole: float

    @classmethod
    def fit(cls, shapes: Sequence[Shape]) -> Self:
        """Makes the rule by which all these masks are of lungs, with some slack.

        Args:
            shapes: of the validation images with lungs, one or more.
        """
        lowest = {name: min(getattr(shape, name) for shape in shapes) for name in Shape._fields}
        return cls(**{name: value * (1 - _SLACK) for name, value in lowest.items()})

    def lacks(self, shape: Shape) -> tuple[Message, ...]:
        """Returns what a mask lacks to be one of lungs; nothing if it is one."""
        if not shape.area:
            return (Message("no-lungs", "No lungs were found: the network marks nothing."),)
        return tuple(
            Message(
                f"no-lungs-{name}",
                f"No lungs were found: {SAYS[name].format(value=value, limit=limit)}.",
            )
            for name, value in shape._asdict().items()
            if value < (limit := getattr(self, name))
        )
