"""What `pulmo data split` may be asked: its options, and which of them go together."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from pulmo.core.errors import UsageError

if TYPE_CHECKING:
    from pulmo.datasets.manifest import Manifest
    from pulmo.datasets.split import Plan

# Each default is None, so that an option that does not go with another is seen.
Val = Annotated[float | None, typer.Option(help="Fraction for validation; without it, 0.15.")]
Test = Annotated[float | None, typer.Option(help="Fraction for the test; without it, 0.15.")]
KeepTest = Annotated[
    bool, typer.Option("--keep-test", help="Keep the official test of sources that have one.")
]
KeepOfficial = Annotated[
    bool, typer.Option("--keep-official", help="Keep every side that a source publishes.")
]
LeaveOut = Annotated[str | None, typer.Option(metavar="SOURCE", help="Make this source the test.")]
Folds = Annotated[int | None, typer.Option(help="Deal what is not test to so many folds.", min=2)]
BySource = Annotated[bool, typer.Option("--folds-by-source", help="Make each source a fold.")]
Fold = Annotated[int | None, typer.Option(help="The fold that is val; without it, 0.", min=0)]
Match = Annotated[
    list[str] | None,
    typer.Option(
        metavar="COLUMN",
        help="First choose equally many images of each label for every view, age, sex, modality "
        "or source; may be repeated.",
    ),
]
AgeBand = Annotated[
    int | None, typer.Option(help="Years that --match age takes as one; without it, 10.", min=1)
]
Label = Annotated[
    list[str] | None, typer.Option(help="Match this label; may be repeated. Without it, all.")
]
Save = Annotated[
    Path | None, typer.Option(help="Also write the split alone, without paths, to this file.")
]
From = Annotated[
    Path | None, typer.Option("--from", help="Take the split that --save wrote to this file.")
]
Seed = Annotated[int | None, typer.Option(help="Seed of the random draw; without it, 0.", min=0)]


class Asked(NamedTuple):
    """The options that say how a split is drawn, each as it was given or its default."""

    val: float | None = None
    test: float | None = None
    keep_test: bool = False
    keep_official: bool = False
    leave_out: str | None = None
    folds: int | None = None
    folds_by_source: bool = False
    fold: int | None = None
    match: list[str] | None = None
    age_band: int | None = None
    label: list[str] | None = None
    seed: int | None = None


def check_asked(asked: Asked, output: Path, save: Path | None, take: Path | None) -> None:
    """Refuses options that do not go together, with a sentence that says why.

    Raises:
        UsageError: two of them do not.
    """
    folded = asked.folds is not None or asked.folds_by_source
    conflicts = {
        "--from takes a split as it is; only --fold goes with it": take is not None
        and (save is not None or asked._replace(fold=None) != Asked()),
        "--keep-official keeps the test too; leave --keep-test out": asked.keep_test
        and asked.keep_official,
        "With folds one of them is the validation; leave --val out": folded
        and asked.val is not None,
        "With --leave-out that source is the test; leave --test out": asked.leave_out is not None
        and asked.test is not None,
        "--fold chooses among folds; add --folds": asked.fold is not None and not (folded or take),
        "--save names another file than --output": save is not None
        and save.resolve() == output.resolve(),
        "--age-band is for --match age": asked.age_band is not None
        and "age" not in (asked.match or []),
        "--label is for --match": bool(asked.label) and not asked.match,
    }
    for sentence, present in conflicts.items():
        if present:
            raise UsageError(f"{sentence}.")


def plan_of(asked: Asked) -> "Plan":
    """Returns what was asked with a value for all that was not.

    Raises:
        UsageError: it contradicts itself.
    """
    from pulmo.datasets.split import Matching, Plan

    band = 10 if asked.age_band is None else asked.age_band
    return Plan(
        seed=asked.seed or 0,
        val=0.15 if asked.val is None else asked.val,
        test=0.15 if asked.test is None else asked.test,
        keep="all" if asked.keep_official else "test" if asked.keep_test else "nothing",
        leave_out=asked.leave_out,
        folds=asked.folds,
        by_source=asked.folds_by_source,
        fold=asked.fold or 0,
        matching=Matching(tuple(asked.match), band, tuple(asked.label or ()))
        if asked.match
        else None,
    )


def check_shares(asked: Asked, plan: "Plan", manifest: "Manifest") -> None:
    """Refuses a share of a side that is only kept.

    Raises:
        UsageError: there is one.
    """
    from pulmo.datasets.split import undrawn

    for side in undrawn(manifest, plan.keep):
        if share := {"val": asked.val, "test": asked.test}[side]:
            kept, what = ("test", "test") if plan.keep == "test" else ("official", "sides")
            raise UsageError(
                f"--{side} {share:g} would draw nothing: with --keep-{kept} every source keeps the "
                f"{what} that it states; leave --{side} out."
            )
