"""Settings: changes of a recipe's values by their dotted keys, as `train.lr=1e-3`."""

import re
import tomllib
from collections.abc import Mapping
from typing import Any, Final

from pulmo.core.choices import NAME
from pulmo.core.errors import UsageError

# A bare word of a list or of a table, such as covid in [covid, normal] and in {viral = covid}.
_BARE: Final = re.compile(r"(?<=[\[,=\s])([A-Za-z_][\w./-]*)(?=\s*[,\]}])")
_TOML_WORDS: Final = frozenset({"true", "false", "inf", "nan"})


def key_of(setting: str) -> str:
    """Returns the dotted key that a setting changes."""
    return setting.partition("=")[0].strip()


def apply_setting(tree: dict[str, Any], setting: str) -> None:
    """Changes `tree` by one `a.b=value`, whose value is TOML or a word.

    Raises:
        UsageError: it is no such setting, or the tree has no place for it.
    """
    dotted, separator, text = setting.partition("=")
    dotted = dotted.strip()
    if not separator or not all(dotted.split(".")):
        raise UsageError(
            "setting-invalid", f"{setting!r} is not a setting. Write section.key=value."
        )
    set_value(tree, dotted, _value(text), setting)


def set_value(tree: dict[str, Any], dotted: str, value: Any, setting: str) -> None:  # noqa: ANN401 - whatever TOML can hold
    """Sets one value of `tree`; `setting` is what messages call it.

    A name that is given a parameter becomes a table of both: `train.loss.gamma=1` after
    `train.loss=focal`.

    Raises:
        UsageError: the tree has no place for it.
    """
    *sections, key = dotted.split(".")
    node: Any = tree
    for depth, section in enumerate(sections):
        if isinstance(node, list):
            node = _entry(node, section, setting)
        else:
            if depth and isinstance(node.get(section), str):
                node[section] = {NAME: node[section]}
            node = node.setdefault(section, {})
        if not isinstance(node, dict | list):
            raise UsageError(
                "setting-not-section", f"{setting!r}: {section!r} is a value, not a section."
            )
    if isinstance(node, list):
        raise UsageError(
            "setting-key-missing",
            f"{setting!r} does not say which key of the entry {key!r} of the list is meant.",
        )
    node[key] = value


def _value(text: str) -> Any:  # noqa: ANN401 - whatever TOML can hold
    """Returns a value of TOML, in which a list's or a table's words need no quotes, or the text."""
    for written in (text, _BARE.sub(_quoted, text)):
        try:
            return tomllib.loads(f"value = {written}")["value"]
        except tomllib.TOMLDecodeError:
            continue
    return text


def _quoted(found: re.Match[str]) -> str:
    return found[1] if found[1] in _TOML_WORDS else f'"{found[1]}"'


def _entry(entries: list[Any], number: str, setting: str) -> Any:  # noqa: ANN401 - whatever TOML can hold
    """Returns one entry of a list, counted from 0."""
    if not (number.isdecimal() and int(number) < len(entries)):
        raise UsageError(
            "setting-index-unknown",
            f"{setting!r}: the list has no entry {number!r}; its entries are 0 to "
            f"{len(entries) - 1}.",
        )
    return entries[int(number)]


def changes_between(written: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Returns which statements of a recipe's description no longer hold, as phrases.

    Args:
        written: the recipe as its file has it.
        now: the recipe with all changes and defaults.
    """
    before = written.get("model", {})
    model, order = now["model"], now["labels"]["order"]
    phrases = []
    if list(order) != written.get("labels", {}).get("order"):
        phrases.append(f"its classes are {', '.join(order)}")
    if model["backbone"] != before.get("backbone"):
        phrases.append(f"its network is {model['backbone']}")
    if model["weights"] != before.get("weights", "none"):
        start = "random" if model["weights"] == "none" else "other"
        phrases.append(f"it starts from {start} weights")
    return phrases
