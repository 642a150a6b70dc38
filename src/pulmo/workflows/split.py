"""Split: images are divided into training, validation and test, and no group is on two sides."""

from pathlib import Path

from pulmo.core.errors import UsageError
from pulmo.core.output import claim_file
from pulmo.datasets.manifest import Manifest
from pulmo.datasets.split import (
    Plan,
    absences,
    apply_split,
    check_split,
    draw,
    read_split,
    uncurated,
    unlike_shares,
    unnamed_origins,
    unstated,
    validate_on,
    write_split,
)
from pulmo.datasets.split.file import MARK
from pulmo.workflows.manifest_output import claim_manifest
from pulmo.workflows.options.data import SplitOptions
from pulmo.workflows.split_plan import check_shares, plan_of
from pulmo.workflows.split_result import AppliedSplit, SplitResult


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
    plan = plan_of(options)
    if save is not None and save.resolve() == output.resolve():
        raise UsageError(
            "output-named-twice", f"The split and the manifest cannot both be written to {output}."
        )
    claim_manifest(output)
    if save is not None:
        claim_file(save, MARK.encode())
    check_shares(plan, options, manifest)
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


def _unlike_shares(manifest: Manifest, plan: Plan) -> list[str]:
    """Returns a sentence for each drawn side that is far from its fraction."""
    if plan.keep != "nothing":
        return []
    val = 0 if plan.folded else plan.val
    return unlike_shares(manifest, val, 0 if plan.leave_out is not None else plan.test)


def _doubts(manifest: Manifest) -> tuple[str, ...]:
    return (*absences(manifest), *uncurated(manifest))
