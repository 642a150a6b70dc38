"""Inverse time."""

from typing import Annotated

from pydantic import Field

from pulmo.core.sections import Number
from pulmo.train.schedules import SCHEDULES, Schedule, Span


@SCHEDULES.register("inverse-time")
class InverseTime(Schedule):
    """The rate over 1 + decay * step, as the `decay` of Keras's older optimisers."""

    decay: Annotated[Number, Field(ge=0)] = 0.0
    """What each step adds to the divisor."""

    def rate(self, lr: float, step: int, span: Span) -> float:  # noqa: ARG002 - the same at any length
        """Returns the learning rate at a step."""
        return lr / (1 + self.decay * step)
