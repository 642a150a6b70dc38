"""pulmo recipes."""

import typer

from pulmo.cli.training import FromScratch, Name, Quick, Settings

app = typer.Typer(invoke_without_command=True)


@app.callback()
def recipes(context: typer.Context) -> None:
    """List the recipes that come with pulmo; `show NAME` prints one."""
    if context.invoked_subcommand is not None:
        return
    from pulmo.core.recipe import load_recipe
    from pulmo.core.recipe_file import shipped_recipes

    names = shipped_recipes()
    width = max(map(len, names))
    for name in names:
        typer.echo(f"{name:{width}}  {load_recipe(name).description}")


@app.command()
def show(
    name: Name, settings: Settings = None, quick: Quick = False, scratch: FromScratch = False
) -> None:
    """Print a recipe as TOML, with every setting and a line on each."""
    from pulmo.core.explained import explained_toml
    from pulmo.core.recipe import load_recipe

    recipe = load_recipe(name, settings or [], quick=quick, scratch=scratch)
    typer.echo(explained_toml(recipe), nl=False)
