"""A recipe as TOML with a line on each key, for people who want to write their own."""

import re
import textwrap
from collections.abc import Iterator
from typing import Final

from pulmo.core.keys import meanings
from pulmo.core.recipe import Recipe

_WIDTH: Final = 96
_HEADER: Final = re.compile(r"\[+([\w.]+)\]+")
_KEY: Final = re.compile(r"([A-Za-z_]\w*) = ")


def explained_toml(recipe: Recipe) -> str:
    """Returns a recipe as TOML that `load_recipe` reads, with a comment on each key.

    A key that is not set is in a comment at the begin of its section. Of the stages, whose keys
    are those of the training, only what they are is said.
    """
    return "".join(f"{line}\n" for line in _lines(recipe))


def _lines(recipe: Recipe) -> Iterator[str]:
    known = dict(meanings(Recipe, values=recipe))
    text = recipe.to_toml()
    written = set(_written(text))
    section = ""
    for line in text.splitlines():
        if header := _HEADER.fullmatch(line):
            section = header[1]
            # A table may be the value of a key.
            yield from _comment(known.get(section, ""))
            yield line
            yield from _absent(section, known, written)
        elif (key := _KEY.match(line)) and (name := _dotted(section, key[1])) in known:
            yield from _comment(known[name])
            yield line
        else:
            yield line


def _written(text: str) -> Iterator[str]:
    """Yields the dotted keys of TOML that `Recipe.to_toml` has written."""
    section = ""
    for line in text.splitlines():
        if header := _HEADER.fullmatch(line):
            section = header[1]
            yield section
        elif key := _KEY.match(line):
            yield _dotted(section, key[1])


def _absent(section: str, known: dict[str, str], written: set[str]) -> Iterator[str]:
    for name, meaning in known.items():
        above, _, key = name.rpartition(".")
        if above == section and name not in written:
            yield from _comment(f"{key} is not set. {meaning}")


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, _WIDTH)]


def _dotted(section: str, key: str) -> str:
    return f"{section}.{key}" if section else key
