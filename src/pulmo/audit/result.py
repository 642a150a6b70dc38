"""The result of an audit: passed, failed or incomplete."""

from collections.abc import Collection, Sequence
from typing import Final

from pulmo.audit.check_result import AuditResult, CheckResult

ESSENTIAL: Final = ("leakage", "shortcuts", "sources", "external")
"""Checks without which a high accuracy may have another reason than the disease: the model has seen
the images, facts without any sign of the disease predict the class as well, the source gives the
class away, or nothing is known about other hospitals. An audit passes only if all of these ran."""


def result_of(checks: Sequence[CheckResult], accepted: Collection[str]) -> AuditResult:
    """Returns the result of an audit.

    It is `failed` where a check fails that was not accepted; else `incomplete` where an essential
    check could not run or was not chosen; else `passed`.
    """
    if _failed(checks, accepted):
        return "failed"
    return "incomplete" if _missing(checks) else "passed"


def summary(checks: Sequence[CheckResult], accepted: Collection[str]) -> str:
    """Returns the result in words, with what failed and what was not checked."""
    failed, missing = _failed(checks, accepted), _missing(checks)
    not_run = [each.check for each in checks if each.verdict == "could_not_run"]
    let_pass = [each.check for each in checks if each.verdict == "fails" and each.check in accepted]
    sentences = [
        f"Audit result: {result_of(checks, accepted)}.",
        f"{len(checks) - len(not_run)} of {len(checks)} checks ran.",
    ]
    if failed:
        sentences.append(f"Failed: {', '.join(failed)}.")
    if let_pass:
        sentences.append(f"Failed, but accepted: {', '.join(let_pass)}.")
    if missing:
        sentences.append(f"Essential checks that did not run: {', '.join(missing)}.")
    if others := [name for name in not_run if name not in missing]:
        sentences.append(f"Other checks that could not run: {', '.join(others)}.")
    return " ".join(sentences)


def _failed(checks: Sequence[CheckResult], accepted: Collection[str]) -> list[str]:
    """Returns the checks that fail and were not accepted."""
    return [each.check for each in checks if each.verdict == "fails" and each.check not in accepted]


def _missing(checks: Sequence[CheckResult]) -> list[str]:
    """Returns the essential checks that could not run or were not chosen."""
    ran = {each.check for each in checks if each.verdict != "could_not_run"}
    return [name for name in ESSENTIAL if name not in ran]
