"""pulmo recipes."""

import typer

from pulmo.cli.options import takes_options
from pulmo.cli.training import Name
from pulmo.workflows.options.training import RecipeOptions

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
@takes_options
def show(name: Name, options: RecipeOptions) -> None:
    """Print a recipe as TOML, with every setting and a line on each."""
    from pulmo.core.explained import explained_toml
    from pulmo.workflows.chosen_recipe import recipe_of

    typer.echo(explained_toml(recipe_of(name, options)), nl=False)
