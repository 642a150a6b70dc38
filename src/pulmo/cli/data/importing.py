"""pulmo data import."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pulmo.cli.console import progress, say
from pulmo.cli.data.options import Output, counts
from pulmo.cli.output import claim_file
from pulmo.core.errors import PartialError, UsageError

if TYPE_CHECKING:
    from pulmo.datasets.source import Problem


def import_(
    source: Annotated[str, typer.Argument(help="A source of `pulmo data sources`.")],
    root: Annotated[Path, typer.Argument(help="The data set's folder, or the CSV file.")],
    output: Output,
    called: Annotated[
        str | None, typer.Option("--name", help="What to call the source in the manifest.")
    ] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="NAME=LABEL", help="What a folder or class name means."),
    ] = None,
) -> None:
    """Read every picture of a data set once and write its manifest."""
    from pulmo.core.tables import write_manifest
    from pulmo.datasets.manifest import import_source

    labels = _label_map(mapping or [])
    claim_file(output)
    with progress("reading pictures") as (report,):
        manifest, problems = import_source(source, root, labels, called=called, on_progress=report)
    write_manifest(manifest, output)
    typer.echo(f"{output}: {counts(manifest)}")
    _tell(problems)


def _label_map(pairs: list[str]) -> dict[str, str]:
    for pair in pairs:
        if "=" not in pair:
            raise UsageError(f"--map {pair!r} is not NAME=LABEL.")
    return dict(pair.rsplit("=", 1) for pair in pairs)


def _tell(problems: "list[Problem]") -> None:
    """Names what failed, counts what was left out by rule."""
    for reason, n in Counter(p.reason for p in problems if not p.failed).items():
        say(f"left out: {n} ({reason})")
    failed = [problem for problem in problems if problem.failed]
    for problem in failed:
        known = problem.reason.startswith(problem.path)
        say(problem.reason if known else f"{problem.path}: {problem.reason}")
    if failed:
        raise PartialError(f"{len(failed)} failed, named above; the rest is in the manifest.")
