"""The plan of a split: options that fit each other, with a value for all that was not given."""

from typing import Final

from pulmo.core.errors import UsageError
from pulmo.datasets.manifest import Manifest
from pulmo.datasets.split import Keep, Matching, Plan, undrawn
from pulmo.workflows.options.data import SplitOptions

_AGE_BAND: Final = 10
_SHARE: Final = 0.15


def plan_of(options: SplitOptions) -> Plan:
    """Returns the plan, with a value for all that was not given.

    Raises:
        UsageError: two options contradict each other.
    """
    _check_conflicts(options)
    band = _AGE_BAND if options.age_band is None else options.age_band
    return Plan(
        seed=options.seed or 0,
        val=_SHARE if options.val is None else options.val,
        test=_SHARE if options.test is None else options.test,
        keep=_keep(options),
        leave_out=options.leave_out,
        folds=options.folds,
        by_source=options.folds_by_source,
        fold=options.fold or 0,
        by_origin=options.by_origin,
        matching=Matching(options.match, band, options.labels) if options.match else None,
    )


def check_shares(plan: Plan, options: SplitOptions, manifest: Manifest) -> None:
    """Refuses a fraction of a side that is only kept.

    Raises:
        UsageError: there is one.
    """
    for side in undrawn(manifest, plan.keep):
        if share := {"val": options.val, "test": options.test}[side]:
            what = "test" if plan.keep == "test" else "split"
            raise UsageError(
                "split-share-without-effect",
                f"The {side} fraction {share:g} would have no effect: every source keeps the "
                f"{what} that it publishes.",
            )


def _keep(options: SplitOptions) -> Keep:
    return "all" if options.keep_official else "test" if options.keep_test else "nothing"


def _check_conflicts(options: SplitOptions) -> None:
    folded = options.folds is not None or options.folds_by_source
    conflicts = {
        "The whole published split contains the test; keep one of the two": (
            options.keep_test and options.keep_official
        ),
        "With folds, one fold is the validation; a validation fraction has no effect": (
            folded and options.val is not None
        ),
        "With a source left out, it is the test; a test fraction has no effect": (
            options.leave_out is not None and options.test is not None
        ),
        "A fold is named for the validation, but no folds are made": (
            options.fold is not None and not folded
        ),
        "An age band is only for matching by age": (
            options.age_band is not None and "age" not in options.match
        ),
        "Labels to match are named, but no column to match by": (
            bool(options.labels) and not options.match
        ),
    }
    for sentence, present in conflicts.items():
        if present:
            raise UsageError("option-not-applicable", f"{sentence}.")
