"""pulmo lr-find."""

from pathlib import Path
from typing import Annotated

import typer

from pulmo.cli.console import progress
from pulmo.cli.options import Output, takes_options
from pulmo.cli.training import Name
from pulmo.workflows.options.training import LrFindOptions


@takes_options
def lr_find(
    recipe: Name,
    data: Annotated[Path, typer.Option(help="The manifest with its split.")],
    output: Output,
    options: LrFindOptions,
) -> None:
    """Raise the learning rate, draw the loss and suggest a rate."""
    from pulmo.datasets.manifest import read_manifest
    from pulmo.workflows.lr_find import lr_find as find

    manifest = read_manifest(data)
    with progress("raising the learning rate") as (report,):
        found = find(recipe, manifest, output, options, report)
    typer.echo(
        f"The loss falls fastest at a learning rate of {found.steepest:.1e}; above "
        f"{found.highest:.1e} it may soon rise. The curve: {found.folder.curve}. "
        f"Next: --set train.lr={found.steepest:.1e}"
    )
