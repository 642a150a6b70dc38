"""The columns of a table that hold probabilities, and the class that each is of, by its name."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from pulmo.core.errors import InputError
from pulmo.core.labels import LABELS
from pulmo.predictions.reading.roles import bare

_PROBABILITY: Final = r"(?:prob|proba|probs|probability|score|likelihood)"
_GAP: Final = r"[\s_.\-]+"
_PLAIN: Final = re.compile(rf"(?:y_)?p(?:{_GAP})(?P<name>.+)", re.IGNORECASE)
_FORMS: Final = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        rf"(?:y_|pred_)?(?:p|pr|{_PROBABILITY})\s*[(\[]\s*(?P<name>.+?)\s*[)\]]",
        rf"(?:y_|pred_)?{_PROBABILITY}{_GAP}(?:of{_GAP})?(?P<name>.+)",
        rf"(?P<name>.+?){_GAP}(?:p|{_PROBABILITY})",
    )
)
"""Forms of a name of a column of probabilities, apart from `p_<class>` and the class alone."""

_STATISTICS: Final = frozenset({"pvalue", "pval"})

_PERCENT: Final = re.compile(
    r"^(?:percent|percentage|pct)[\s_.\-]+|[\s_.\-]*[(\[]?(?:%|(?:percent|percentage|pct|per cent))"
    r"[)\]]?$",
    re.IGNORECASE,
)

UNNAMED: Final = frozenset({
    "p", "prob", "proba", "probs", "probability", "probabilities", "score", "scores", "likelihood",
    "yprob", "yproba", "yscore", "ypredproba", "ypredprob", "predprob", "predproba", "predscore",
    "predictedprobability", "predictedprob", "predictionprobability", "predictionscore",
    "predictedscore", "modelscore", "modeloutput", "output",
})  # fmt: skip
"""Names of a probability that do not say which class it is of."""

CONFIDENCE: Final = frozenset(
    {"confidence", "maxprob", "maxprobability", "maxproba", "predictionconfidence"}
)
"""Names of the probability of the class that was decided on."""


class Score(NamedTuple):
    """A column of probabilities.

    Attributes:
        column: its name.
        label: the class that it is of, as the name says it; None if it does not.
        percent: whether its name says that the values are per cent.
    """

    column: str
    label: str | None
    percent: bool = False


def is_plain(columns: Iterable[str]) -> bool:
    """Returns whether columns are named `p_<class>`, two or more, and none says per cent."""
    plain = [name for name in columns if name.startswith("p_") and len(name) > 2]
    return len(plain) > 1 and not any(_PERCENT.search(name) for name in plain)


def _without_percent(name: str) -> tuple[str, bool]:
    """Returns a name without what says per cent, and whether there was such a thing."""
    short = _PERCENT.sub("", name.strip())
    return short, short != name.strip()


def score_of(column: str, labels: Iterable[str]) -> Score | None:
    """Returns what a column's name says of the probabilities in it; None if it says nothing.

    Args:
        column: its name.
        labels: what is known to be a class. A name such as `quality_score` is not one of a class
            because of its form; one that begins with `p_` is.
    """
    short, percent = _without_percent(column)
    if bare(short) in UNNAMED or not short:
        return Score(column, None, percent)
    own = {_disease(label) for label in labels}
    known = own | {bare(label) for label in LABELS}
    if (found := _PLAIN.fullmatch(short)) and bare(short) not in _STATISTICS:
        return Score(column, found["name"], percent)
    for form in _FORMS:
        found = form.fullmatch(short)
        if found and _disease(found["name"]) in known:
            return Score(column, found["name"], percent)
    return Score(column, short, percent) if _disease(short) in own else None


def scores_of(columns: Sequence[str], labels: Iterable[str]) -> list[Score]:
    """Returns the columns of probabilities by name: those of a class if there are any, else others.

    Raises:
        InputError: two columns are of one class.
    """
    given = list(labels)
    found = [score for name in columns if (score := score_of(name, given))]
    named = [score for score in found if score.label is not None]
    classes: dict[str, str] = {}
    for score in named:
        first = classes.setdefault(_disease(score.label or ""), score.column)
        if first != score.column:
            raise InputError(
                "probabilities-repeated",
                f"The columns {first} and {score.column} may both be the probability of "
                f"{score.label}. Remove one, or name the right one p_{score.label}.",
            )
    return named or found


def spelling(names: Sequence[str], classes: Sequence[str]) -> Mapping[str, str]:
    """Returns value -> class for values that are a class in other letters, as COVID is covid.

    They are the same without case and marks; `covid-19` and `covid` are the same disease. A value
    that may be two classes is none.
    """
    same: dict[str, set[str]] = {}
    for label in classes:
        same.setdefault(_disease(label), set()).add(label)
    found = {}
    for name in names:
        near = [label for label in classes if label.casefold() == name.casefold()]
        alike = near if len(near) == 1 else sorted(same.get(_disease(name), ()))
        if name not in classes and len(alike) == 1:
            found[name] = alike[0]
    return found


def _disease(label: str) -> str:
    name = bare(label)
    return "covid" if name == "covid19" else name
