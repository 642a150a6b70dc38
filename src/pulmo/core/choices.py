"""Choices: what a recipe names, such as a loss, is a registered class that holds its parameters.

To add one, put a file with a registered class into the room's package. Its fields are its
parameters in a recipe, with their types, their ranges and their descriptions; the recipe's
validation, `pulmo recipes show` and the contract tests read the registry. A recipe is read where
torch is not installed, so such a file imports torch only where it is used.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from typing import Any, ClassVar, TypeVar, cast

from pydantic import ConfigDict, GetCoreSchemaHandler, ValidationError
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from pulmo.core.errors import UsageError
from pulmo.core.record import Record
from pulmo.core.registry import Registry

NAME = "name"
"""The key of a recipe's table that says which choice it parametrises."""

CHOICE_ERROR = "choice"
"""The type of pydantic's error where there is no such choice; its message is a whole sentence."""


class Choice(Record):
    """One of the things that a recipe may name; its fields are its parameters."""

    name: ClassVar[str]

    # What is below a field is its description, which `pulmo recipes show` prints.
    model_config = ConfigDict(use_attribute_docstrings=True)

    @classmethod
    def meaning(cls) -> str:
        """The first line of its documentation."""
        return (cls.__doc__ or "").partition("\n")[0]

    def table(self) -> dict[str, Any]:
        """Returns its parameters as a recipe has them."""
        return self.model_dump(mode="json", exclude_none=True)

    def __str__(self) -> str:
        """Returns its name with its parameters, for people: `focal (alpha 1, gamma 2)`."""
        parameters = ", ".join(f"{key} {_short(value)}" for key, value in self.table().items())
        return f"{self.name} ({parameters})" if parameters else self.name


AnyChoice = TypeVar("AnyChoice", bound=Choice)
_Class = TypeVar("_Class", bound=type[Choice])


