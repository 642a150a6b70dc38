"""pulmo lr-find."""

from typing import Annotated

import typer

from pulmo.cli.console import progress
from pulmo.cli.training import (
    Data,
    Device,
    FromScratch,
    Name,
    Output,
    Settings,
    Threads,
)


def lr_find(
    recipe: Name,
    data: Data,
    output: Output,
    settings: Settings = None,
    scratch: FromScratch = False,
    start: Annotated[float, typer.Option("--from", help="The first learning rate.")] = 1e-7,
    end: Annotated[float, typer.Option("--to", help="The last learning rate.")] = 1.0,
    steps: Annotated[int, typer.Option(help="Steps between them.", min=20)] = 200,
    device: Device = "auto",
    threads: Threads = 0,
) -> None:
    """Raise the learning rate, draw the loss and suggest a rate."""
    from pulmo.datasets.manifest import read_manifest
    from pulmo.workflows.lr_find import LrFindOptions
    from pulmo.workflows.lr_find import lr_find as find

    options = LrFindOptions(
        settings=tuple(settings or ()),
        from_scratch=scratch,
        start=start,
        end=end,
        steps=steps,
        device=device,
        threads=threads,
    )
    manifest = read_manifest(data)
    with progress("raising the learning rate") as (report,):
        found = find(recipe, manifest, output, options, report)
    typer.echo(
        f"The loss falls fastest at a learning rate of {found.steepest:.1e}; above "
        f"{found.highest:.1e} it may soon rise. The curve: {found.folder.curve}. "
        f"Next: --set train.lr={found.steepest:.1e}"
    )
