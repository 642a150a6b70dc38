"""Audit: every check asks its question, and the answers end in plain sentences."""

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import PurePath
from typing import Final

from pulmo.audit.check import CHECKS
from pulmo.audit.context import AuditContext
from pulmo.audit.finding import ORDER, Audit, AuditedData, ExternalTable, Finding, Verdict
from pulmo.audit.gate import gate_of, headline
from pulmo.core.errors import UsageError
from pulmo.datasets.manifest import Manifest
from pulmo.predictions.table import image_notes

_OPEN: Final[dict[Verdict, str]] = {
    "fails": "Contradicted: that",
    "warns": "In doubt: whether",
    "unknown": "Not looked at: whether",
}
"""Verdict -> how the sentence on a check begins that does not pass; the worst first."""


def audit(
    context: AuditContext,
    *,
    split: str | None = None,
    only: Collection[str] = (),
    accepted: Collection[str] = (),
    on_progress: Callable[[int, int], None] | None = None,
) -> Audit:
    """Asks every question of a model.

    Args:
        context: the model and its images.
        split: what the judged images are called; None if they are no split.
        only: the checks to make; all if empty.
        accepted: checks whose failure does not close the gate.
        on_progress: called with the checks made and the checks to make.

    Raises:
        UsageError: there is no such check.
        InputError: an image cannot be read, or the model gave a value that is not a number.
    """
    chosen = [CHECKS[name] for name in dict.fromkeys(only)] or list(CHECKS.values())
    for name in accepted:
        if name not in CHECKS:
            raise UsageError(f"--accept {name!r} is no check; there are: {', '.join(CHECKS)}.")
    found = []
    for each in chosen:
        found.append(each(context))
        if on_progress:
            on_progress(len(found), len(chosen))
    findings = sorted(found, key=lambda finding: ORDER.index(finding.verdict))
    failed = {finding.check for finding in findings if finding.verdict == "fails"}
    return Audit(
        model=context.model.name,
        data=_data(context, split),
        external=_external(context) if context.is_external else None,
        findings=tuple(findings),
        accepted=tuple(sorted(failed & set(accepted))),
        passed=failed <= set(accepted),
        gate=gate_of(findings, accepted),
        headline=headline(findings, accepted),
        shown=tuple(_shown(findings)),
        not_shown=tuple(_not_shown(findings)),
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
        image_notes=image_notes(rows),
        fitted=len({path for part in context.parts for path in part.fit["path"]}),
        voided=tuple(
            PurePath(path).name
            for part in context.parts
            if part.voided is not None
            for path in part.voided["path"]
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


def _shown(findings: Sequence[Finding]) -> Iterator[str]:
    """Yields what the checks that pass show."""
    for finding in findings:
        if finding.verdict == "passes":
            yield f"The model {finding.claim}."


def _not_shown(findings: Sequence[Finding]) -> Iterator[str]:
    """Yields what the other checks leave open, or contradict; a sentence or two for each check."""
    for verdict, begin in _OPEN.items():
        for finding in findings:
            if finding.verdict == verdict:
                yield f"{begin} the model {finding.claim}. {finding.sentence}"
