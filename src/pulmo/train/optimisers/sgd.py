"""Stochastic gradient descent."""

from typing import TYPE_CHECKING, Any

from pulmo.core.sections import Fraction
from pulmo.train.optimisers import OPTIMISERS, OptimiserChoice

if TYPE_CHECKING:
    from torch.optim import Optimizer


@OPTIMISERS.register("sgd")
class SgdChoice(OptimiserChoice):
    """Stochastic gradient descent; weight decay is added to the gradient."""

    momentum: Fraction = 0.9
    """Weight of the past gradients; it is Nesterov's momentum unless this is 0."""

    def make(self, groups: list[dict[str, Any]], lr: float) -> "Optimizer":
        """Makes torch's SGD."""
        from torch.optim import SGD

        return SGD(groups, lr=lr, momentum=self.momentum, nesterov=self.momentum > 0)
