"""What an audit states: the checks, and what is not shown."""

from pulmo.checklists.artefacts import Artefacts, Gap
from pulmo.checklists.checklist import Statement
from pulmo.report.words import without_folders


def checks(artefacts: Artefacts) -> Statement:
    """States the verdict of each check."""
    found = artefacts.audit.checks
    words = (
        f"{each.check} {each.verdict.replace('_', ' ')}: {without_folders(each.conclusion)}"
        for each in found
    )
    return Statement(" ".join(words), "audit.json: checks")


def not_shown(artefacts: Artefacts) -> Statement:
    """States what the audit does not show."""
    sentences = artefacts.audit.not_shown
    if not sentences:
        raise Gap("Every check of the audit passes. State the limitations that it does not check.")
    return Statement(" ".join(map(without_folders, sentences)), "audit.json: not_shown")
