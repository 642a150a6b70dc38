"""pulmo recipes."""

import typer


def recipes() -> None:
    """List the recipes that come with pulmo."""
    from pulmo.core.recipe import load_recipe, shipped_recipes

    for name in shipped_recipes():
        typer.echo(f"{name:12} {load_recipe(name).description}")
