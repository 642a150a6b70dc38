"""The schedules of the learning rate, one registered class each; `SCHEDULES` reads this folder."""

import math
from abc import ABC, abstractmethod
from typing import Final, NamedTuple

from pulmo.core.choices import Choice, Choices


class Span(NamedTuple):
    """The length of a stage.

    Attributes:
        epochs: its epochs.
        steps: steps an epoch.
    """

    epochs: int
    steps: int

    @property
    def total(self) -> int:
        """Its steps."""
        return self.epochs * self.steps


class Schedule(Choice, ABC):
    """How the learning rate changes over the steps of a stage.

    A closed form of the step, so that a resumed run needs no scheduler's state.
    """

    @abstractmethod
    def rate(self, lr: float, step: int, span: Span) -> float:
        """Returns the learning rate at a step.

        Args:
            lr: the stage's peak rate.
            step: the step of the stage, from 0.
            span: the stage's length.
        """


SCHEDULES: Final = Choices[Schedule]("schedule", "pulmo.train.schedules")


def half_cosine(start: float, end: float, part: float) -> float:
    """Returns the value after `part` in [0, 1] of the way from one value to another."""
    return end + (start - end) / 2 * (1 + math.cos(math.pi * part))
