"""Split: images are divided into training, validation and test, and no group is on two sides."""

from collections.abc import Iterator, Mapping
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
from pulmo.workflows.manifest_output import claim_manifest, counts_of
from pulmo.workflows.options.data import SplitOptions

_AGE_BAND: Final = 10
_SHARE: Final = 0.15


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

    def text(self) -> str:
        """Returns what is on each side or in each fold, and what a user must know, as lines."""
        return "\n".join((*self._matched(), *self.counts(), *self.doubts()))

    def counts(self) -> Iterator[str]:
        """Yields what is on each side or in each fold, and how many images take no part."""
        for name, rows in _sides(self.manifest):
            yield f"{name}: {counts_of(rows) if len(rows) else 'none'}"
        for why, n in self.left_out.items():
            yield f"left out: {n} ({why})"

    def doubts(self) -> Iterator[str]:
        """Yields the warnings, and the hash by which the manifest is known."""
        for sentence in self.warnings:
            yield f"warning: {sentence}"
        yield f"manifest_sha256: {self.manifest.sha256}"

    def _matched(self) -> Iterator[str]:
        """Yields how many images of each label are kept, and of how many, in each stratum."""
        if self.strata is None:
            return
        kept = self.strata["kept"] > 0
        yield f"matched: {self.strata['kept'].sum()} of each label, in {kept.sum()} strata"
        table = self.strata[kept].rename(columns={"kept": "kept of each"}).astype("string")
        yield table.to_string(index=False)


class AppliedSplit(NamedTuple):
    """A manifest with the split of a file.

    Attributes:
        result: the manifest with its split.
        absent: how many images of the split the manifest lacks.
        images: how many images the split has.
        made_of: the SHA-256 of the manifest that the split was made of.
        same: whether the manifest has the same images, labels and groups.
        file: the file.
    """

    result: SplitResult
    absent: int
    images: int
    made_of: str
    same: bool
    file: Path

    def text(self) -> str:
        """Returns what is on each side, and how the manifest fits the file, as lines."""
        lines = [*self.result.counts()]
        if self.absent:
            lines.append(f"absent: {self.absent} of the {self.images} images of {self.file}")
        lines += self.result.doubts()
        lines.append(
            f"the images, their labels and groups are those that {self.file} was made of"
            if self.same
            else f"warning: {self.file} was made of another manifest, whose hash is {self.made_of}"
        )
        return "\n".join(lines)


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
    plan = _plan(options)
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
    header = file.header
    return AppliedSplit(result, absent, header.images, header.manifest_sha256, same, saved)


def _plan(options: SplitOptions) -> Plan:
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


def _keep(options: SplitOptions) -> Keep:
    return "all" if options.keep_official else "test" if options.keep_test else "nothing"


def _check_conflicts(options: SplitOptions) -> None:
    folded = options.folds is not None or options.folds_by_source
    conflicts = {
        "The whole published split contains the test; keep one of the two": (
            options.keep_test and options.keep_official
        ),
        "With folds, one fold is the validation; a fraction for it has no effect": (
            folded and options.val is not None
        ),
        "With a source left out, that source is the test; a fraction for it has no effect": (
            options.leave_out is not None and options.test is not None
        ),
        "A fold for validation is named, but there are no folds": (
            options.fold is not None and not folded
        ),
        "An age band is for a match by age": (
            options.age_band is not None and "age" not in options.match
        ),
        "Labels are chosen for a match, and there is no match": (
            bool(options.labels) and not options.match
        ),
    }
    for sentence, present in conflicts.items():
        if present:
            raise UsageError("option-not-applicable", f"{sentence}.")


def _check_shares(options: SplitOptions, manifest: Manifest) -> None:
    """Refuses a fraction of a side that is only kept.

    Raises:
        UsageError: there is one.
    """
    keep = _keep(options)
    for side in undrawn(manifest, keep):
        if share := {"val": options.val, "test": options.test}[side]:
            what = "test" if keep == "test" else "split"
            raise UsageError(
                "split-share-without-effect",
                f"The {side} fraction {share:g} would have no effect: every source keeps the "
                f"{what} that it publishes.",
            )


def _sides(manifest: Manifest) -> Iterator[tuple[str, Manifest]]:
    """Yields each side or, where there are folds, the test and each fold; with its name."""
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


def _unlike_shares(manifest: Manifest, plan: Plan) -> list[str]:
    """Returns a sentence for each drawn side that is far from its fraction."""
    if plan.keep != "nothing":
        return []
    val = 0 if plan.folded else plan.val
    return unlike_shares(manifest, val, 0 if plan.leave_out is not None else plan.test)


def _doubts(manifest: Manifest) -> tuple[str, ...]:
    return (*absences(manifest), *uncurated(manifest))
