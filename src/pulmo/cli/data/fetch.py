"""pulmo data fetch."""

import shlex
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from pulmo.cli.console import Report, print_json, progress
from pulmo.cli.data.options import Folder
from pulmo.cli.data.sources import described, facts, steps
from pulmo.cli.output import claim_folder
from pulmo.core.errors import RefusedError, UsageError

if TYPE_CHECKING:
    from pulmo.datasets.source import About

_MEGABYTE = 10**6


def fetch(
    source: Annotated[str, typer.Argument(help="A source of `pulmo data sources`.")],
    output: Folder,
    part: Annotated[
        str | None, typer.Option(help="Which file, for a set of several; see `sources --json`.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one machine-readable object.")] = (
        False
    ),
) -> None:
    """Download a data set, or the rest of it, and check every file's hash.

    A set that wants an account or a signature is not downloaded; its steps are printed.
    """
    from pulmo.datasets.source import SOURCES

    about = SOURCES[source].about
    if about.remote is None:
        _refuse(source, about, as_json=as_json)
    from pulmo.datasets.fetch import fetch

    claim_folder(output)
    with progress("downloading, in MB") as (report,):
        fetched = fetch(about.remote, output, part, _in_megabytes(report))
    following = ["pulmo", "data", "import", source, str(fetched.root), "-o", f"{source}.parquet"]
    if as_json:
        done = {"root": str(fetched.root), "files": fetched.files, "bytes": fetched.size}
        print_json(facts(source, about) | done | {"next": following})
        return
    size = f"{fetched.files} files, {fetched.size / _MEGABYTE:,.1f} MB"
    typer.echo(f"{fetched.root}: {size}, each with the hash that was published")
    typer.echo(f"licence: {about.licence}")
    typer.echo(f"next: {shlex.join(following)}")


def _refuse(source: str, about: "About", *, as_json: bool) -> NoReturn:
    """Tells how to get a set by hand.

    Raises:
        UsageError: there is nothing to download.
        RefusedError: pulmo does not download it.
    """
    if not about.url:
        raise UsageError(f"{source} reads images of your own; there is nothing to download.")
    if as_json:
        print_json(facts(source, about))
    else:
        for line in (*described(about), *steps(about)):
            typer.echo(line)
    raise RefusedError(
        f"{source} is not downloaded: its publisher wants an account, or states no hash that the "
        "files could be checked by. The steps are on stdout."
    )


def _in_megabytes(report: Report) -> Report:
    """Returns what reports bytes to a bar that counts megabytes."""
    return lambda done, total: report(done // _MEGABYTE, max(1, total // _MEGABYTE))
