"""File names that name another class than the one they are labelled as."""

import re
from collections import Counter
from pathlib import PurePath
from typing import Final

import pandas as pd

from pulmo.datasets.class_names import NEGATIONS, WORDS
from pulmo.datasets.inspect.counts import classes_of
from pulmo.datasets.inspect.inspection import OtherNames

EXAMPLES: Final = 4

_SURE: Final = (
    "normal", "bacteria", "bacterial", "virus", "viral", "covid", "coronavirus", "pneumonia",
    "tuberculosis", "tb",
)  # fmt: skip
"""Words of class names that name a class in a file name too."""

_FITTING: Final = {
    "covid": {"viral", "pneumonia"},
    "bacterial": {"pneumonia"},
    "viral": {"pneumonia"},
    "pneumonia": {"bacterial", "viral", "covid"},
    "normal": set[str](),
    # Whatever is not the disease that a set is about may be called other.
    "other": {"bacterial", "viral", "pneumonia", "normal"},
}
"""Label -> other labels that a name may contain without contradicting it."""


def spoken_of(name: str) -> set[str]:
    """Returns the labels that the whole words of a file name state; none if one negates."""
    words = set(re.findall(r"[a-z]+", name.lower()))
    return set() if words & NEGATIONS else {WORDS[word] for word in words.intersection(_SURE)}


def other_names(table: pd.DataFrame) -> dict[str, OtherNames]:
    """Returns class -> its images whose file's name contains other classes only.

    A class without such an image is left out. The extension and the folders say nothing here.

    Args:
        table: a manifest.
    """
    found: dict[str, list[tuple[str, set[str]]]] = {}
    for path, label in zip(table["path"], table["label"], strict=True):
        spoken = spoken_of(PurePath(path).stem)
        if spoken and not spoken & {label, *_FITTING[label]}:
            found.setdefault(label, []).append((path, spoken))
    images = Counter(table["label"])
    return {
        label: OtherNames(
            images=len(found[label]),
            of=images[label],
            classes=dict(sorted(Counter(s for _, spoken in found[label] for s in spoken).items())),
            examples=tuple(path for path, _ in found[label][:EXAMPLES]),
        )
        for label in classes_of(table)
        if label in found
    }
