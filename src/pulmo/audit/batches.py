"""Batches: images are given to the models of their parts, a few at a time."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

_BATCH: Final = 32

Arrays = Sequence[NDArray[np.float32]]

Ask = Callable[[int, NDArray[np.intp]], Arrays]
"""The number of a part and places of images [b], all of that part -> arrays, each [b, ...]."""


def in_batches(part: NDArray[np.intp], ask: Ask) -> Arrays:
    """Asks about images, each with others of its part.

    Args:
        part: the number of the part of each, [m], one or more.
        ask: answers for some of them.

    Returns:
        The answers [m, ...], in the order of the images; as few as any part gave.
    """
    batches = []
    for number in np.unique(part):
        mine = np.flatnonzero(part == number)
        batches += [(number, mine[at : at + _BATCH]) for at in range(0, len(mine), _BATCH)]
    answers = [ask(int(number), places) for number, places in batches]
    order = np.argsort(np.concatenate([places for _, places in batches]))
    # What not all parts give is nothing that all images have.
    return [np.concatenate(pieces)[order] for pieces in zip(*answers, strict=False)]
