"""Estimate: a figure with its 95 % interval and the number of observations behind it."""

from math import sqrt
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


def wilson(share: float, n: float) -> tuple[float, float]:
    """Returns the 95 % Wilson score interval of a proportion (Wilson 1927).

    Args:
        share: the observed proportion, in [0, 1].
        n: number of observations, or the effective number when they are clustered; above 0.
    """
    centre = (share + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
    half = Z95 / (1 + Z95**2 / n) * sqrt(share * (1 - share) / n + Z95**2 / (4 * n**2))
    return max(0.0, centre - half), min(1.0, centre + half)
