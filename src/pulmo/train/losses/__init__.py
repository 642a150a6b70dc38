"""The losses, one registered class each; `LOSSES` reads this folder."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final

from pulmo.core.choices import Choice, Choices

if TYPE_CHECKING:
    from torch import Tensor


class Loss(Choice, ABC):
    """What a step lowers."""

    @abstractmethod
    def terms(self, logits: "Tensor", targets: "Tensor") -> "Tensor":
        """Returns what each class of each image adds to the loss, float [n, classes].

        A batch's loss is their sum, each times the weight of its class, over the weights of the
        images.

        Args:
            logits: float [n, classes].
            targets: float [n, classes], the probability that each class is to get; a row sums to
                one. Label smoothing and mixup are in it.
        """


LOSSES: Final = Choices[Loss]("loss", "pulmo.train.losses")
