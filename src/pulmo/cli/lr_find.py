"""pulmo lr-find."""

import json
from pathlib import Path
from typing import Annotated

import typer

from pulmo.cli.console import progress
from pulmo.cli.initial_weights import FromScratch
from pulmo.cli.train import Data, Device, Name, Settings, Threads, use_threads
from pulmo.core.errors import UsageError
from pulmo.core.output import claimed_folder


def lr_find(
    recipe: Name,
    data: Data,
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write.")],
    settings: Settings = None,
    scratch: FromScratch = False,
    start: Annotated[float, typer.Option("--from", help="The first learning rate.")] = 1e-7,
    end: Annotated[float, typer.Option("--to", help="The last learning rate.")] = 1.0,
    steps: Annotated[int, typer.Option(help="Steps between them.", min=20)] = 200,
    device: Device = "auto",
    threads: Threads = 0,
) -> None:
    """Raise the learning rate, draw the loss and suggest a rate."""
    from pulmo.core.files import write_atomically
    from pulmo.core.folders import RunFolder, SweepFolder
    from pulmo.core.recipe import load_recipe
    from pulmo.datasets.manifest import read_manifest

    if not 0 < start < end:
        raise UsageError(
            "learning-rates-invalid", f"--from {start:g} must be above 0 and below --to {end:g}."
        )
    experiment = load_recipe(recipe, settings or [], scratch=scratch)
    manifest = read_manifest(data)
    use_threads(threads)
    with claimed_folder(output):
        from pulmo.datasets.cache import cache_folder
        from pulmo.report.sweep import draw_sweep
        from pulmo.train.lr_find import find_rate
        from pulmo.train.run import Place

        place = Place(RunFolder(output), cache_folder(), device)
        with progress("raising the learning rate") as (report,):
            sweep = find_rate(experiment, manifest, place, (start, end, steps), report)
    columns = [part.tolist() for part in (sweep.rates, sweep.losses, sweep.smoothed)]
    figure = draw_sweep(columns[0], columns[1], columns[2], sweep.steepest)
    named = dict(zip(("rates", "losses", "smoothed"), columns, strict=True))
    result = {"recipe": experiment.name, "steepest": sweep.steepest, "highest": sweep.highest}
    folder = SweepFolder(output)
    write_atomically(folder.curve, figure.encode())
    write_atomically(folder.index, json.dumps(result | named, indent=2).encode())
    typer.echo(
        f"The loss falls fastest at a learning rate of {sweep.steepest:.1e}; above "
        f"{sweep.highest:.1e} it may not fall for long. The curve: {folder.curve}. "
        f"Next: --set train.lr={sweep.steepest:.1e}"
    )
