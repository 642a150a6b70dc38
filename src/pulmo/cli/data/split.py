"""pulmo data split."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pulmo.cli.data.options import Manifest, Output, counts
from pulmo.cli.output import PARQUET, claim_file
from pulmo.core.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from pulmo.datasets.split import Plan

# Each default is None, so that an option that does not go with another is seen.
_Val = Annotated[float | None, typer.Option(help="Fraction for validation; without it, 0.15.")]
_Test = Annotated[float | None, typer.Option(help="Fraction for the test; without it, 0.15.")]
_KeepTest = Annotated[
    bool, typer.Option("--keep-test", help="Keep the official test of sources that have one.")
]
_KeepOfficial = Annotated[
    bool, typer.Option("--keep-official", help="Keep every side that a source publishes.")
]
_LeaveOut = Annotated[str | None, typer.Option(metavar="SOURCE", help="Make this source the test.")]
_Folds = Annotated[int | None, typer.Option(help="Deal what is not test to so many folds.", min=2)]
_BySource = Annotated[bool, typer.Option("--folds-by-source", help="Make each source a fold.")]
_Fold = Annotated[int | None, typer.Option(help="The fold that is val; without it, 0.", min=0)]
_Match = Annotated[
    list[str] | None,
    typer.Option(
        metavar="COLUMN",
        help="First choose equally many pictures of each label for every view, age, sex, modality "
        "or source; may be repeated.",
    ),
]
_AgeBand = Annotated[
    int | None, typer.Option(help="Years that --match age takes as one; without it, 10.", min=1)
]
_Label = Annotated[
    list[str] | None, typer.Option(help="Match this label; may be repeated. Without it, all.")
]
_Save = Annotated[
    Path | None, typer.Option(help="Also write the split alone, without paths, to this file.")
]
_From = Annotated[
    Path | None, typer.Option("--from", help="Take the split that --save wrote to this file.")
]
_Seed = Annotated[int | None, typer.Option(help="Seed of the random draw; without it, 0.", min=0)]


def split(
    manifest: Manifest,
    output: Output,
    val: _Val = None,
    test: _Test = None,
    keep_test: _KeepTest = False,
    keep_official: _KeepOfficial = False,
    leave_out: _LeaveOut = None,
    folds: _Folds = None,
    folds_by_source: _BySource = False,
    fold: _Fold = None,
    match: _Match = None,
    age_band: _AgeBand = None,
    label: _Label = None,
    save: _Save = None,
    take: _From = None,
    seed: _Seed = None,
) -> None:
    """Divide into train, val and test by group, stratified by label and source at once."""
    from pulmo.datasets.split import Matching, Plan
    from pulmo.datasets.split.file import MARK

    drawn = (val, test, leave_out, folds, match, age_band, label, save, seed)
    folded = folds is not None or folds_by_source
    _refuse(
        {
            "--from takes a split as it is; only --fold goes with it": take is not None
            and any(
                (keep_test, keep_official, folds_by_source, *(each is not None for each in drawn))
            ),
            "--keep-official keeps the test too; leave --keep-test out": keep_test
            and keep_official,
            "With folds one of them is the validation; leave --val out": folded and val is not None,
            "With --leave-out that source is the test; leave --test out": leave_out is not None
            and test is not None,
            "--fold chooses among folds; add --folds": fold is not None and not (folded or take),
            "--save names another file than --output": save is not None
            and save.resolve() == output.resolve(),
            "--age-band is for --match age": age_band is not None and "age" not in (match or []),
            "--label is for --match": bool(label) and not match,
        }
    )
    claim_file(output, PARQUET)
    if save is not None:
        claim_file(save, MARK.encode())
    if take is not None:
        _apply(manifest, take, fold, output)
        return
    matching = (
        Matching(tuple(match), 10 if age_band is None else age_band, tuple(label or ()))
        if match
        else None
    )
    plan = Plan(
        seed=seed or 0,
        val=0.15 if val is None else val,
        test=0.15 if test is None else test,
        keep="all" if keep_official else "test" if keep_test else "nothing",
        leave_out=leave_out,
        folds=folds,
        by_source=folds_by_source,
        fold=fold or 0,
        matching=matching,
    )
    _draw(manifest, plan, output, save)


def _refuse(conflicts: Mapping[str, bool]) -> None:
    """Refuses options that do not go together, of which a sentence says why."""
    for sentence, present in conflicts.items():
        if present:
            raise UsageError(f"{sentence}.")


def _draw(manifest: Path, plan: "Plan", output: Path, save: Path | None) -> None:
    """Makes a split, writes it, and tells what is in it."""
    from pulmo.core.tables import read_manifest, write_manifest
    from pulmo.datasets.split import check_split, draw, write_split

    table, reason, strata = draw(read_manifest(manifest), plan)
    check_split(table)
    write_manifest(table, output)
    if strata is not None:
        _tell_strata(strata)
    _tell(table)
    for why, n in reason.value_counts().items():
        typer.echo(f"left out: {n} ({why})")
    _tell_doubts(table)
    if save is not None:
        write_split(table, plan, save)
        typer.echo(f"{save}: the split alone")


def _apply(manifest: Path, source: Path, fold: int | None, output: Path) -> None:
    """Gives a manifest the split of a file, writes it, and tells whether it is the same one."""
    from pulmo.core.tables import manifest_sha256, read_manifest, write_manifest
    from pulmo.datasets.split import apply_split, check_split, read_split, validate_on

    saved = read_split(source)
    table, unknown, absent = apply_split(read_manifest(manifest), saved)
    same = manifest_sha256(table) == saved.header.manifest_sha256
    if fold is not None:
        table = validate_on(table, fold)
    check_split(table)
    write_manifest(table, output)
    _tell(table)
    for n, why in (
        (int(unknown.sum()), "the split does not know it"),
        (int((table["split"].isna() & ~unknown).sum()), "the split leaves it out"),
    ):
        if n:
            typer.echo(f"left out: {n} ({why})")
    if absent:
        typer.echo(f"absent: {absent} of the {saved.header.pictures} pictures of {source}")
    _tell_doubts(table)
    if same:
        typer.echo(f"the pictures, their labels and groups are those that {source} was made of")
    else:
        typer.echo(
            f"warning: this is not the manifest that {source} was made of, whose hash is "
            f"{saved.header.manifest_sha256}"
        )


def _tell(table: "pd.DataFrame") -> None:
    """Tells what is on each side, or in each fold."""
    for name, rows in _sides(table):
        typer.echo(f"{name}: {counts(rows) if len(rows) else 'none'}")


def _sides(table: "pd.DataFrame") -> "Iterator[tuple[str, pd.DataFrame]]":
    """Gives each side or, where there are folds, the test and each fold; with its name."""
    folds = [rows for _, rows in table.groupby("fold")]
    for side in ("test",) if folds else ("train", "val", "test"):
        yield side, table[table["split"] == side]
    sources = [rows["source"].unique() for rows in folds]
    apart = sum(map(len, sources)) == len(folds) == len(set().union(*sources))
    for rows in folds:
        first = rows.iloc[0]
        named = f"{first['source']}, {first['split']}" if apart else first["split"]
        yield f"fold {first['fold']} ({named})", rows


def _tell_doubts(table: "pd.DataFrame") -> None:
    """Warns of what is wrong with a split, and gives the hash that names it everywhere."""
    from pulmo.core.tables import manifest_sha256
    from pulmo.datasets.split import absences, uncurated

    for sentence in (*absences(table), *uncurated(table)):
        typer.echo(f"warning: {sentence}")
    typer.echo(f"manifest_sha256: {manifest_sha256(table)}")


def _tell_strata(strata: "pd.DataFrame") -> None:
    """Tells how many pictures of each label are kept of how many, in each stratum."""
    kept = strata["kept"] > 0
    typer.echo(f"matched: {strata['kept'].sum()} of each label, in {kept.sum()} strata")
    table = strata[kept].rename(columns={"kept": "kept of each"}).astype("string")
    typer.echo(table.to_string(index=False))
