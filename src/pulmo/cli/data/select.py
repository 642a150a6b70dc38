"""pulmo data select."""

from typing import Annotated

import typer

from pulmo.cli.data.options import ManifestFile, Output


def select(
    manifest: ManifestFile,
    output: Output,
    where: Annotated[
        list[str],
        typer.Option(
            metavar="CONDITION",
            help="What each image must fulfil, such as view=PA|AP, age>=18, source!=nih or "
            "patient=unknown. May be repeated; all must be fulfilled.",
        ),
    ],
) -> None:
    """Keep the images that fulfil conditions, with their splits."""
    from pulmo.datasets.manifest import read_manifest
    from pulmo.workflows.manifest_output import counts_of
    from pulmo.workflows.select import select as select_images

    selected = select_images(read_manifest(manifest), where, output)
    typer.echo(f"{output}: {counts_of(selected.manifest)}")
    for column, n in selected.unknown.items():
        typer.echo(f"left out: {n} (the manifest does not state their {column})")
