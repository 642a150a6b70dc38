"""pulmo data curate."""

from pathlib import Path
from typing import Annotated

import typer

from pulmo.cli.console import progress
from pulmo.cli.data.options import Output
from pulmo.cli.data.problems import report_problems
from pulmo.cli.options import takes_options
from pulmo.core.errors import PartialError
from pulmo.workflows.options.data import CurateOptions


@takes_options
def curate(
    manifests: Annotated[list[Path], typer.Argument(help="One or more manifests.")],
    output: Output,
    options: CurateOptions,
) -> None:
    """Find copies of an image, also cropped or mirrored ones, and put them into one group.

    Copies with labels that contradict each other are removed. Every pair and every removal is a
    row of a table, NAME.curation.csv.
    """
    from pulmo.datasets.curate import CurationProgress
    from pulmo.datasets.manifest import read_manifest
    from pulmo.workflows.curate import curate as curate_manifests

    read = [read_manifest(path) for path in manifests]
    with progress("reading images", "comparing pairs", lines=True) as reports:
        done = curate_manifests(read, output, options, CurationProgress(*reports))
    typer.echo(f"{output}: {done.text()}")
    failed = report_problems(done.curated.problems, output)
    if failed:
        raise PartialError("some-files-failed", f"{failed} could not be read; the rest is curated.")
