"""pulmo data merge."""

from pathlib import Path
from typing import Annotated

import typer

from pulmo.cli.data.options import OneSet, Output, counts
from pulmo.cli.data.problems import tell_problems, write_problems
from pulmo.cli.output import PARQUET, claim_file
from pulmo.core.errors import PartialError


def merge(
    manifests: Annotated[list[Path], typer.Argument(help="The manifests to join.")],
    output: Output,
    drop_contradictions: Annotated[
        bool,
        typer.Option(
            "--drop-contradictions", help="Leave out all copies of an image with several labels."
        ),
    ] = False,
    one_set: OneSet = None,
) -> None:
    """Join manifests; copies of an image across them fall into one group."""
    from pulmo.datasets.manifest import read_manifest
    from pulmo.datasets.merge import Merged, merge_agreeing
    from pulmo.datasets.merge import merge as join

    claim_file(output, PARQUET)
    read = [read_manifest(path) for path in manifests]
    one = one_set or ()
    joined = merge_agreeing(read, one) if drop_contradictions else Merged(join(read, one), [])
    write_problems(joined.problems, output)
    joined.manifest.save(output)
    typer.echo(f"{output}: {counts(joined.manifest)}")
    left_out = tell_problems(joined.problems, output)
    if left_out:
        raise PartialError(f"{left_out} contradict each other; the rest is in the manifest.")
