"""Estimate: a value with its 95 % interval and the number of observations behind it."""

from math import hypot
from typing import Final, NamedTuple, Self

Z95: Final = 1.959963984540054
"""The 97.5th percentile of the normal distribution."""


class Estimate(NamedTuple):
    """One value. An undefined one has none and says why.

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

    def without_interval(self, reason: str) -> Self:
        """Takes the interval away for `reason`; one without a value keeps its own reason."""
        if self.value is None:
            return self
        return self._replace(low=None, high=None, reason=reason)

    def rescaled(self, zero: float, one: float) -> Self:
        """Returns the estimate on the scale on which `zero` becomes 0 and `one` becomes 1."""
        value, *ends = (
            None if each is None else (each - zero) / (one - zero)
            for each in (self.value, self.low, self.high)
        )
        low, high = ends if one > zero else ends[::-1]
        return self._replace(value=value, low=low, high=high)

    @property
    def in_text(self) -> str:
        """The estimate as it is written in a sentence: `0.955 (95 % CI 0.923 to 0.974)`."""
        if self.value is None or self.low is None or self.high is None:
            return str(self)
        return f"{self.value:.3f} (95 % CI {self.low:.3f} to {self.high:.3f})"

    def __str__(self) -> str:
        """Gives the estimate as it is printed in tables: `0.955 (0.923-0.974)`."""
        if self.value is None:
            return f"undefined ({self.reason})"
        if self.low is None or self.high is None:
            return f"{self.value:.3f} (no interval: {self.reason})"
        # A hyphen before a minus would look like one of them.
        joint = " to " if self.low < 0 or self.high < 0 else "-"
        return f"{self.value:.3f} ({self.low:.3f}{joint}{self.high:.3f})"


def difference(first: Estimate, second: Estimate) -> Estimate:
    """Returns the first estimate minus the second, of other observations.

    Where a group has observations on both sides its interval is on the wide side. Of two
    proportions with Wilson's intervals it is Newcombe's (1998, method 10), so it is right where one
    of them is 0 or 1.

    Args:
        first: an estimate from some observations.
        second: the same estimate from others.

    Returns:
        The difference, with the observations of both; undefined, or without an interval, where one
        of the two is.
    """
    return _sum(first, second.rescaled(zero=0.0, one=-1.0))


def average(first: Estimate, second: Estimate) -> Estimate:
    """Returns the mean of two estimates, such as sensitivity and specificity, likewise."""
    return _sum(first.rescaled(zero=0.0, one=2.0), second.rescaled(zero=0.0, one=2.0))


def _sum(first: Estimate, second: Estimate) -> Estimate:
    """Adds two estimates by the method of variance estimates recovery (Zou and Donner 2008).

    How far each end of an interval lies from its value stands for the standard error to that side.
    """
    n = first.n + second.n
    if first.value is None or second.value is None:
        reason = first.reason if first.value is None else second.reason
        return Estimate.undefined(reason or "one side is undefined", n)
    value = first.value + second.value
    if first.low is None or first.high is None or second.low is None or second.high is None:
        reason = first.reason or second.reason or "one side has no interval"
        return Estimate(value, None, None, n, reason)
    below = hypot(first.value - first.low, second.value - second.low)
    above = hypot(first.high - first.value, second.high - second.value)
    return Estimate(value, value - below, value + above, n)
