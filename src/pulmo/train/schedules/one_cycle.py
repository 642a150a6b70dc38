"""One cycle."""

from typing import Annotated, Final

from pydantic import Field

from pulmo.core.sections import Number
from pulmo.train.schedules import SCHEDULES, Schedule, Span, half_cosine

# torch.optim.lr_scheduler.OneCycleLR's defaults.
_START_DIVISOR: Final = 25.0
_END_DIVISOR: Final = 1e4


@SCHEDULES.register("one-cycle")
class OneCycle(Schedule):
    """Cosine up over `warmup`, then down to lr / 250,000 (Smith and Topin 2018).

    It equals `torch.optim.lr_scheduler.OneCycleLR` with cosine annealing.
    """

    warmup: Annotated[Number, Field(gt=0, lt=1)] = 0.25
    """Fraction of the steps over which the rate rises."""

    def rate(self, lr: float, step: int, span: Span) -> float:
        """Returns the learning rate at a step."""
        start, end = lr / _START_DIVISOR, lr / _START_DIVISOR / _END_DIVISOR
        # A run of a few steps has no room to rise and starts at the peak.
        peak = max(self.warmup * span.total - 1, 0.0)
        if step <= peak:
            return half_cosine(start, lr, step / peak) if peak else lr
        return half_cosine(lr, end, (step - peak) / (span.total - 1 - peak))
