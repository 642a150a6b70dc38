"""Words of the report: titles, shares, footnotes, and paths without their folders."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from pulmo.bundle.manifest_predictions import Failure
from pulmo.report.gallery import file_name
from pulmo.stats.estimate import Estimate
from pulmo.stats.metric import METRICS

_SHORT = {"auc": "AUC", "f1": "F1", "mcc": "MCC"}
_FOLDERS = re.compile(r"(?<![\w.])(?:[A-Za-z]:)?[\\/](?:[^\\/\s]+[\\/])+")


class Footnote(NamedTuple):
    """Why a figure is undefined."""

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


def metric_title(name: str) -> str:
    """Turns a metric's name into a heading: `macro_auc` becomes `Macro AUC`."""
    words = " ".join(_SHORT.get(word, word) for word in name.split("_"))
    return words[:1].upper() + words[1:]


def metric_summary(name: str) -> str:
    """Returns what a metric is, in one line; nothing for one that this pulmo does not know."""
    return METRICS[name].summary if name in METRICS else ""


def smaller_is_better(name: str) -> bool:
    """Returns whether a better model has a smaller value of the metric."""
    return name in METRICS and not METRICS[name].larger_is_better


def within_one(estimate: Estimate) -> bool:
    """Returns whether an estimate and its interval can be drawn between 0 and 1."""
    ends = (estimate.value, estimate.low, estimate.high)
    return all(end is not None and 0 <= end <= 1 for end in ends)


def share(part: int, whole: int) -> str:
    """Gives a part as a percentage; a dash when there is no whole."""
    return f"{100 * part / whole:.0f} %" if whole else "-"


def without_folders(text: str, failures: Iterable[Failure] = ()) -> str:
    """Returns a sentence whose paths have lost their folders, which can name patients or people.

    Args:
        text: the sentence.
        failures: pictures whose paths may stand in it, relative ones and those with blanks too.
    """
    for failure in failures:
        text = text.replace(failure.path, file_name(failure.path))
    return _FOLDERS.sub("", text)
