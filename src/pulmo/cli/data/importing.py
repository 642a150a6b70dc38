"""pulmo data import."""

from pathlib import Path
from typing import Annotated

import typer

from pulmo.cli.console import Report, chosen_output, progress, say, say_notes
from pulmo.cli.data.options import DerivedOutput
from pulmo.cli.data.problems import report_problems
from pulmo.cli.options import takes_options
from pulmo.cli.remedies import HINTS
from pulmo.core.errors import PartialError
from pulmo.workflows.options.data import ImportOptions


@takes_options
def import_(
    source: Annotated[str, typer.Argument(help="A name that `pulmo data sources` lists.")],
    root: Annotated[Path, typer.Argument(help="The data set's folder, or the table.")],
    output: DerivedOutput = None,
    *,
    options: ImportOptions,
) -> None:
    """Read every image of a data set once and write its manifest.

    Repeated with the same output, it reads only files that have changed. An interrupted import
    continues where it stopped.
    """
    from pulmo.datasets.importing import NothingImportedError
    from pulmo.workflows.import_images import import_images
    from pulmo.workflows.manifest_output import counts_of

    called = root.resolve().name if root.is_dir() else root.stem
    output = chosen_output(output, Path(f"{called}.parquet"))
    try:
        with progress("finding images", "reading images", lines=True) as (find, read):
            done = import_images(source, root, output, options, _in_turn(find, read))
    except NothingImportedError as error:
        report_problems(error.problems, output)
        raise
    typer.echo(f"{output}: {counts_of(done.manifest)}")
    for message in done.messages():
        say(f"{message.text} {HINTS.get(message.kind, '')}".rstrip())
    say_notes(done.image_notes, len(done.manifest))
    failed = report_problems(done.problems, output)
    if failed:
        raise PartialError("some-files-failed", f"{failed} failed; the rest is in the manifest.")


def _in_turn(find: Report, read: Report) -> Report:
    """Returns what shows the images found while their number is unknown, then those read."""

    def show(done: int, total: int) -> None:
        if total == 0:
            find(done, 0)
            return
        if done == 1:
            find(total, total)
        read(done, total)

    return show
