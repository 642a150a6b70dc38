"""pulmo data split."""

from pathlib import Path
from typing import Annotated

import typer

from pulmo.cli.console import chosen_output
from pulmo.cli.data.options import DerivedOutput, ManifestFile
from pulmo.cli.options import takes_options
from pulmo.core.errors import UsageError
from pulmo.workflows.options.data import SplitOptions


@takes_options
def split(
    manifest: ManifestFile,
    output: DerivedOutput = None,
    *,
    options: SplitOptions,
    save: Annotated[
        Path | None, typer.Option(help="Also write the split alone, without paths, to this file.")
    ] = None,
    take: Annotated[
        Path | None, typer.Option("--from", help="Use the split that --save wrote to this file.")
    ] = None,
) -> None:
    """Divide into train, val and test by group, stratified by label and source at once."""
    from pulmo.datasets.manifest import read_manifest
    from pulmo.workflows.split import apply_saved_split
    from pulmo.workflows.split import split as split_images

    if take is not None and (save is not None or options != SplitOptions(fold=options.fold)):
        raise UsageError(
            "option-not-applicable",
            "--from uses a split as it is. Of the other options only --fold fits it.",
        )
    images = read_manifest(manifest)
    derived = output or manifest.with_name(f"{manifest.stem}-split.parquet")
    if take is None:
        text = split_images(images, derived, options, save).text()
    else:
        text = apply_saved_split(images, take, derived, options.fold).text()
    chosen_output(output, derived)
    typer.echo(text)
    if save is not None:
        typer.echo(f"{save}: the split alone")
