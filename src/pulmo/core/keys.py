"""The keys that a recipe's sections know: what they mean, and which one was meant."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pulmo.core.choices import NAME, Choice, OneOf, StrengthOfEach, parameters_of
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
        elif choice := _choice(section.model_fields[part]):
            return [key for key, _ in _within(choice)]
        else:
            section = section.model_fields[part].annotation
    if dataclasses.is_dataclass(section):
        return [field.name for field in dataclasses.fields(section)]
    return list(section.model_fields)


def meanings(
    schema: type[BaseModel], above: str = "", values: BaseModel | None = None
) -> Iterator[tuple[str, str]]:
    """Yields each dotted key of the sections, in their order, and what its documentation says.

    Of a field that names one of a registry's choices, the meaning lists them, and their parameters
    follow: those of the one that `values` names, or of all.

    Args:
        schema: the class of a recipe or of a section.
        above: what is before its keys.
        values: one of the schema.
    """
    for name, field in schema.model_fields.items():
        key, kind, text = f"{above}{name}", field.annotation, _text(field)
        value = None if values is None else getattr(values, name)
        if choice := _choice(field):
            yield key, f"{text} {_listed(choice)}".strip()
            yield from ((f"{key}.{part}", meaning) for part, meaning in _within(choice, value))
        elif isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from meanings(kind, f"{key}.", value)
        elif dataclasses.is_dataclass(kind):
            for part in dataclasses.fields(kind):
                yield f"{key}.{part.name}", part.metadata.get(MEANING, "")
        else:
            yield key, text


def _choice(field: FieldInfo) -> OneOf | StrengthOfEach | None:
    """Returns what marks a field that names choices of a registry."""
    return next((m for m in field.metadata if isinstance(m, OneOf | StrengthOfEach)), None)


def _within(
    choice: OneOf | StrengthOfEach, value: Choice | Mapping[str, Choice] | None = None
) -> Iterator[tuple[str, str]]:
    """Yields the keys below a field of a registry's choices, and what each means."""
    if isinstance(choice, OneOf):
        kinds = [type(value)] if isinstance(value, Choice) else choice.registry.values()
        yield NAME, "Which one it is."
        yield from parameters_of(kinds).items()
        return
    for name, kind in choice.registry.items():
        parameters = parameters_of([kind])
        yield name, parameters["strength"]
        if len(parameters) > 1:
            yield from ((f"{name}.{key}", meaning) for key, meaning in parameters.items())


def _listed(choice: OneOf | StrengthOfEach) -> str:
    """Returns the names of what a field may name, with what each is."""
    if isinstance(choice, StrengthOfEach):
        return ""
    return " ".join(f"{name}: {kind.meaning()}" for name, kind in choice.registry.items())


def _text(field: FieldInfo) -> str:
    return " ".join((field.description or "").split())
