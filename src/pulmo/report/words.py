"""Words of the pages: titles, shares, footnotes, first clauses, and paths without folders."""

import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from pulmo.bundle.manifest_predictions import Failure
from pulmo.core.message import listed
from pulmo.report.gallery import file_name
from pulmo.stats.metric import METRICS

_SHORT: Final = {"auc": "AUC", "f1": "F1", "mcc": "MCC"}
_FOLDERS: Final = re.compile(r"(?<![\w.])(?:[A-Za-z]:)?[\\/](?:[^\\/\s]+[\\/])+")
_PERCENT: Final = re.compile(r"(?<=\d) ?%")
_WORDS: Final = r"((?:[^()]|\([^()]*\))+?)"  # what is in brackets ends no clause
_STOP: Final = r"(?<! al)\."  # "et al." ends no sentence
_CLAUSE: Final = re.compile(rf"{_WORDS}([:;]|{_STOP})\s+(.+)", re.DOTALL)
_SENTENCE: Final = re.compile(rf"{_WORDS}({_STOP})\s+(.+)", re.DOTALL)


class Footnote(NamedTuple):
    """Why a value is undefined."""

    number: int
    reason: str


class Footnotes:
    """The footnotes of a page, numbered as they come up; the same reason has the same number."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._given = 0

    def mark(self, reason: str) -> int:
        """Returns the number of the footnote with this reason."""
        return self._numbers.setdefault(reason.rstrip("."), len(self._numbers) + 1)

    def due(self) -> list[Footnote]:
        """Returns the footnotes that came up since the last call, for below a table."""
        notes = [Footnote(number, reason) for reason, number in self._numbers.items()]
        new, self._given = notes[self._given :], len(notes)
        return new


class Lead(NamedTuple):
    """A sentence, or a few, for a page that shows the first clause and folds the rest."""

    headline: str
    rest: str


def lead(text: str, *, whole_sentence: bool = False) -> Lead:
    """Parts a text after its first clause or sentence; the rest is empty if there is no more.

    What is after a colon or a semicolon is no sentence, so the rest is then the whole text.

    Args:
        text: sentences of a record.
        whole_sentence: whether a colon or a semicolon does not end the headline.
    """
    text = said(text)
    found = (_SENTENCE if whole_sentence else _CLAUSE).match(text)
    if found is None:
        return Lead(text, "")
    clause, end, rest = found.groups()
    return Lead(f"{clause}.", rest if end == "." else text)


def said(text: str) -> str:
    """Returns a record's sentence as a page prints it: without folders, "95 %" unbroken."""
    return _PERCENT.sub("\u00a0%", without_folders(text))


def classes_text(classes: Sequence[str]) -> str:
    """Names the classes of a model."""
    return f"Classes: {listed(classes)}."


def metric_title(name: str) -> str:
    """Turns a metric's name into a heading: `macro_auc` becomes `Macro AUC`."""
    words = " ".join(_SHORT.get(word, word) for word in name.split("_"))
    return words[:1].upper() + words[1:]


def metric_summaries(names: Iterable[str]) -> dict[str, str]:
    """Returns title -> what the metric is, of those that this pulmo knows."""
    return {metric_title(name): METRICS[name].summary for name in names if name in METRICS}


def share(part: int, whole: int) -> str:
    """Gives a part as a percentage; a dash when there is no whole."""
    return f"{100 * part / whole:.0f}\u00a0%" if whole else "-"


def without_folders(text: str, failures: Iterable[Failure] = ()) -> str:
    """Returns a sentence whose paths have lost their folders, which can name patients or people.

    Args:
        text: the sentence.
        failures: images whose paths may be in it, relative ones and those with blanks too.
    """
    for failure in failures:
        text = text.replace(failure.path, file_name(failure.path))
    return _FOLDERS.sub("", text)
