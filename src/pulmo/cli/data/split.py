"""pulmo data split."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pulmo.cli.data import splitting
from pulmo.cli.data.options import DerivedOutput, ManifestFile, counts
from pulmo.cli.output import PARQUET, chosen_output, claim_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from pulmo.datasets.manifest import Manifest


def split(
    manifest: ManifestFile,
    output: DerivedOutput = None,
    val: splitting.Val = None,
    test: splitting.Test = None,
    keep_test: splitting.KeepTest = False,
    keep_official: splitting.KeepOfficial = False,
    leave_out: splitting.LeaveOut = None,
    folds: splitting.Folds = None,
    folds_by_source: splitting.BySource = False,
    fold: splitting.Fold = None,
    match: splitting.Match = None,
    age_band: splitting.AgeBand = None,
    label: splitting.Label = None,
    save: splitting.Save = None,
    take: splitting.From = None,
    seed: splitting.Seed = None,
) -> None:
    """Divide into train, val and test by group, stratified by label and source at once."""
    from pulmo.datasets.manifest import read_manifest
    from pulmo.datasets.split.file import MARK

    asked = splitting.Asked(
        val=val,
        test=test,
        keep_test=keep_test,
        keep_official=keep_official,
        leave_out=leave_out,
        folds=folds,
        folds_by_source=folds_by_source,
        fold=fold,
        match=match,
        age_band=age_band,
        label=label,
        seed=seed,
    )
    derived = manifest.with_name(f"{manifest.stem}-split.parquet")
    splitting.check_asked(asked, output or derived, save, take)
    before = read_manifest(manifest)
    output = chosen_output(output, derived)
    claim_file(output, PARQUET)
    if save is not None:
        claim_file(save, MARK.encode())
    if take is None:
        _draw(before, asked, output, save)
    else:
        _apply(before, take, fold, output)


def _draw(before: "Manifest", asked: splitting.Asked, output: Path, save: Path | None) -> None:
    """Makes a split, writes it, and tells what is in it."""
    from pulmo.datasets.split import check_split, draw, unstated, write_split

    plan = splitting.plan_of(asked)
    splitting.check_shares(asked, plan, before)
    drawn, reason, strata = draw(before, plan)
    check_split(drawn)
    drawn.save(output)
    if strata is not None:
        _tell_strata(strata)
    _tell(drawn)
    for why, n in reason.value_counts().items():
        typer.echo(f"left out: {n} ({why})")
    apart = plan.leave_out is not None or plan.by_source
    _tell_doubts(drawn, unstated(drawn) if apart else ())
    if save is not None:
        write_split(drawn, plan, save)
        typer.echo(f"{save}: the split alone")


def _apply(before: "Manifest", source: Path, fold: int | None, output: Path) -> None:
    """Gives a manifest the split of a file, writes it, and tells whether it is the same one."""
    from pulmo.datasets.split import apply_split, check_split, read_split, validate_on

    saved = read_split(source)
    applied, unknown, absent = apply_split(before, saved)
    same = applied.sha256 == saved.header.manifest_sha256
    if fold is not None:
        applied = validate_on(applied, fold)
    check_split(applied)
    applied.save(output)
    _tell(applied)
    for n, why in (
        (int(unknown.sum()), "the split does not know it"),
        (int((applied.frame["split"].isna() & ~unknown).sum()), "the split leaves it out"),
    ):
        if n:
            typer.echo(f"left out: {n} ({why})")
    if absent:
        typer.echo(f"absent: {absent} of the {saved.header.images} images of {source}")
    _tell_doubts(applied)
    if same:
        typer.echo(f"the images, their labels and groups are those that {source} was made of")
    else:
        typer.echo(
            f"warning: this is not the manifest that {source} was made of, whose hash is "
            f"{saved.header.manifest_sha256}"
        )


def _tell(manifest: "Manifest") -> None:
    """Tells what is on each side, or in each fold."""
    for name, rows in _sides(manifest):
        typer.echo(f"{name}: {counts(rows) if len(rows) else 'none'}")


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


def _tell_doubts(manifest: "Manifest", further: "Sequence[str]" = ()) -> None:
    """Warns of what is wrong with a split, and gives the hash that names it everywhere."""
    from pulmo.datasets.split import absences, uncurated

    for sentence in (*further, *absences(manifest), *uncurated(manifest)):
        typer.echo(f"warning: {sentence}")
    typer.echo(f"manifest_sha256: {manifest.sha256}")


def _tell_strata(strata: "pd.DataFrame") -> None:
    """Tells how many images of each label are kept of how many, in each stratum."""
    kept = strata["kept"] > 0
    typer.echo(f"matched: {strata['kept'].sum()} of each label, in {kept.sum()} strata")
    table = strata[kept].rename(columns={"kept": "kept of each"}).astype("string")
    typer.echo(table.to_string(index=False))
