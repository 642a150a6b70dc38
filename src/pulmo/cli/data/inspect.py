"""pulmo data inspect."""

import typer

from pulmo.cli.console import print_json, progress, say_lines, say_notes
from pulmo.cli.data.options import ManifestFile
from pulmo.cli.options import Json, Output, takes_options
from pulmo.core.errors import PartialError
from pulmo.workflows.options.data import InspectOptions


@takes_options
def inspect(
    manifest: ManifestFile, output: Output, options: InspectOptions, *, as_json: Json = False
) -> None:
    """Report what a manifest holds, and what predicts the class without the image.

    Writes inspection.json and inspection.html. A data set with warnings is no error.
    """
    from pulmo.workflows.inspect import inspect as inspect_manifest

    with progress("reading samples") as (report,):
        done = inspect_manifest(manifest, output, options, report)
    found = done.inspection
    if as_json:
        print_json(found.model_dump(mode="json"))
    else:
        typer.echo(f"{done.text()}\n{done.folder.page}")
    say_notes({kind: one.n for kind, one in found.notes.items()}, found.totals.images)
    say_lines(failure.reason for failure in found.failed)
    if found.failed:
        raise PartialError(
            "some-files-failed",
            f"{len(found.failed)} of the drawn samples could not be shown; the rest is done.",
        )
