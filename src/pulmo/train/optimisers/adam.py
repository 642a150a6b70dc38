"""Adam and its variants."""

from typing import TYPE_CHECKING, Any

from pulmo.train.optimisers import OPTIMISERS, OptimiserChoice

if TYPE_CHECKING:
    from torch.optim import Optimizer


@OPTIMISERS.register("adam")
class AdamChoice(OptimiserChoice):
    """Kingma and Ba 2015; weight decay is added to the gradient."""

    def make(self, groups: list[dict[str, Any]], lr: float) -> "Optimizer":
        """Makes torch's Adam."""
        from torch.optim import Adam

        return Adam(groups, lr=lr)


@OPTIMISERS.register("amsgrad")
class AmsgradChoice(OptimiserChoice):
    """Adam with the largest second moment so far (Reddi et al. 2018)."""

    def make(self, groups: list[dict[str, Any]], lr: float) -> "Optimizer":
        """Makes torch's Adam with amsgrad."""
        from torch.optim import Adam

        return Adam(groups, lr=lr, amsgrad=True)


@OPTIMISERS.register("adamw")
class AdamWChoice(OptimiserChoice):
    """Adam with weight decay apart from the gradient (Loshchilov and Hutter 2019)."""

    def make(self, groups: list[dict[str, Any]], lr: float) -> "Optimizer":
        """Makes torch's AdamW."""
        from torch.optim import AdamW

        return AdamW(groups, lr=lr)
