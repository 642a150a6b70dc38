"""pulmo data: sources, import, merge, split, phantom."""

from collections import Counter
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Annotated

import typer

from pulmo.cli.console import progress, say
from pulmo.cli.output import claim_file
from pulmo.core.errors import PartialError, UsageError

if TYPE_CHECKING:
    import pandas as pd

    from pulmo.datasets.source import Problem

app = typer.Typer(help="Make manifests: import, merge, split.", no_args_is_help=True)

Output = Annotated[Path, typer.Option("--output", "-o", help="The manifest to write.")]
Seed = Annotated[int, typer.Option(help="Seed of the random draw.", min=0)]


@app.command()
def sources() -> None:
    """List the data sets that pulmo reads, with licence, size and how to get them."""
    from pulmo.datasets.source import SOURCES

    for name, source in SOURCES.items():
        about = source.about
        terms = f"licence: {about.licence}; size: {about.size}"
        typer.echo(name)
        for text in filter(None, (about.title, terms, about.url, about.obtain)):
            typer.echo(fill(text, 96, initial_indent="  ", subsequent_indent="    "))


@app.command("import")
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
    typer.echo(f"{output}: {_counts(manifest)}")
    _tell(problems)


@app.command()
def merge(
    manifests: Annotated[list[Path], typer.Argument(help="The manifests to join.")], output: Output
) -> None:
    """Join manifests; copies of a picture across them fall into one group."""
    from pulmo.core.tables import read_manifest, write_manifest
    from pulmo.datasets.manifest import merge as join

    joined = join([read_manifest(path) for path in manifests])
    write_manifest(joined, output)
    typer.echo(f"{output}: {_counts(joined)}")


@app.command()
def split(
    manifest: Annotated[Path, typer.Argument(help="The manifest to split.")],
    output: Output,
    val: Annotated[float, typer.Option(help="Fraction for validation.")] = 0.15,
    test: Annotated[float, typer.Option(help="Fraction for the test.")] = 0.15,
    keep_test: Annotated[
        bool, typer.Option("--keep-test", help="Keep the official test of sources that have one.")
    ] = False,
    seed: Seed = 0,
) -> None:
    """Divide into train, val and test by group, stratified by label and source at once."""
    import numpy as np

    from pulmo.core.tables import SPLITS, read_manifest, write_manifest
    from pulmo.datasets.split import Shares, check_split, split_manifest

    table = split_manifest(
        read_manifest(manifest),
        Shares(val, test),
        np.random.default_rng(seed),
        keep_test=keep_test,
    )
    check_split(table)
    write_manifest(table, output)
    for side in SPLITS:
        typer.echo(f"{side}: {_counts(table[table['split'] == side])}")
    left_out = table["split"].isna()
    if left_out.any():
        typer.echo(f"left out, in a group with the kept test: {_counts(table[left_out])}")


@app.command()
def phantom(
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write.")],
    count: Annotated[int, typer.Option(help="How many films.", min=1)] = 400,
    seed: Seed = 0,
) -> None:
    """Draw chest films to try things on; `pulmo data import csv` reads them."""
    from pulmo.datasets.phantom import write_phantoms

    with progress("drawing films") as (report,):
        table = write_phantoms(output, count, seed, on_progress=lambda done: report(done, count))
    typer.echo(f"{table}: {count} films")


def _label_map(pairs: list[str]) -> dict[str, str]:
    for pair in pairs:
        if "=" not in pair:
            raise UsageError(f"--map {pair!r} is not NAME=LABEL.")
    return dict(pair.rsplit("=", 1) for pair in pairs)


def _counts(manifest: "pd.DataFrame") -> str:
    labels = manifest["label"].value_counts().sort_index()
    named = ", ".join(f"{n} {label}" for label, n in labels.items())
    return f"{len(manifest)} pictures in {manifest['group'].nunique()} groups ({named})"


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
