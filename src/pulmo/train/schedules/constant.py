"""A constant rate."""

from pulmo.train.schedules import SCHEDULES, Schedule, Span


@SCHEDULES.register("constant")
class Constant(Schedule):
    """The same rate at each step."""

    def rate(self, lr: float, step: int, span: Span) -> float:  # noqa: ARG002 - the same at any step
        """Returns the peak rate."""
        return lr
