"""The gate: whether a model may pass, by what the checks found and what they did not look at."""

from collections.abc import Collection, Sequence
from typing import Final

from pulmo.audit.finding import Finding, Gate

ESSENTIAL: Final = ("leakage", "shortcuts", "sources", "external")
"""Checks without which a good figure may have another reason than the disease: the model has seen
the images, or what says nothing of the disease does as well, or the source gives the class away,
or nobody knows of another hospital. The gate is open only where all of these could look."""


def gate_of(findings: Sequence[Finding], accepted: Collection[str]) -> Gate:
    """Returns whether the gate is open, closed or undecided.

    It is closed where a check fails that was not accepted; else undecided where an essential check
    could not look, or was not made; else open.
    """
    if any(each.verdict == "fails" and each.check not in accepted for each in findings):
        return "closed"
    return "undecided" if _blind(findings) else "open"


def headline(findings: Sequence[Finding], accepted: Collection[str]) -> str:
    """Says what came of the gate, how many checks could look, and about what nothing is shown."""
    failed = [each.check for each in findings if each.verdict == "fails"]
    closing = [name for name in failed if name not in accepted]
    looked = sum(each.verdict != "unknown" for each in findings)
    could = f"{looked} of {len(findings)} checks could look"
    let_by = [name for name in failed if name in accepted]
    accepting = f"; accepted: {', '.join(let_by)}" if let_by else ""
    none = "none of them fails"
    if let_by:
        none += f" but what was accepted ({', '.join(let_by)})"
    blind = _blind(findings)
    unknown = [each.check for each in findings if each.verdict == "unknown"]
    others = [name for name in unknown if name not in blind]
    nothing = f" Nothing is shown about {', '.join([*blind, *others])}." if blind or others else ""
    match gate_of(findings, accepted):
        case "closed":
            verb = "checks fail" if len(closing) != 1 else "checks fails"
            return (
                f"The gate is closed: {len(closing)} of {len(findings)} {verb}{accepting}. "
                f"{could}.{nothing}"
            )
        case "undecided":
            return (
                f"The gate is undecided: {could}, and {none}, but what "
                f"matters most was not looked at ({', '.join(blind)}).{nothing}"
            )
        case _:
            return f"The gate is open: {could}, and {none}.{nothing}"


def _blind(findings: Sequence[Finding]) -> list[str]:
    """Returns the essential checks that could not look, or were not made."""
    looked = {each.check for each in findings if each.verdict != "unknown"}
    return [name for name in ESSENTIAL if name not in looked]
