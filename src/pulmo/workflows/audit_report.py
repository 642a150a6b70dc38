"""An audit with what it was made of: shown, as a table, and written to a folder."""

import os
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import pandas as pd

from pulmo.audit.audit import VERDICT_WORDS
from pulmo.audit.check_result import Audit
from pulmo.bundle.card import Card
from pulmo.core.folders import AuditFolder
from pulmo.core.output import claim_folder
from pulmo.core.record import write_record
from pulmo.report.audit_page import AuditContent, write_audit


@dataclass(frozen=True, eq=False)
class AuditReport:
    """What the checks of an audit found; in a notebook it shows itself.

    Attributes:
        audit: the results of all checks, and what follows from them.
        card: the card of the model; None if only its predictions are known.
        warnings: what is in doubt about the images and the model, as sentences.
        notes: how a table of predictions was read, as sentences.
        notices: what a user must know of how the audit went, as sentences.
    """

    audit: Audit
    card: Card | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()

    @property
    def failed(self) -> tuple[str, ...]:
        """The checks that fail and whose failure was not accepted."""
        return tuple(
            each.check
            for each in self.audit.checks
            if each.verdict == "fails" and each.check not in self.audit.accepted
        )

    def text(self) -> str:
        """Returns the summary, a line for each check, and what was shown and what was not."""
        found = self.audit
        lines = [found.summary, ""]
        lines += [
            f"{VERDICT_WORDS[result.verdict]:13} {result.check}: {result.conclusion}"
            for result in found.checks
        ]
        for title, sentences in (
            ("Shown on these images:", found.shown),
            ("Not shown:", found.not_shown),
        ):
            lines += ["", title, *(f"- {sentence}" for sentence in sentences or ("Nothing.",))]
        return "\n".join(lines)

    def to_frame(self) -> pd.DataFrame:
        """Returns a row for each check: `check`, `verdict` and `conclusion`, by verdict."""
        rows = [(each.check, each.verdict, each.conclusion) for each in self.audit.checks]
        return pd.DataFrame(rows, columns=["check", "verdict", "conclusion"])

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Writes the page and the results; the index comes last.

        Raises:
            InputError: a file cannot be written.
        """
        to = AuditFolder(Path(folder))
        claim_folder(to.root)
        write_audit(to.page, AuditContent(self.audit, self.card, self.warnings))
        write_record(to.index, self.audit)

    def _repr_html_(self) -> str:
        listed = "".join(f"<li>{escape(sentence)}</li>" for sentence in self.warnings)
        return (
            f"<p><b>{escape(self.audit.summary)}</b></p><ul>{listed}</ul>"
            f"{self.to_frame().to_html(index=False)}"
        )
