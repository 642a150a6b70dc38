"""pulmo data inspect."""

from pathlib import Path
from typing import Annotated

import typer

from pulmo.cli.console import print_json, progress, say, say_notes
from pulmo.cli.data.options import Folder, Json, ManifestFile, Seed
from pulmo.core.errors import PartialError


def inspect(
    manifest: ManifestFile,
    output: Folder,
    facts: Annotated[
        Path | None,
        typer.Option(
            help="A CSV table of the published files' width, height and bytes. Default: none."
        ),
    ] = None,
    samples: Annotated[
        int, typer.Option(help="How many images of each class and source to show.", min=0)
    ] = 6,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Report what a manifest holds, and what gives its classes away without a look at a pixel.

    Writes inspection.json and inspection.html. A data set with warnings is no error.
    """
    from pulmo.workflows.inspect import InspectOptions
    from pulmo.workflows.inspect import inspect as inspect_manifest

    with progress("reading samples") as (report,):
        options = InspectOptions(facts, samples, seed)
        found, folder = inspect_manifest(manifest, output, options, report)
    if as_json:
        print_json(found.model_dump(mode="json"))
    else:
        labels = ", ".join(f"{n} {label}" for label, n in found.labels.items())
        typer.echo(f"{found.totals.images} images in {found.totals.groups} groups ({labels})")
        typer.echo(f"verdict: {found.verdict}")
        for warning in found.warnings:
            typer.echo(f"warning: {warning.text}")
        typer.echo(str(folder.page))
    say_notes({kind: one.n for kind, one in found.notes.items()}, found.totals.images)
    for failure in found.failed:
        say(failure.reason)
    if found.failed:
        n = len(found.failed)
        raise PartialError(
            "some-files-failed", f"{n} of the drawn samples could not be shown; the rest is done."
        )
