"""A head that decides whether there is a disease, and then which."""

from typing import TYPE_CHECKING

from pulmo.core.sections import Fraction
from pulmo.models.heads import HEADS, HeadChoice

if TYPE_CHECKING:
    from pulmo.models.head import Head


@HEADS.register("hierarchical")
class Hierarchical(HeadChoice):
    """Pool, dropout, linear; the last class against all others, and these among themselves.

    The last class of the recipe is to be the one without a disease. Its probability is a sigmoid;
    that of each other class is the rest times a softmax over those. So the features that tell two
    diseases apart do not decide how probable it is that there is any.
    """

    dropout: Fraction = 0.0
    """Share of the head's inputs that is set to 0 at each training step."""

    def make(self, maps: tuple[int, int, int], classes: int) -> "Head":
        """Makes a head that reads the mean of each map."""
        from torch import nn

        from pulmo.models.head import Head, Hierarchy

        layers = {
            "dropout": nn.Dropout(self.dropout),
            "classify": nn.Linear(maps[0], classes),
            "hierarchy": Hierarchy(),
        }
        return Head(layers, flat=False)
