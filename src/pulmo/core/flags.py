"""How the command takes a field of a dataclass of options, declared with the field.

The field's type, default and sentence in the docstring are those of its flag. Here stands the rest.
"""

from collections.abc import Callable
from dataclasses import Field
from typing import Any, Final, NamedTuple

_KEY: Final = "flag"


class Flag(NamedTuple):
    """A flag of the command.

    Attributes:
        names: such as `--output` and `-o`; empty for the name of the field.
        metavar: what stands for its value in the help; None for the type.
        least: the least number that is taken; None for any.
        parse: makes the value of the text that was typed; None where the type does that.
    """

    names: tuple[str, ...] = ()
    metavar: str | None = None
    least: int | None = None
    parse: Callable[[str], Any] | None = None


PYTHON_ONLY: Final[dict[str, Any]] = {_KEY: None}
"""The metadata of a field that the command does not take."""


def flag(
    *names: str,
    metavar: str | None = None,
    least: int | None = None,
    parse: Callable[[str], Any] | None = None,
) -> dict[str, Flag]:
    """Returns the metadata of a field, for `dataclasses.field`; the arguments are those of Flag."""
    return {_KEY: Flag(names, metavar, least, parse)}


def flag_of(field: Field[Any]) -> Flag | None:
    """Returns the flag of a field with its name; None if the command does not take the field."""
    found: Flag | None = field.metadata.get(_KEY, Flag())
    if found is None or found.names:
        return found
    return found._replace(names=(f"--{field.name.replace('_', '-')}",))
