"""Estimate: a figure with its 95 % interval and the number of observations behind it."""

from math import hypot, sqrt
from typing import Final, NamedTuple, Self

Z95: Final = 1.959963984540054
"""The 97.5th percentile of the normal distribution."""


class Estimate(NamedTuple):
    """One figure. An undefined one has no value and says why.

    Attributes:
        value: the point estimate, or None when it is undefined.
        low: lower end of the 95 % interval, or None when it is undefined.
        high: upper end of the 95 % interval, or None when it is undefined.
        n: number of observations that the value is computed from (for a sensitivity: positives).
        reason: why the value or its interval is undefined; None when both are defined.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    reason: str | None = None

    @classmethod
    def undefined(cls, reason: str, n: int = 0) -> Self:
        """Returns an estimate without a value, for `reason`."""
        return cls(None, None, None, n, reason)

    def __str__(self) -> str:
        """Gives the figure as it is printed in tables: `0.955 (0.923-0.974)`."""
        if self.value is None:
            return f"undefined ({self.reason})"
        if self.low is None or self.high is None:
            return f"{self.value:.3f} (no interval: {self.reason})"
        # A hyphen before a minus would look like one of them.
        joint = " to " if self.low < 0 or self.high < 0 else "-"
        return f"{self.value:.3f} ({self.low:.3f}{joint}{self.high:.3f})"


def gap(first: Estimate, second: Estimate) -> Estimate:
    """Returns the first figure minus the second, with its 95 % interval.

    The interval is made of the two figures' own (square and add: Newcombe 1998, method 10; for any
    two independent figures Zou and Donner 2008), so it is right where one of them is 0 or 1. Where
    a group has pictures on both sides it is on the wide side.

    Args:
        first: a figure of some pictures.
        second: the same figure of other pictures.

    Returns:
        The difference, of the pictures of both; undefined, or without an interval, where one of the
        two is.
    """
    n = first.n + second.n
    reason = first.reason or second.reason
    if first.value is None or second.value is None:
        return Estimate.undefined(reason or "one side is undefined", n)
    value = first.value - second.value
    if first.low is None or first.high is None or second.low is None or second.high is None:
        return Estimate(value, None, None, n, reason)
    below = hypot(first.value - first.low, second.high - second.value)
    above = hypot(first.high - first.value, second.value - second.low)
    return Estimate(value, value - below, value + above, n)


def wilson(share: float, n: float) -> tuple[float, float]:
    """Returns the 95 % score interval of a proportion (Wilson 1927).

    Args:
        share: the observed proportion, in [0, 1].
        n: number of independent observations, above 0; an effective one need not be whole.
    """
    spread = Z95 * Z95 / n
    centre = share + spread / 2
    reach = sqrt(spread * (share * (1 - share) + spread / 4))
    low, high = ((centre + side * reach) / (1 + spread) for side in (-1, 1))
    # At 0 and 1 rounding could leave the observed share outside.
    return min(max(low, 0.0), share), max(min(high, 1.0), share)
