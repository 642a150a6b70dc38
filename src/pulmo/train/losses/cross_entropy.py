"""Cross-entropy."""

from typing import TYPE_CHECKING

from pulmo.train.losses import LOSSES, Loss

if TYPE_CHECKING:
    from torch import Tensor


@LOSSES.register("cross-entropy")
class CrossEntropy(Loss):
    """-log p of the true class."""

    def terms(self, logits: "Tensor", targets: "Tensor") -> "Tensor":
        """Returns -log p of each class times its target."""
        return -(targets * logits.log_softmax(dim=1))
