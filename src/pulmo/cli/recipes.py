"""pulmo recipes."""

import typer


def recipes() -> None:
    """List the recipes that come with pulmo."""
    from pulmo.core.recipe import load_recipe, shipped_recipes

    names = shipped_recipes()
    width = max(map(len, names))
    for name in names:
        typer.echo(f"{name:{width}}  {load_recipe(name).description}")
