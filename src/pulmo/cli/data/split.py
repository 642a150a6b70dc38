"""pulmo data split."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pulmo.cli.console import chosen_output
from pulmo.cli.data.options import DerivedOutput, ManifestFile, counts
from pulmo.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from pulmo.datasets.manifest import Manifest
    from pulmo.workflows.split import AppliedSplit, SplitResult


def split(
    manifest: ManifestFile,
    output: DerivedOutput = None,
    val: Annotated[
        float | None, typer.Option(help="Fraction for validation. Default: 0.15.")
    ] = None,
    test: Annotated[
        float | None, typer.Option(help="Fraction for the test. Default: 0.15.")
    ] = None,
    keep_test: Annotated[
        bool, typer.Option("--keep-test", help="Keep the test that a source publishes.")
    ] = False,
    keep_official: Annotated[
        bool, typer.Option("--keep-official", help="Keep the whole split that a source publishes.")
    ] = False,
    leave_out: Annotated[
        str | None, typer.Option(metavar="SOURCE", help="Make this source the test.")
    ] = None,
    folds: Annotated[
        int | None, typer.Option(help="Divide what is not test into this many folds.", min=2)
    ] = None,
    folds_by_source: Annotated[
        bool, typer.Option("--folds-by-source", help="Make each source a fold.")
    ] = False,
    fold: Annotated[
        int | None, typer.Option(help="The fold for validation. Default: 0.", min=0)
    ] = None,
    by_origin: Annotated[
        bool,
        typer.Option(
            "--by-origin",
            help="Keep all images of an origin (a hospital or publication of a source) on one "
            "side, or in one fold.",
        ),
    ] = False,
    match: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="First choose equally many images of each label for every view, age, sex, "
            "modality or source. Repeatable.",
        ),
    ] = None,
    age_band: Annotated[
        int | None, typer.Option(help="Years that count as one age. Default: 10.", min=1)
    ] = None,
    label: Annotated[
        list[str] | None, typer.Option(help="A label to match. Repeatable. Default: all.")
    ] = None,
    save: Annotated[
        Path | None, typer.Option(help="Also write the split alone, without paths, to this file.")
    ] = None,
    take: Annotated[
        Path | None, typer.Option("--from", help="Use the split that --save wrote to this file.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of the random draw. Default: 0.", min=0)
    ] = None,
) -> None:
    """Divide into train, val and test by group, stratified by label and source at once."""
    from pulmo.datasets.manifest import read_manifest
    from pulmo.workflows.split import SplitOptions, apply_saved_split
    from pulmo.workflows.split import split as split_images

    if keep_test and keep_official:
        raise UsageError(
            "option-not-applicable", "--keep-official keeps the test too. Leave --keep-test out."
        )
    options = SplitOptions(
        val=val,
        test=test,
        keep="all" if keep_official else "test" if keep_test else "nothing",
        leave_out=leave_out,
        folds=folds,
        folds_by_source=folds_by_source,
        fold=fold,
        by_origin=by_origin,
        match=tuple(match or ()),
        age_band=age_band,
        labels=tuple(label or ()),
        seed=seed,
    )
    if take is not None and (save is not None or options != SplitOptions(fold=fold)):
        raise UsageError(
            "option-not-applicable",
            "--from uses a split as it is. Of the other options only --fold fits it.",
        )
    before = read_manifest(manifest)
    output = chosen_output(output, manifest.with_name(f"{manifest.stem}-split.parquet"))
    if take is not None:
        _print_applied(apply_saved_split(before, take, output, fold), take)
        return
    done = split_images(before, output, options, save)
    if done.strata is not None:
        _print_strata(done.strata)
    _print_sides(done)
    _print_warnings(done)
    if save is not None:
        typer.echo(f"{save}: the split alone")


def _print_applied(applied: "AppliedSplit", source: Path) -> None:
    _print_sides(applied.result)
    if applied.absent:
        typer.echo(f"absent: {applied.absent} of the {applied.images} images of {source}")
    _print_warnings(applied.result)
    if applied.same:
        typer.echo(f"the images, their labels and groups are those that {source} was made of")
    else:
        typer.echo(
            f"warning: this is not the manifest that {source} was made of, whose hash is "
            f"{applied.made_of}"
        )


def _print_sides(done: "SplitResult") -> None:
    """Prints what is on each side or in each fold, and how many images take no part."""
    for name, rows in _sides(done.manifest):
        typer.echo(f"{name}: {counts(rows) if len(rows) else 'none'}")
    for why, n in done.left_out.items():
        typer.echo(f"left out: {n} ({why})")


def _print_warnings(done: "SplitResult") -> None:
    for sentence in done.warnings:
        typer.echo(f"warning: {sentence}")
    typer.echo(f"manifest_sha256: {done.manifest.sha256}")


def _sides(manifest: "Manifest") -> "Iterator[tuple[str, Manifest]]":
    """Gives each side or, where there are folds, the test and each fold; with its name."""
    numbers = sorted(manifest.frame["fold"].dropna().unique())
    folds = [manifest.filter(fold=int(number)) for number in numbers]
    for side in ("test",) if folds else ("train", "val", "test"):
        yield side, manifest.split(side)
    sources = [rows.frame["source"].unique() for rows in folds]
    apart = sum(map(len, sources)) == len(folds) == len(set().union(*sources))
    for rows in folds:
        first = rows.frame.iloc[0]
        named = f"{first['source']}, {first['split']}" if apart else first["split"]
        yield f"fold {first['fold']} ({named})", rows


def _print_strata(strata: "pd.DataFrame") -> None:
    """Prints how many images of each label are kept, and of how many, in each stratum."""
    kept = strata["kept"] > 0
    typer.echo(f"matched: {strata['kept'].sum()} of each label, in {kept.sum()} strata")
    table = strata[kept].rename(columns={"kept": "kept of each"}).astype("string")
    typer.echo(table.to_string(index=False))
