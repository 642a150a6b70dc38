"""The options of the verbs: most are fields of the options of a workflow, some are shared here."""

import inspect
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache, wraps
from pathlib import Path
from typing import Annotated, Any, Final, get_args, get_origin

import typer

from pulmo.core.errors import UsageError
from pulmo.core.flags import Flag, flag_of

Output = Annotated[Path, typer.Option("--output", "-o", help="The folder to write.")]
Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON object. Default: text for people.")
]

# A field in the section "Attributes" of a docstring, without what is before it on each line.
_ATTRIBUTE: Final = re.compile(r"^    (\w+): (.+(?:\n {8}.+)*)", re.MULTILINE)

_LISTS: Final = (tuple, Sequence, Collection)


def takes_options(verb: Callable[..., None]) -> Callable[..., None]:
    """Lets Typer see the fields of the dataclasses of options that a verb takes.

    A parameter that is annotated with such a dataclass is replaced by an option for each of its
    fields, and the verb gets the dataclass made of what was typed. Its annotation may have words
    for the beginning of each help, as `Annotated[TableOptions, "For a table:"]`. A field that
    several of these dataclasses have is one option, for all of them, without such words.
    """
    parameters = inspect.signature(verb).parameters
    found = {name: _taken(parameter.annotation) for name, parameter in parameters.items()}
    taken = {name: each for name, each in found.items() if each}
    owners = Counter(field.name for options, _ in taken.values() for field in fields(options))
    shown: dict[str, inspect.Parameter] = {}
    for name, parameter in parameters.items():
        if name not in taken:
            shown[name] = parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
            continue
        options, words = taken[name]
        for field in fields(options):
            begin = words if owners[field.name] == 1 else ""
            if field.name not in shown and (each := _parameter(options, field, begin)):
                shown[field.name] = each

    @wraps(verb)
    def run(**typed: Any) -> None:  # noqa: ANN401 - whatever the options are
        own = {name: typed[name] for name in parameters if name not in taken}
        verb(**own, **{name: _built(options, typed) for name, (options, _) in taken.items()})

    run.__signature__ = inspect.Signature(list(shown.values()))  # type: ignore[attr-defined]
    run.__annotations__ = {name: each.annotation for name, each in shown.items()}
    return run


def flags_given(values: Mapping[str, object]) -> list[str]:
    """Returns the flags of those that have a value."""
    return [name for name, value in values.items() if value is not None]


def flags_used(options: object, without: Collection[str] = ()) -> list[str]:
    """Returns the flags that were typed of a dataclass of options.

    Args:
        options: the dataclass.
        without: the names of fields that are not asked about.
    """
    usual = type(options)()
    return [
        flag.names[0]
        for field in fields(options)  # type: ignore[arg-type] # a dataclass
        if (flag := flag_of(field)) and field.name not in without
        if getattr(options, field.name) != getattr(usual, field.name)
    ]


def _taken(annotation: Any) -> tuple[type, str] | None:  # noqa: ANN401 - an annotation
    """Returns the dataclass that an annotation names and the words with it; None without one."""
    kind, words = annotation, ""
    if get_origin(annotation) is Annotated:
        kind, words = get_args(annotation)[:2]
    return (kind, words) if isinstance(kind, type) and is_dataclass(kind) else None


def _parameter(options: type, field: Field[Any], words: str) -> inspect.Parameter | None:
    """Returns the keyword of a field, as Typer reads it; None if the command does not take it."""
    flag = flag_of(field)
    if flag is None:
        return None
    sentence = _help(words, sentences_of(options)[field.name], several=_is_several(field))
    option = typer.Option(*flag.names, metavar=flag.metavar, min=flag.least, help=sentence)
    return inspect.Parameter(
        field.name,
        inspect.Parameter.KEYWORD_ONLY,
        annotation=Annotated[_typed(field, flag), option],
        default=None if _is_several(field) else field.default,
    )


@cache
def sentences_of(options: type) -> dict[str, str]:
    """Returns field -> its sentence in the docstring of the class that declares it."""
    return {
        name: " ".join(text.split())
        for each in reversed(options.__mro__)
        for name, text in _ATTRIBUTE.findall(inspect.cleandoc(each.__doc__ or ""))
    }


def _help(words: str, sentence: str, *, several: bool) -> str:
    text = f"{words} {sentence}".strip()
    return f"{text[0].upper()}{text[1:]}{' May be repeated.' if several else ''}"


def _is_several(field: Field[Any]) -> bool:
    return field.default_factory is not MISSING or get_origin(field.type) in _LISTS


def _typed(field: Field[Any], flag: Flag) -> Any:  # noqa: ANN401 - an annotation
    """Returns the type that Typer reads a field's option as."""
    if get_origin(field.type) is Mapping:
        return list[str] | None
    if _is_several(field):
        return list[get_args(field.type)[0]] | None  # type: ignore[misc] # known when it runs
    return str | None if flag.parse else field.type


def _built(options: type, typed: Mapping[str, Any]) -> Any:  # noqa: ANN401 - one of the options
    """Returns options made of what was typed."""
    given = {
        field.name: _value(field, flag, typed[field.name])
        for field in fields(options)
        if (flag := flag_of(field))
    }
    return options(**given)


def _value(field: Field[Any], flag: Flag, typed: Any) -> Any:  # noqa: ANN401 - of its field
    if get_origin(field.type) is Mapping:
        return _pairs(flag, typed or ())
    if _is_several(field):
        return tuple(typed or ())
    return typed if typed is None or flag.parse is None else flag.parse(typed)


def _pairs(flag: Flag, texts: Sequence[str]) -> dict[str, str]:
    """Returns name -> value of texts such as NAME=VALUE.

    Where the metavar says that the name may be missing, a VALUE alone is for the empty name.
    """
    form = flag.metavar or "NAME=VALUE"
    pairs: dict[str, str] = {}
    for text in texts:
        name, sign, value = (part.strip() for part in text.rpartition("="))
        if not value or (not name if sign else not form.startswith("[")):
            raise UsageError("option-pair-invalid", f"{flag.names[0]} {text!r} is not {form}.")
        if pairs.setdefault(name, value) != value:
            said = repr(name) if name else "all images"
            raise UsageError(
                "option-pairs-contradict",
                f"{flag.names[0]} gives {said} two values, {pairs[name]} and {value}.",
            )
    return pairs
