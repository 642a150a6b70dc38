"""pulmo data curate."""

from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pulmo.cli.console import progress
from pulmo.cli.data.options import OneSet, Output, counts
from pulmo.cli.data.problems import tell_problems, write_problems
from pulmo.cli.output import PARQUET, claim_file
from pulmo.core.errors import PartialError

if TYPE_CHECKING:
    import pandas as pd


def curate(
    manifests: Annotated[
        list[Path], typer.Argument(help="The manifest; several are joined first.")
    ],
    output: Output,
    drop_copies: Annotated[
        bool,
        typer.Option("--drop-copies", help="Keep only one image of each image, the largest."),
    ] = False,
    trust: Annotated[
        list[str] | None,
        typer.Option(metavar="SOURCE", help="Its labels win over others'; may be repeated."),
    ] = None,
    one_set: OneSet = None,
) -> None:
    """Find copies of an image, also cropped or mirrored ones, and put them into one group.

    Copies with labels that contradict each other are removed. Every merge and every removal is a
    row of a table beside the output, NAME.curation.csv.
    """
    from pulmo.core.files import write_atomically
    from pulmo.core.folders import ManifestFiles
    from pulmo.datasets.curate import Watch
    from pulmo.datasets.curate import curate as find
    from pulmo.datasets.curate.report import report_csv
    from pulmo.datasets.manifest import read_manifest
    from pulmo.datasets.merge import join

    before = join([read_manifest(path) for path in manifests], one_set or ())
    table = ManifestFiles(output).curation
    claim_file(output, PARQUET)
    claim_file(table, b"path,action,")
    with progress("reading images", "comparing pairs", lines=True) as reports:
        done = find(before, drop_copies=drop_copies, trust=trust or (), watch=Watch(*reports))
    write_atomically(table, report_csv(done.report))
    write_problems(done.problems, output)
    done.manifest.save(output)
    typer.echo(f"{output}: {counts(done.manifest)}, of {counts(before)}")
    for line in _lines(done.report):
        typer.echo(line)
    if len(done.report):
        typer.echo(f"{table}: a row for each pair and each removal, with the evidence")
    else:
        typer.echo(f"{table}: no row, for nothing was found or removed")
    failed = tell_problems(done.problems, output)
    if failed:
        raise PartialError(f"{failed} could not be read; the rest is curated.")


def _lines(report: "pd.DataFrame") -> list[str]:
    """Returns what was found and removed, in words."""
    pairs = report[report["action"] == "grouped"]
    removed = report.loc[(report["action"] == "removed") & report["other_path"].notna(), "reason"]
    kinds = [f"{n} {reason}" for reason, n in pairs["reason"].value_counts().items()]
    lines = [
        f"copies: {len(pairs)} pairs of {pairs['image'].nunique()} images ({', '.join(kinds)})"
        if kinds
        else "copies: none"
    ]
    for sources, n in sorted(_shared(pairs).items()):
        lines.append(f"  in both {' and '.join(sources)}: {n}")
    lines += [f"removed: {n} ({reason})" for reason, n in removed.value_counts().items()]
    return lines


def _shared(pairs: "pd.DataFrame") -> Counter[tuple[str, ...]]:
    """Returns, for every two sources, how many images have images in both."""
    shared: Counter[tuple[str, ...]] = Counter()
    for _, rows in pairs.groupby("image"):
        shared.update(combinations(sorted({*rows["source"], *rows["other_source"]}), 2))
    return shared
