"""Steps."""

from typing import Annotated

from pydantic import Field

from pulmo.core.sections import Count, Number
from pulmo.train.schedules import SCHEDULES, Schedule, Span


@SCHEDULES.register("step")
class Step(Schedule):
    """Times `factor` every so many epochs; torch's `StepLR`."""

    epochs: Count = 10
    """Epochs between two falls of the rate."""
    factor: Annotated[Number, Field(gt=0, lt=1)] = 0.1
    """What the rate is multiplied by at each fall."""

    def rate(self, lr: float, step: int, span: Span) -> float:
        """Returns the learning rate at a step."""
        return lr * self.factor ** (step // span.steps // self.epochs)
