"""Cells of the confusion: what a proportion counts, whichever the number of classes."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Counted(NamedTuple):
    """What m proportions count; bool [m, true class, decided class].

    Attributes:
        hits: the cells of the numerator, if they are relevant.
        relevant: the cells of the denominator.
    """

    hits: NDArray[np.bool_]
    relevant: NDArray[np.bool_]

    def masks(
        self, truth: NDArray[np.intp], decided: NDArray[np.intp]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Returns whether each image is a hit, and whether it is relevant, both [m, n]."""
        return self.hits[:, truth, decided], self.relevant[:, truth, decided]


class Grid(NamedTuple):
    """The cells of a confusion of some number of classes, each mask bool [m, true, decided]."""

    classes: int

    @property
    def is_class(self) -> NDArray[np.bool_]:
        """For each class the cells of its images."""
        eye = np.eye(self.classes, dtype=np.bool_)
        return np.repeat(eye[:, :, None], self.classes, axis=2)

    @property
    def called_class(self) -> NDArray[np.bool_]:
        """For each class the cells of the images decided to be of it."""
        return self.is_class.transpose(0, 2, 1)

    @property
    def right(self) -> NDArray[np.bool_]:
        """The cells on the diagonal, m = 1."""
        return np.eye(self.classes, dtype=np.bool_)[None]

    @property
    def all(self) -> NDArray[np.bool_]:
        """All cells, m = 1."""
        return np.ones((1, self.classes, self.classes), np.bool_)
