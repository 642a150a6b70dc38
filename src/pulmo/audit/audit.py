"""Audit: runs every check, and sums up what is shown of the model and what is not."""

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import PurePath
from typing import Final

from pulmo.audit.check import CHECKS
from pulmo.audit.check_result import (
    ORDER,
    Audit,
    AuditedData,
    CheckResult,
    ExternalTable,
    Verdict,
)
from pulmo.audit.context import AuditContext
from pulmo.audit.result import result_of, summary
from pulmo.core.errors import UsageError
from pulmo.datasets.manifest import Manifest

VERDICT_WORDS: Final[dict[Verdict, str]] = {
    "fails": "FAILED",
    "warns": "WARNING",
    "could_not_run": "COULD NOT RUN",
    "passes": "PASSED",
}
"""Verdict -> how people read it."""


def audit(
    context: AuditContext,
    *,
    split: str | None = None,
    only: Collection[str] = (),
    accepted: Collection[str] = (),
    on_progress: Callable[[int, int], None] | None = None,
) -> Audit:
    """Runs the checks on a model.

    Args:
        context: the model and its images.
        split: name of the split of the test images; None if they are no split.
        only: names of the checks to run; all if empty.
        accepted: names of checks whose failure does not fail the audit.
        on_progress: called with the number of checks done and the number of all.

    Raises:
        UsageError: there is no such check.
        InputError: an image cannot be read, or the model gave a value that is not a number.
    """
    chosen = [CHECKS[name] for name in dict.fromkeys(only)] or list(CHECKS.values())
    for name in accepted:
        if name not in CHECKS:
            raise UsageError(
                "check-unknown",
                f"There is no audit check {name!r}; choose one of {', '.join(CHECKS)}.",
            )
    found = []
    for each in chosen:
        found.append(each(context))
        if on_progress:
            on_progress(len(found), len(chosen))
    checks = sorted(found, key=lambda result: ORDER.index(result.verdict))
    failed = {result.check for result in checks if result.verdict == "fails"}
    return Audit(
        model=context.model.name,
        data=_data(context, split),
        external=_external(context) if context.is_external else None,
        checks=tuple(checks),
        accepted=tuple(sorted(failed & set(accepted))),
        result=result_of(checks, accepted),
        summary=summary(checks, accepted),
        shown=tuple(each.statement for each in checks if each.verdict == "passes"),
        not_shown=tuple(_not_shown(checks)),
    )


def _data(context: AuditContext, split: str | None) -> AuditedData:
    rows, model = context.rows, context.model
    sources = rows.groupby(context.called)["class"].value_counts().unstack(fill_value=0)
    return AuditedData(
        manifest_sha256=(
            Manifest.from_rows(rows).sha256 if context.has_manifest else model.name.sha256
        ),
        split=split,
        n=len(rows),
        groups=int(context.groups.max()) + 1,
        labels={label: int((rows["class"] == label).sum()) for label in context.rule.classes},
        sources={
            str(source): {str(label): int(n) for label, n in counts.items()}
            for source, counts in sources.to_dict("index").items()
        },
        image_notes=context.image_notes,
        fitted=len({path for part in context.parts for path in part.fitted["path"]}),
        excluded=tuple(
            PurePath(path).name
            for part in context.parts
            if part.excluded is not None
            for path in part.excluded["path"]
        ),
    )


def _external(context: AuditContext) -> ExternalTable:
    rule = context.rule
    return ExternalTable(
        positive=rule.positive,
        threshold=rule.threshold,
        merges=rule.merges,
        manifest=context.has_manifest,
    )


def _not_shown(checks: Sequence[CheckResult]) -> Iterator[str]:
    """Yields a paragraph for each check that does not pass."""
    for result in checks:
        if result.verdict != "passes":
            yield f"{VERDICT_WORDS[result.verdict]} ({result.check}): {result.conclusion}"
