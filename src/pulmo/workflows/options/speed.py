"""Options of a measurement of how fast images are predicted."""

from dataclasses import dataclass, field

from pulmo.core.flags import flag


@dataclass(frozen=True)
class PredictBenchOptions:
    """How long is measured, and on how much of the machine.

    Attributes:
        threads: processor cores that everything may use.
        seconds: time in which new rounds begin, after a first round, which does not count. At
            least six rounds are made, since fewer give no interval.
    """

    threads: int = field(default=1, metadata=flag(least=1))
    seconds: int = field(default=60, metadata=flag(least=0))
