"""pulmo data merge."""

from pathlib import Path
from typing import Annotated

import typer

from pulmo.cli.data.options import Output, counts


def merge(
    manifests: Annotated[list[Path], typer.Argument(help="The manifests to join.")], output: Output
) -> None:
    """Join manifests; copies of a picture across them fall into one group."""
    from pulmo.core.tables import read_manifest, write_manifest
    from pulmo.datasets.manifest import merge as join

    joined = join([read_manifest(path) for path in manifests])
    write_manifest(joined, output)
    typer.echo(f"{output}: {counts(joined)}")
