"""How heat maps are made: the options that verbs share, and the method that they name."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pulmo.explain.methods import Method

MethodOption = Annotated[
    str,
    typer.Option(
        help="How the maps are made; an unknown name lists all. hirescam, lime, occlusion and "
        "rise work on a bundle, the others on the folder of a run."
    ),
]
SettingsOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="A parameter of the method; repeatable."),
]


def chosen_method(name: str, layer: str | None, settings: list[str]) -> "Method":
    """Returns the method with its parameters.

    Raises:
        UsageError: there is no such method, or a parameter is unknown or has a bad value.
    """
    from pulmo.core.settings import apply_setting
    from pulmo.explain.methods import read_method

    table: dict[str, object] = {}
    for setting in settings:
        apply_setting(table, setting)
    if layer is not None:
        table["layer"] = layer
    return read_method({**table, "name": name})
