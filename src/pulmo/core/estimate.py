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
        return f"{self.value:.3f} ({self.low:.3f}-{self.high:.3f})"


def gap(first: Estimate, second: Estimate) -> Estimate:
    """Returns the first figure minus the second, which are of different pictures.

    Its interval combines theirs by MOVER (Zou and Donner 2008, equation 3); for two proportions
    with Wilson's intervals it is Newcombe's hybrid score interval (1998, method 10). `n` counts the
    pictures of both.
    """
    n = first.n + second.n
    for part in (first, second):
        if part.value is None:
            return Estimate.undefined(part.reason or "one of both is undefined", n)
    value = (first.value or 0.0) - (second.value or 0.0)
    ends = [part[:3] for part in (first, second)]
    if any(end is None for part in ends for end in part):
        return Estimate(value, None, None, n, "one of both has no interval")
    (one, one_low, one_high), (other, other_low, other_high) = (
        tuple(end or 0.0 for end in part) for part in ends
    )
    down, up = hypot(one - one_low, other_high - other), hypot(one_high - one, other - other_low)
    return Estimate(value, value - down, value + up, n)


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
