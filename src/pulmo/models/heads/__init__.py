"""The heads, one registered class each; `HEADS` reads this folder."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final

from pulmo.core.choices import Choice, Choices

if TYPE_CHECKING:
    from pulmo.models.head import Head


class HeadChoice(Choice, ABC):
    """Which layers classify the feature maps."""

    @abstractmethod
    def make(self, maps: tuple[int, int, int], classes: int) -> "Head":
        """Makes the head.

        Args:
            maps: channels, rows and columns of the feature maps.
            classes: number of classes.
        """


HEADS: Final = Choices[HeadChoice]("head", "pulmo.models.heads")
