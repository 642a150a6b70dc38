"""Which labels may be said of one image, and what happens to images of which others are said."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

COMPATIBLE: Final[Mapping[str, frozenset[str]]] = {
    "covid": frozenset({"covid", "pneumonia"}),
    "bacterial": frozenset({"bacterial", "pneumonia"}),
    "viral": frozenset({"viral", "pneumonia"}),
    "pneumonia": frozenset({"pneumonia", "covid", "bacterial", "viral"}),
    "normal": frozenset({"normal"}),
    "other": frozenset({"other"}),
}
"""Label -> the labels that a copy may have without a contradiction.

`pneumonia` is one of unstated cause, so each cause agrees with it. `viral` is a virus other than
that of COVID-19."""


def contradicted(labels: Sequence[str], trusted: Sequence[bool]) -> dict[int, int]:
    """Returns which images of one image contradict which, by their places.

    An image of a trusted source is contradicted by trusted ones alone. One of another source is
    contradicted by a trusted one, or else by another that no trusted one contradicts.

    Args:
        labels: of each image, in the manifest's order.
        trusted: whether its source is trusted.
    """
    sure = [place for place, trust in enumerate(trusted) if trust]
    rest = [place for place, trust in enumerate(trusted) if not trust]
    found = _against(labels, sure, sure) | _against(labels, rest, sure)
    open_ = [place for place in rest if place not in found]
    return found | _against(labels, open_, open_)


def _against(labels: Sequence[str], places: Iterable[int], others: Sequence[int]) -> dict[int, int]:
    """Returns, for the places that one of `others` contradicts, the first such one."""
    found = {}
    for place in places:
        fitting = COMPATIBLE[labels[place]]
        other = next((each for each in others if labels[each] not in fitting), None)
        if other is not None:
            found[place] = other
    return found
