"""pulmo data merge."""

from pathlib import Path
from typing import Annotated

import typer

from pulmo.cli.data.options import OneSet, Output, counts
from pulmo.cli.data.problems import report_problems
from pulmo.core.errors import PartialError


def merge(
    manifests: Annotated[list[Path], typer.Argument(help="The manifests to merge.")],
    output: Output,
    drop_contradictions: Annotated[
        bool,
        typer.Option(
            "--drop-contradictions", help="Leave out all copies of an image with several labels."
        ),
    ] = False,
    one_set: OneSet = None,
) -> None:
    """Merge manifests; copies of an image come into one group."""
    from pulmo.datasets.manifest import read_manifest
    from pulmo.workflows.merge import merge as merge_manifests

    read = [read_manifest(path) for path in manifests]
    merged = merge_manifests(
        read, output, drop_contradictions=drop_contradictions, one_set=one_set or ()
    )
    typer.echo(f"{output}: {counts(merged.manifest)}")
    left_out = report_problems(merged.problems, output)
    if left_out:
        raise PartialError(
            "some-images-contradict",
            f"{left_out} contradict each other; the rest is in the manifest.",
        )
