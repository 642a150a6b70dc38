"""pulmo lungs: where the lungs are on an image."""

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import typer

from pulmo.cli.console import print_json, progress, say
from pulmo.cli.names import names_of
from pulmo.cli.tally import Tally
from pulmo.cli.training import OptionalData, Output, Resume, Threads, stop_with_checkpoint

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
        bool, typer.Option("--json", help="Print one JSON list. Default: lines for people.")
    ] = False,
) -> None:
    """Write a mask of the lungs of each image, and name the images without lungs.

    The masks are PNG files of one bit a pixel, which `pulmo audit --lungs` reads.
    """
    from pulmo.workflows.lungs import mask_files

    tally, rows, without = Tally(), [], 0
    results = mask_files(names_of(files), output, network=network, on_left_out=tally.leave_out)
    for result in results:
        tally.count(result)
        without += result.status == "ok" and not result.found
        if as_json:
            rows.append(_json_of(dataclasses.asdict(result)))
            continue
        tally.tell(result)
        if result.status != "ok":
            say(f"{result.status}: {result.reason}")
        else:
            said = f"no mask: {result.file}: {result.reason}"
            typer.echo(f"{result.mask}" if result.found else said)
    if as_json:
        print_json(rows)
    tally.say_counts(all_kinds=as_json)
    if without:
        say(f"{without} images without lungs")
    tally.end("There is no mask")


@app.command("train")
def train(
    masks: Annotated[
        Path,
        typer.Option(metavar="DIR", help="The folder of lung masks, PNG files named as images."),
    ],
    output: Output,
    data: OptionalData = None,
    epochs: Annotated[int | None, typer.Option(help="Epochs. Default: 40.", min=1)] = None,
    seed: Annotated[int | None, typer.Option(help="The seed. Default: 0.", min=0)] = None,
    threads: Threads = 0,
    resume: Resume = False,
) -> None:
    """Train a network of the lungs on images of which some have a mask."""
    from pulmo.datasets.manifest import read_manifest
    from pulmo.train.lungs.run import LungCallbacks
    from pulmo.train.lungs.settings import LungSettings
    from pulmo.workflows.lungs import LungTrainOptions, train_lungs

    given = {
        key: value for key, value in {"epochs": epochs, "seed": seed}.items() if value is not None
    }
    settings = LungSettings.model_validate(given) if given or not resume else None
    manifest = None if data is None else read_manifest(data)
    with progress("decoding", "training") as (decoding, training), stop_with_checkpoint() as stop:
        run = train_lungs(
            manifest,
            masks,
            output,
            LungTrainOptions(settings, resume, threads),
            LungCallbacks(
                on_decode=decoding,
                on_step=training,
                on_epoch=lambda epoch: say(
                    f"epoch {epoch.epoch}: training loss {epoch.train_loss:.4f}, validation Dice "
                    f"{epoch.val_dice:.4f}, {epoch.seconds:.0f} s"
                ),
                should_stop=stop.is_set,
            ),
        )
    card = run.card
    typer.echo(
        f"{run.folder.network}: validation Dice {card.val_dice:.4f} at a probability of "
        f"{card.threshold:g}; no lungs found in {card.val_refused} of {card.validation[0]} images "
        f"with lungs, and some in {card.val_invented} of {card.validation[1]} without."
    )


def _json_of(row: dict[str, Any]) -> dict[str, Any]:
    """Returns a result as JSON has it."""
    kinds, texts = [kind for kind, _ in row["notes"]], [text for _, text in row["notes"]]
    mask = None if row["mask"] is None else str(row["mask"])
    return row | {"mask": mask, "notes": texts, "note_kinds": kinds}
