"""The label vocabulary of manifests, and the scheme by which a recipe uses it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pulmo.core.errors import UsageError

LABELS = ("covid", "bacterial", "viral", "pneumonia", "normal", "other")
"""Every label that a manifest may hold. `pneumonia` is one of unstated cause."""

DRAWN: Final = "phantom"
"""The origin of the images that `pulmo data phantom` drew, which show no patient."""

MEANING: Final = "meaning"
"""The key of a field's metadata under which it says what it means."""


def check_label(label: str) -> str:
    """Returns `label` if it is in the vocabulary.

    Raises:
        UsageError: it is not; the message names the nearest label.
    """
    if label in LABELS:
        return label
    near = get_close_matches(label.lower(), LABELS, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise UsageError(
        "label-unknown", f"There is no label {label!r}; the labels are {', '.join(LABELS)}.{hint}"
    )


def class_numbers(
    labels: Iterable[str], classes: Sequence[str], merges: Mapping[str, str]
) -> NDArray[np.intp]:
    """Returns the position of the class that each label counts as, [n]; -1 if it is none.

    Args:
        labels: the labels, [n].
        classes: the classes in their order.
        merges: label -> class that it counts as.
    """
    places = {label: place for place, label in enumerate(classes)}
    places |= {label: places[target] for label, target in merges.items()}
    return np.fromiter((places.get(label, -1) for label in labels), np.intp)


@dataclass(frozen=True)
class LabelScheme:
    """The classes of a classifier, in their order, and the labels merged into them.

    Attributes:
        order: the classes; a probability vector follows this order.
        merge: label of the manifest -> class of `order` that it counts as.
    """

    order: tuple[str, ...] = field(
        metadata={MEANING: "The classes, in the order of their probabilities."}
    )
    merge: Mapping[str, str] = field(
        default_factory=dict,
        metadata={MEANING: "Label of the manifest = class of the order that it counts as."},
    )

    def __post_init__(self) -> None:
        for label in (*self.order, *self.merge):
            check_label(label)
        if len(set(self.order)) != len(self.order) or len(self.order) < 2:
            raise UsageError(
                "labels-too-few",
                f"A classifier needs at least two different labels; got {list(self.order)}.",
            )
        for label, target in self.merge.items():
            if target not in self.order:
                raise UsageError(
                    "merge-target-unknown",
                    f"The setting labels.merge maps {label!r} to {target!r}, which is not in "
                    f"labels.order ({', '.join(self.order)}).",
                )
            if label in self.order:
                raise UsageError(
                    "label-ordered-and-merged",
                    f"{label!r} is both in labels.order and merged into {target!r}.",
                )
