"""The keys that a recipe's sections know: what they mean, and which one was meant."""

import dataclasses
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel

from pulmo.core.labels import MEANING


def near_key(schema: type[BaseModel], location: Sequence[str | int]) -> str | None:
    """Returns the dotted key that an unknown one may stand for; None if nothing is near.

    Args:
        schema: the recipe's class.
        location: the parts of the unknown key.
    """
    above, name = location[:-1], str(location[-1])
    # Those near the top first.
    known = sorted((key for key, _ in meanings(schema)), key=lambda key: key.count("."))
    same = [key for key in known if key.rpartition(".")[2] == name]
    if same:
        return same[0]
    prefix = "".join(f"{part}." for part in above)
    if near := get_close_matches(name, keys_at(schema, above), n=1, cutoff=0.6):
        return f"{prefix}{near[0]}"
    last = {key.rpartition(".")[2]: key for key in reversed(known)}
    if near := get_close_matches(name, last, n=1, cutoff=0.6):
        return last[near[0]]
    if near := get_close_matches(name, keys_at(schema, above), n=1, cutoff=0.4):
        return f"{prefix}{near[0]}"
    return None


def keys_at(schema: type[BaseModel], location: Sequence[str | int]) -> list[str]:
    """Returns the keys that the section at `location` knows."""
    section: Any = schema
    for part in location:
        if isinstance(part, int):
            section = section.__args__[0]
        else:
            section = section.model_fields[part].annotation
    if dataclasses.is_dataclass(section):
        return [field.name for field in dataclasses.fields(section)]
    return list(section.model_fields)


def meanings(schema: type[BaseModel], above: str = "") -> Iterator[tuple[str, str]]:
    """Yields each dotted key of the sections, in their order, and what its documentation says."""
    for name, field in schema.model_fields.items():
        key, kind = f"{above}{name}", field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from meanings(kind, f"{key}.")
        elif dataclasses.is_dataclass(kind):
            for part in dataclasses.fields(kind):
                yield f"{key}.{part.name}", part.metadata.get(MEANING, "")
        else:
            yield key, " ".join((field.description or "").split())
