"""Options of a measurement of how fast images are predicted."""

from dataclasses import dataclass, field

from pulmo.core.flags import flag


@dataclass(frozen=True)
class PredictBenchOptions:
    """How long is measured, and on how much of the machine.

    Attributes:
        threads: processor cores that all that is measured may use.
        seconds: how long rounds are begun, without the first one, which does not count. Six rounds
            are made at least, since fewer give no interval.
    """

    threads: int = field(default=1, metadata=flag(least=1))
    seconds: int = field(default=60, metadata=flag(least=0))
