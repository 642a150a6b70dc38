"""pulmo lungs: where the lungs are on an image."""

from pathlib import Path
from typing import Annotated

import typer

from pulmo.cli.console import print_json, progress, say, say_lines
from pulmo.cli.names import names_of
from pulmo.cli.options import Output, takes_options
from pulmo.cli.training import OptionalData, stop_with_checkpoint
from pulmo.workflows.options.lungs import LungTrainOptions

app = typer.Typer(help="Find the lungs on images.", no_args_is_help=True)


@app.command("mask")
def mask(
    files: Annotated[
        list[str],
        typer.Argument(
            help="The images: files, folders, which are searched for images, or - for names on "
            "standard input, one a line."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder for the masks.")],
    network: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A network of `pulmo lungs train`. Default: the one that comes with pulmo.",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON list. Default: text for people.")
    ] = False,
) -> None:
    """Write a mask of the lungs of each image, and name the images without lungs.

    The masks are PNG files of one bit a pixel, which `pulmo audit --lungs` reads.
    """
    from pulmo.workflows.lungs import mask_files
    from pulmo.workflows.tally import Tally

    tally, rows, without = Tally(), [], 0
    results = mask_files(names_of(files), output, network=network, on_left_out=tally.leave_out)
    for result in results:
        tally.count(result)
        without += result.status == "done" and not result.found
        if as_json:
            rows.append(result.to_json())
            continue
        say_lines(tally.notes_on(result))
        if result.status != "done":
            say(f"{result.status}: {result.reason}")
        else:
            said = f"no mask: {result.file}: {result.reason}"
            typer.echo(f"{result.mask}" if result.found else said)
    if as_json:
        print_json(rows)
    say_lines(tally.lines(all_kinds=as_json))
    if without:
        say(f"images without lungs: {without}")
    tally.end("There is no mask")


@app.command("train")
@takes_options
def train(
    masks: Annotated[
        Path,
        typer.Option(metavar="DIR", help="The folder of lung masks, PNG files named as images."),
    ],
    output: Output,
    data: OptionalData = None,
    *,
    options: LungTrainOptions,
) -> None:
    """Train a network of the lungs on images of which some have a mask."""
    from pulmo.datasets.manifest import read_manifest
    from pulmo.train.lungs.run import LungCallbacks
    from pulmo.workflows.lungs import train_lungs

    manifest = None if data is None else read_manifest(data)
    with progress("decoding", "training") as (decoding, training), stop_with_checkpoint() as stop:
        callbacks = LungCallbacks(
            on_decode=decoding,
            on_step=training,
            on_epoch=lambda epoch: say(f"{epoch}"),
            should_stop=stop.is_set,
        )
        run = train_lungs(manifest, masks, output, options, callbacks)
    typer.echo(f"{run}")