class Choices(Registry[type[AnyChoice]]):
    """A registry of choices of one kind."""

    def register(self, name: str) -> Callable[[_Class], _Class]:
        """Returns a decorator that registers a class as `name`."""

        def decorate(made: _Class) -> _Class:
            made.name = name
            super(Choices, self).register(name)(cast("type[AnyChoice]", made))
            return made

        return decorate

    def chosen(self, choice: Choice) -> AnyChoice:
        """Returns a recipe's choice as what this registry holds.

        Raises:
            TypeError: it is of another registry.
        """
        if choice.name not in self or not isinstance(choice, self[choice.name]):
            raise TypeError(f"{choice!r} is no {self.kind}.")
        return choice

    def read(self, given: object, default: str | None = None) -> AnyChoice:
        """Returns what a recipe says as a choice.

        Args:
            given: a name, a table of parameters with a name, or a choice.
            default: the name that a table without one means.

        Raises:
            ValidationError: a parameter is not known or has a bad value.
            PydanticCustomError: there is no such choice.
        """
        if isinstance(given, Choice):
            return self.chosen(given)
        table = dict(given) if isinstance(given, Mapping) else {NAME: given}
        name = table.pop(NAME, default)
        if not isinstance(name, str):
            raise PydanticCustomError(CHOICE_ERROR, "A name, or a table with a name, was expected.")
        try:
            kind = self[name]
        except UsageError as error:
            raise PydanticCustomError(CHOICE_ERROR, "{reason}", {"reason": str(error)}) from None
        if unknown := [key for key in table if key not in kind.model_fields]:
            reason = self._unknown(kind, str(unknown[0]))
            raise PydanticCustomError(CHOICE_ERROR, "{reason}", {"reason": reason})
        return kind.model_validate(table)

    def _unknown(self, kind: type[AnyChoice], key: str) -> str:
        """Returns a sentence on a parameter that a choice has not."""
        own = f"it has {', '.join(kind.model_fields)}" if kind.model_fields else "it has none"
        others = [name for name, other in self.items() if key in other.model_fields]
        near = get_close_matches(key, kind.model_fields, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        hint = f" {' and '.join(others)} would take it." if others else hint
        return f"The {self.kind} {kind.name!r} has no parameter {key!r}; {own}.{hint}"


def registry_at(reference: str) -> Choices[Choice]:
    """Returns the registry that a reference such as `pulmo.train.losses:LOSSES` names."""
    module, _, name = reference.partition(":")
    return cast("Choices[Choice]", getattr(import_module(module), name))


@dataclass(frozen=True)
class OneOf:
    """Marks a field of a recipe that holds one choice of a registry.

    In TOML it is the choice's name, or a table of its name and its parameters.

    Attributes:
        reference: names the registry. Rooms above this one hold them, so it is imported when a
            recipe is read and not before.
        default: the choice that a table without a name means.
    """

    reference: str
    default: str

    @property
    def registry(self) -> Choices[Choice]:
        """The choices."""
        return registry_at(self.reference)

    def __get_pydantic_core_schema__(
        self, _source: object, _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Reads a name or a table, and writes a name, or a table where there are parameters."""
        return core_schema.no_info_plain_validator_function(
            lambda given: self.registry.read(given, self.default),
            serialization=core_schema.plain_serializer_function_ser_schema(_written),
        )


@dataclass(frozen=True)
class StrengthOfEach:
    """Marks a field of a recipe that holds every choice of a registry, each with its `strength`.

    In TOML it is a table of name -> strength, or name -> table of parameters. What is not named has
    its defaults.

    Attributes:
        reference: names the registry, as in `OneOf`.
    """

    reference: str

    @property
    def registry(self) -> Choices[Choice]:
        """The choices."""
        return registry_at(self.reference)

    def __get_pydantic_core_schema__(
        self, _source: object, _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Reads a table of strengths or tables, and writes one."""
        return core_schema.no_info_plain_validator_function(
            self._read, serialization=core_schema.plain_serializer_function_ser_schema(self._write)
        )

    def _read(self, given: object) -> dict[str, Choice]:
        if not isinstance(given, Mapping):
            raise PydanticCustomError(CHOICE_ERROR, "A table of strengths was expected.")
        registry, problems = self.registry, []
        unknown = [name for name in given if name not in registry]
        if unknown:
            registry.read(unknown[0])
        read: dict[str, Choice] = {}
        for name in registry:
            value = given.get(name, {})
            table = value if isinstance(value, Mapping | Choice) else {"strength": value}
            try:
                read[name] = registry.read(table, name)
            except ValidationError as error:
                problems += [_placed(problem, name, value) for problem in error.errors()]
        if problems:
            raise ValidationError.from_exception_data("augment", problems)
        return read

    def _write(self, choices: Mapping[str, Choice]) -> dict[str, Any]:
        tables = {name: choice.table() for name, choice in choices.items()}
        return {name: t["strength"] if set(t) == {"strength"} else t for name, t in tables.items()}


def _placed(problem: Any, name: str, value: object) -> Any:  # noqa: ANN401 - pydantic's ErrorDetails
    """Puts a problem of a choice at the key that a recipe has for it."""
    alone = not isinstance(value, Mapping)
    place = (name,) if alone else (name, *problem["loc"])
    kept = {key: problem[key] for key in ("type", "input", "ctx") if key in problem}
    return {**kept, "loc": place}


def _written(choice: Choice) -> str | dict[str, Any]:
    table = choice.table()
    return {NAME: choice.name, **table} if table else choice.name


def _short(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def file_name(choice: Choice) -> str:
    """Returns a choice as a part of a file's name; other parameters give another one."""
    parts = (choice.name, *(f"{key}{value}" for key, value in choice.table().items()))
    return re.sub(r"[^\w.-]", "", "-".join(parts))


def parameters_of(kinds: Iterable[type[Choice]]) -> dict[str, str]:
    """Returns the parameters of some choices and what each means; the first that has one says."""
    found: dict[str, str] = {}
    for kind in kinds:
        for key, field in kind.model_fields.items():
            found.setdefault(key, " ".join((field.description or "").split()))
    return found
