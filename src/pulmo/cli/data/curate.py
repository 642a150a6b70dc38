"""pulmo data curate."""

from pathlib import Path
from typing import Annotated

import typer

from pulmo.cli.console import progress
from pulmo.cli.data.options import OneSet, Output, counts
from pulmo.cli.data.problems import report_problems
from pulmo.core.errors import PartialError


def curate(
    manifests: Annotated[list[Path], typer.Argument(help="One or more manifests.")],
    output: Output,
    drop_copies: Annotated[
        bool, typer.Option("--drop-copies", help="Keep only the largest copy of each image.")
    ] = False,
    trust: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SOURCE",
            help="A source whose labels win over contradicting ones. Repeatable. Default: none.",
        ),
    ] = None,
    one_set: OneSet = None,
) -> None:
    """Find copies of an image, also cropped or mirrored ones, and put them into one group.

    Copies with labels that contradict each other are removed. Every pair and every removal is a
    row of a table, NAME.curation.csv.
    """
    from pulmo.datasets.curate import CurationProgress
    from pulmo.datasets.curate.report import summary_lines
    from pulmo.datasets.manifest import read_manifest
    from pulmo.workflows.curate import CurateOptions
    from pulmo.workflows.curate import curate as curate_manifests

    options = CurateOptions(drop_copies, trust or (), one_set or ())
    read = [read_manifest(path) for path in manifests]
    with progress("reading images", "comparing pairs", lines=True) as reports:
        done = curate_manifests(read, output, options, CurationProgress(*reports))
    report = done.curated.report
    typer.echo(f"{output}: {counts(done.curated.manifest)}, of {counts(done.before)}")
    for line in summary_lines(report):
        typer.echo(line)
    rows = "a row for each pair and each removal, with the evidence" if len(report) else "no row"
    typer.echo(f"{done.table}: {rows}")
    failed = report_problems(done.curated.problems, output)
    if failed:
        raise PartialError("some-files-failed", f"{failed} could not be read; the rest is curated.")
