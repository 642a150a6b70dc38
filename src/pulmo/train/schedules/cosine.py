"""Cosine annealing."""

from pulmo.train.schedules import SCHEDULES, Schedule, Span, half_cosine


@SCHEDULES.register("cosine")
class Cosine(Schedule):
    """Half a cosine down to 0 (Loshchilov and Hutter 2017); torch's `CosineAnnealingLR`."""

    def rate(self, lr: float, step: int, span: Span) -> float:
        """Returns the learning rate at a step."""
        return half_cosine(lr, 0.0, step / span.total)
