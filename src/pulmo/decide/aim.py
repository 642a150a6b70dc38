"""What a threshold is chosen for."""

import math
from typing import Literal, NamedTuple, Self

from pulmo.core.errors import UsageError


class Aim(NamedTuple):
    """What a threshold is chosen for.

    Attributes:
        metric: sensitivity or specificity.
        value: what it is to reach, in (0, 1).
    """

    metric: Literal["sensitivity", "specificity"]
    value: float

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads `sensitivity=0.95` or `specificity=0.95`.

        Raises:
            UsageError: it is neither.
        """
        name, _, number = text.partition("=")
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if name not in {"sensitivity", "specificity"} or not 0 < value < 1:
            raise UsageError(
                "aim-invalid",
                f"{text!r} is not an aim. Write sensitivity=0.95 or specificity=0.95, with a "
                "number between 0 and 1.",
            )
        return cls("sensitivity" if name == "sensitivity" else "specificity", value)
