"""Split: images are divided into training, validation and test, and no group is on two sides."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import pandas as pd

from pulmo.core.errors import UsageError
from pulmo.core.output import claim_file
from pulmo.datasets.manifest import Manifest
from pulmo.datasets.split import (
    Keep,
    Matching,
    Plan,
    absences,
    apply_split,
    check_split,
    draw,
    read_split,
    uncurated,
    undrawn,
    unlike_shares,
    unnamed_origins,
    unstated,
    validate_on,
    write_split,
)
from pulmo.datasets.split.file import MARK
from pulmo.workflows.manifest_output import claim_manifest

_AGE_BAND: Final = 10
_SHARE: Final = 0.15


@dataclass(frozen=True)
class SplitOptions:
    """How a split is made. None is the default, so that a contradicting value is noticed.

    Attributes:
        val: the fraction for validation, 0.15; with folds one fold is the validation instead.
        test: the fraction for the test, 0.15; with `leave_out` that source is the test instead.
        keep: which published sides of the sources are kept.
        leave_out: the source that is the test.
        folds: how many folds the images outside the test get.
        folds_by_source: whether each source is a fold.
        fold: the fold that is the validation, 0.
        by_origin: whether all images of an origin, such as a hospital, are on one side or in one
            fold.
        match: columns in which all labels are to be alike; images are chosen before the draw.
        age_band: how many years count as one age in a match, 10.
        labels: the labels that are matched; none stands for all.
        seed: of the random draw, 0.
    """

    val: float | None = None
    test: float | None = None
    keep: Keep = "nothing"
    leave_out: str | None = None
    folds: int | None = None
    folds_by_source: bool = False
    fold: int | None = None
    by_origin: bool = False
    match: tuple[str, ...] = ()
    age_band: int | None = None
    labels: tuple[str, ...] = ()
    seed: int | None = None

    def plan(self) -> Plan:
        """Returns the plan, with a value for all that was not given.

        Raises:
            UsageError: two options contradict each other.
        """
        self._check()
        band = _AGE_BAND if self.age_band is None else self.age_band
        return Plan(
            seed=self.seed or 0,
            val=_SHARE if self.val is None else self.val,
            test=_SHARE if self.test is None else self.test,
            keep=self.keep,
            leave_out=self.leave_out,
            folds=self.folds,
            by_source=self.folds_by_source,
            fold=self.fold or 0,
            by_origin=self.by_origin,
            matching=Matching(self.match, band, self.labels) if self.match else None,
        )

    def _check(self) -> None:
        folded = self.folds is not None or self.folds_by_source
        conflicts = {
            "With folds, one fold is the validation; a validation fraction has no effect": folded
            and self.val is not None,
            "With a source left out, it is the test; a test fraction has no effect": (
                self.leave_out is not None and self.test is not None
            ),
            "A fold is named for the validation, but no folds are made": self.fold is not None
            and not folded,
            "An age band is only for matching by age": self.age_band is not None
            and "age" not in self.match,
            "Labels to match are named, but no column to match by": bool(self.labels)
            and not self.match,
        }
        for sentence, present in conflicts.items():
            if present:
                raise UsageError("option-not-applicable", f"{sentence}.")


class SplitResult(NamedTuple):
    """A manifest with its split, and what a user must know of it.

    Attributes:
        manifest: the images.
        left_out: reason -> how many images take no part.
        warnings: what may be wrong with the split, as sentences.
        strata: how many images of each label the match kept; None without a match.
    """

    manifest: Manifest
    left_out: Mapping[str, int]
    warnings: tuple[str, ...]
    strata: pd.DataFrame | None = None


class AppliedSplit(NamedTuple):
    """A manifest with the split of a file.

    Attributes:
        result: the manifest with its split.
        absent: how many images of the split the manifest lacks.
        images: how many images the split has.
        made_of: the SHA-256 of the manifest that the split was made of.
        same: whether the manifest has the same images, labels and groups.
    """

    result: SplitResult
    absent: int
    images: int
    made_of: str
    same: bool


def split(
    manifest: Manifest,
    output: Path,
    options: SplitOptions | None = None,
    save: Path | None = None,
) -> SplitResult:
    """Draws a split by group, checks that nothing is on two sides, and writes the manifest.

    Args:
        manifest: the images; a split that they have is replaced.
        output: the manifest to write.
        options: how the split is made.
        save: a file for the split alone, without paths. None: it is not written.

    Raises:
        UsageError: options contradict each other or do not fit the manifest.
        InputError: there is no published side to keep, or a file cannot be written.
        RefusedError: a match leaves no image, or the split leaks.
    """
    options = options or SplitOptions()
    plan = options.plan()
    if save is not None and save.resolve() == output.resolve():
        raise UsageError(
            "output-named-twice", f"The split and the manifest cannot both be written to {output}."
        )
    claim_manifest(output)
    if save is not None:
        claim_file(save, MARK.encode())
    _check_shares(options, manifest)
    drawn, reason, strata = draw(manifest, plan)
    check_split(drawn)
    drawn.save(output)
    if save is not None:
        write_split(drawn, plan, save)
    apart = plan.leave_out is not None or plan.by_source
    left_out = {str(why): int(n) for why, n in reason.value_counts().items()}
    warnings = (
        *(unstated(drawn) if apart else ()),
        *(unnamed_origins(drawn) if plan.by_origin else ()),
        *_unlike_shares(drawn, plan),
        *_doubts(drawn),
    )
    return SplitResult(drawn, left_out, warnings, strata)


def apply_saved_split(
    manifest: Manifest, saved: Path, output: Path, fold: int | None = None
) -> AppliedSplit:
    """Gives a manifest the split of a file, checks it and writes the manifest.

    Args:
        manifest: the images; a split that they have is replaced.
        saved: the file that `split` wrote.
        output: the manifest to write.
        fold: the fold that is the validation. None: the one that the file says.

    Raises:
        InputError: the file is no split, the split knows no image, or a file cannot be written.
        RefusedError: the file was changed, or the split leaks.
        UsageError: there is no such fold.
    """
    claim_manifest(output)
    file = read_split(saved)
    applied, unknown, absent = apply_split(manifest, file)
    same = applied.sha256 == file.header.manifest_sha256
    if fold is not None:
        applied = validate_on(applied, fold)
    check_split(applied)
    applied.save(output)
    counts = {
        "the split does not know it": int(unknown.sum()),
        "the split leaves it out": int((applied.frame["split"].isna() & ~unknown).sum()),
    }
    left_out = {why: n for why, n in counts.items() if n}
    result = SplitResult(applied, left_out, _doubts(applied))
    return AppliedSplit(result, absent, file.header.images, file.header.manifest_sha256, same)


def _check_shares(options: SplitOptions, manifest: Manifest) -> None:
    """Refuses a fraction of a side that is only kept.

    Raises:
        UsageError: there is one.
    """
    for side in undrawn(manifest, options.keep):
        if share := {"val": options.val, "test": options.test}[side]:
            what = "test" if options.keep == "test" else "split"
            raise UsageError(
                "split-share-without-effect",
                f"The {side} fraction {share:g} would have no effect: every source keeps the "
                f"{what} that it publishes.",
            )


def _unlike_shares(manifest: Manifest, plan: Plan) -> list[str]:
    """Returns a sentence for each drawn side that is far from its fraction."""
    if plan.keep != "nothing":
        return []
    val = 0 if plan.folded else plan.val
    return unlike_shares(manifest, val, 0 if plan.leave_out is not None else plan.test)


def _doubts(manifest: Manifest) -> tuple[str, ...]:
    return (*absences(manifest), *uncurated(manifest))
