"""The names that people give to classes, and the labels that they mean.

A name is a label only where it is one, in whatever case, or where a person says so. What is near a
label is proposed, and never taken.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from pulmo.core.errors import UsageError
from pulmo.core.labels import LABELS, check_label

HERE: Final = "."
"""What a map calls the folder itself, whose files lie in no folder of a class."""

WORDS: Final = {
    "covid": "covid",
    "corona": "covid",
    "coronavirus": "covid",
    "ncov": "covid",
    "cov": "covid",
    "bacterial": "bacterial",
    "bacteria": "bacterial",
    "viral": "viral",
    "virus": "viral",
    "influenza": "viral",
    "pneumonia": "pneumonia",
    "normal": "normal",
    "healthy": "normal",
    "control": "normal",
    "tuberculosis": "other",
    "tb": "other",
    "opacity": "other",
    "cardiomegaly": "other",
    "other": "other",
}
"""Words of class names, the more telling first -> label."""

NEGATIONS: Final = frozenset({"no", "non", "not", "negative", "neg", "without"})
"""Words with which a name says what it does not mean."""

_UNCLEAR: Final = NEGATIONS | {"vs", "and", "or"}


class UnknownClassesError(UsageError):
    """Names of classes are no labels; each is in the message with the label it may stand for.

    Attributes:
        meant: name -> the label that it may stand for; None where that is not clear.
    """

    def __init__(self, where: Path, names: list[str]) -> None:
        self.meant = {name: proposed_label(name) for name in names}
        super().__init__("class-names-unknown", f"{where}: {_unknown(self.meant)}")


def labels_of(names: Iterable[str], label_map: Mapping[str, str], where: Path) -> dict[str, str]:
    """Returns class name -> label: the map's, else the name itself in lower case.

    Args:
        names: the class names.
        label_map: class name -> label.
        where: the folder or table that has them, for the message of an error.

    Raises:
        UnknownClassesError: a name is neither in the map nor a label.
        UsageError: the map sends one to no label.
    """
    found: dict[str, str] = {}
    unknown: list[str] = []
    for name in names:
        if name in label_map:
            found[name] = check_label(label_map[name])
        elif name.lower() in LABELS:
            found[name] = name.lower()
        else:
            unknown.append(name)
    if unknown:
        raise UnknownClassesError(where, unknown)
    return found


def check_map(label_map: Mapping[str, str], names: Collection[str], root: Path) -> None:
    """Refuses a map from class name to label that names a class that is not there.

    Raises:
        UsageError: it names a class that is not in `names`, those of `root`.
    """
    for name in label_map:
        if name not in names:
            raise UsageError(
                "mapped-class-missing",
                f"A label is given for the class {name!r}, but {root} has no such class; it has "
                f"{', '.join(sorted(names)) or 'none'}.",
            )


def proposed_label(name: str) -> str | None:
    """Returns the label that a class name may stand for; None where that is not clear.

    A name of two kinds of pneumonia, and one that negates, is not clear.
    """
    words = [word for word in re.findall(r"[a-z]+", _spaced(name).lower()) if word != "s"]
    if words in (["no", "finding"], ["no", "findings"]):
        return "normal"
    if _UNCLEAR & set(words):
        return None
    meant = {label for word in words if (label := _label_of_word(word))}
    # Viral pneumonia is viral; a viral opacity of COVID-19 is covid.
    if len(meant - {"pneumonia", "other"}) == 1:
        return next(iter(meant - {"pneumonia", "other"}))
    if meant in ({"covid", "viral"}, {"covid", "viral", "pneumonia"}):
        return "covid"
    return next(iter(meant)) if len(meant) == 1 else None


def _label_of_word(word: str) -> str | None:
    near = get_close_matches(word, WORDS, n=1, cutoff=1.0 if len(word) < 5 else 0.8)
    return WORDS[near[0]] if near else None


def _spaced(name: str) -> str:
    """Returns a name with a space before each capital that begins a word."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)


def _unknown(meant: Mapping[str, str | None]) -> str:
    """Returns what is said of names that are no labels, with the labels that they may stand for."""
    names = list(meant)
    several = len(names) > 1
    text = (
        f"{', '.join(map(repr, names))} {'are no labels' if several else 'is no label'} "
        f"({', '.join(LABELS)})."
    )
    proposed = {name: label for name, label in meant.items() if label}
    if proposed:
        pairs = ", ".join(f"{label} for {name!r}" for name, label in proposed.items())
        text += f" Probably meant: {pairs}."
    return text
