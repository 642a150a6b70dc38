"""What a result says in short, as its own page says it."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

from pulmo.stats.estimate import Estimate

Facts = list[tuple[str, str]]


def facts_of(kind: str, read: Mapping[str, Any]) -> Facts:
    """Returns the main facts of a result; what it does not have is left out.

    Args:
        kind: of the result.
        read: its index.
    """
    find = _FACTS.get(kind)
    return [] if find is None else [(name, text) for name, text in find(read) if text]


def _evaluation(read: Mapping[str, Any]) -> Facts:
    positive = ", ".join(map(str, _at(read, "decision", "positive") or ()))
    return [
        ("Model", _text(read, "model", "name")),
        ("Images", _text(read, "data", "n")),
        ("Balanced accuracy", _estimate(read, "overall", "balanced_accuracy")),
        (f"AUC of {positive}", _estimate(read, "decision", "auc")),
        (f"Sensitivity for {positive}", _estimate(read, "decision", "sensitivity")),
        (f"Specificity for {positive}", _estimate(read, "decision", "specificity")),
    ]


def _audit(read: Mapping[str, Any]) -> Facts:
    return [("Model", _text(read, "model", "name")), ("Result", _text(read, "headline"))]


def _comparison(read: Mapping[str, Any]) -> Facts:
    entrants = _at(read, "entrants") or ()
    return [("Models", ", ".join(str(each.get("name")) for each in entrants))]


def _inspection(read: Mapping[str, Any]) -> Facts:
    return [("Manifest", _text(read, "name")), ("Result", _text(read, "verdict"))]


def _repeats(read: Mapping[str, Any]) -> Facts:
    return [
        ("Recipe", _text(read, "recipe")),
        ("Runs", str(len(_at(read, "runs") or ()))),
        ("Balanced accuracy", _estimate(read, "mean", "balanced_accuracy")),
    ]


_FACTS: Final[Mapping[str, Callable[[Mapping[str, Any]], Facts]]] = {
    "evaluation": _evaluation,
    "audit": _audit,
    "comparison": _comparison,
    "inspection": _inspection,
    "repeats": _repeats,
}


def _at(read: Mapping[str, Any], *keys: str) -> Any:  # noqa: ANN401 - as it is in the file
    """Returns what lies below some keys; None if there is nothing."""
    found: Any = read
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


def _text(read: Mapping[str, Any], *keys: str) -> str:
    found = _at(read, *keys)
    return "" if found is None else str(found)


def _estimate(read: Mapping[str, Any], *keys: str) -> str:
    """Returns an estimate as tables print it; blank if there is none."""
    with suppress(TypeError):
        return str(Estimate(*_at(read, *keys)))
    return ""
