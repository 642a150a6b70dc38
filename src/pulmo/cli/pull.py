"""pulmo pull."""

from typing import Annotated

import typer

from pulmo.cli.console import progress
from pulmo.cli.options import takes_options
from pulmo.core.errors import PartialError
from pulmo.node.options import PullOptions


@takes_options
def pull(
    source: Annotated[
        str,
        typer.Argument(
            help="The archive: TITLE@HOST:PORT, or the address of its DICOMweb server.",
        ),
    ],
    *,
    options: PullOptions,
) -> None:
    """Fetch images of an archive into the inbox of pulmo listen.

    What is in the inbox is not fetched again, so a call that was interrupted can be repeated.
    """
    from pulmo.node.pull import pull as pull_from

    with progress("fetching") as (report,):
        done = pull_from(source, options, lambda now: report(now.found, now.found))
    for line in done.lines():
        typer.echo(line)
    if done.failed:
        raise PartialError("images-not-fetched", f"{done.failed:,} images could not be fetched.")
