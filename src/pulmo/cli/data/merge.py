"""pulmo data merge."""

from pathlib import Path
from typing import Annotated

import typer

from pulmo.cli.data.options import Output
from pulmo.cli.data.problems import report_problems
from pulmo.cli.options import takes_options
from pulmo.core.errors import PartialError
from pulmo.workflows.options.data import MergeOptions


@takes_options
def merge(
    manifests: Annotated[list[Path], typer.Argument(help="The manifests to merge.")],
    output: Output,
    options: MergeOptions,
) -> None:
    """Merge manifests; copies of an image come into one group."""
    from pulmo.datasets.manifest import read_manifest
    from pulmo.workflows.manifest_output import counts_of
    from pulmo.workflows.merge import merge as merge_manifests

    merged = merge_manifests([read_manifest(path) for path in manifests], output, options)
    typer.echo(f"{output}: {counts_of(merged.manifest)}")
    left_out = report_problems(merged.problems, output)
    if left_out:
        raise PartialError(
            "some-images-contradict",
            f"{left_out} contradict each other; the rest is in the manifest.",
        )
