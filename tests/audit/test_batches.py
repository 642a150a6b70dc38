"""Answers come back in the order of the images, whichever model gives them."""

import numpy as np
from numpy.typing import NDArray

from pulmo.audit.batches import in_batches


def test_each_part_answers_for_its_own_in_order() -> None:
    part = np.random.default_rng(0).integers(0, 3, 200)
    sizes = []

    def ask(number: int, places: NDArray[np.intp]) -> tuple[NDArray[np.float32], ...]:
        assert (part[places] == number).all()
        sizes.append(len(places))
        return places.astype(np.float32), np.full((len(places), 2), number, np.float32)

    places, numbers = in_batches(part, ask)
    assert places.tolist() == list(range(200))
    assert (numbers == part[:, np.newaxis]).all()
    assert max(sizes) == 32


def test_what_one_part_does_not_give_is_not_given() -> None:
    def ask(number: int, places: NDArray[np.intp]) -> list[NDArray[np.float32]]:
        return [places.astype(np.float32)] * (1 - number)

    assert in_batches(np.array([0, 1, 0]), ask) == []
