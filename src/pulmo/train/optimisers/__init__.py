"""The optimisers, one registered class each; `OPTIMISERS` reads this folder."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Final

from pulmo.core.choices import Choice, Choices

if TYPE_CHECKING:
    from torch.optim import Optimizer


class OptimiserChoice(Choice, ABC):
    """Which optimiser makes the steps."""

    @abstractmethod
    def make(self, groups: list[dict[str, Any]], lr: float) -> "Optimizer":
        """Makes the optimiser.

        Args:
            groups: torch's parameter groups, each with its `lr` and `weight_decay`.
            lr: the head's learning rate.
        """


OPTIMISERS: Final = Choices[OptimiserChoice]("optimiser", "pulmo.train.optimisers")
