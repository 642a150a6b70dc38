"""What an audit says: which questions were asked, and what has been shown."""

from pulmo.checklists.artefacts import Artefacts, Gap
from pulmo.checklists.checklist import Said
from pulmo.report.words import without_folders


def checks(artefacts: Artefacts) -> Said:
    """Says which checks were made, and what came of each."""
    found = artefacts.audit.findings
    words = (f"{each.check} {each.verdict}: {without_folders(each.sentence)}" for each in found)
    return Said(" ".join(words), "audit.json: findings")


def not_shown(artefacts: Artefacts) -> Said:
    """Says what the model has not been shown to do."""
    sentences = artefacts.audit.not_shown
    if not sentences:
        raise Gap("The audit leaves nothing open that it asked; say what it did not ask.")
    return Said(" ".join(map(without_folders, sentences)), "audit.json: not_shown")
