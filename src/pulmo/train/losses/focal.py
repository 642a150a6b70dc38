"""The focal loss."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from pulmo.core.sections import Number, Positive
from pulmo.train.losses import LOSSES, Loss

if TYPE_CHECKING:
    from torch import Tensor


@LOSSES.register("focal")
class Focal(Loss):
    """-alpha (1 - p)^gamma log p of the true class (Lin et al. 2017, equation 5)."""

    alpha: Positive = 1.0
    """Factor of the loss."""
    gamma: Annotated[Number, Field(ge=0)] = 2.0
    """How much less an image counts that is classified well; 0 gives cross-entropy times alpha."""

    def terms(self, logits: "Tensor", targets: "Tensor") -> "Tensor":
        """Returns the cross-entropy of each class times alpha (1 - p)^gamma."""
        log_p = logits.log_softmax(dim=1)
        return -(targets * self.alpha * (1 - log_p.exp()) ** self.gamma * log_p)
