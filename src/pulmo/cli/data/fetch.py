"""pulmo data fetch."""

import shlex
from typing import Annotated, Final

import typer

from pulmo.cli.console import Report, print_json, progress
from pulmo.cli.options import Json, Output

_MEGABYTE: Final = 10**6


def fetch(
    source: Annotated[str, typer.Argument(help="A name that `pulmo data sources` lists.")],
    output: Output,
    part: Annotated[
        str | None,
        typer.Option(
            help="Which file of a data set with several, see `pulmo data sources --json`. Default: "
            "the first."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Download a data set, or the rest of it, and check the hash of every file.

    A data set that needs an account or a signature is not downloaded; the steps are printed.
    """
    from pulmo.datasets.source import SOURCES
    from pulmo.workflows.fetch import fetch as fetch_source
    from pulmo.workflows.source_text import described, steps

    about = SOURCES[source].about
    facts = about.facts(source)
    if about.url and about.remote is None:
        if as_json:
            print_json(facts)
        else:
            typer.echo("\n".join((*described(about), *steps(about))))
    with progress("downloading, in MB") as (report,):
        fetched = fetch_source(source, output, part, _in_megabytes(report))
    following = ["pulmo", "data", "import", source, str(fetched.root), "-o", f"{source}.parquet"]
    if as_json:
        done = {"root": str(fetched.root), "files": fetched.files, "bytes": fetched.size}
        print_json(facts | done | {"next": following})
        return
    size = f"{fetched.files} files, {fetched.size / _MEGABYTE:,.1f} MB"
    typer.echo(f"{fetched.root}: {size}, each with the hash that was published")
    typer.echo(f"licence: {about.licence}")
    typer.echo(f"next: {shlex.join(following)}")


def _in_megabytes(report: Report) -> Report:
    """Returns what reports bytes to a bar that counts megabytes."""
    return lambda done, total: report(done // _MEGABYTE, max(1, total // _MEGABYTE))
