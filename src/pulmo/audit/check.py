"""Check: a question that an audit asks of a model, and the registry of all checks.

To add a check, put a file with a decorated function into `checks`. The function takes the
`AuditContext` and returns an `Answer`; where it cannot, it raises `Unanswered` with the reason.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from pulmo.audit.context import AuditContext
from pulmo.audit.finding import Finding, Series, Table, Unanswered, Verdict
from pulmo.core.registry import Registry
from pulmo.stats.estimate import Estimate

__all__ = ["CHECKS", "Answer", "Ask", "Check", "Unanswered", "check"]


@dataclass(frozen=True)
class Answer:
    """What a check found; the attributes are those of `Finding`."""

    verdict: Verdict
    sentence: str
    figures: Mapping[str, Estimate] = field(default_factory=dict)
    tables: tuple[Table, ...] = ()
    series: tuple[Series, ...] = ()
    images: tuple[str, ...] = ()


Ask = Callable[[AuditContext], Answer]


@dataclass(frozen=True)
class Check:
    """A check; call it with a context to get its finding.

    Attributes:
        name: its name.
        question: what it asks.
        claim: what a model that passes has been shown, to follow the words `the model`.
        ask: finds the answer.
    """

    name: str
    question: str
    claim: str
    ask: Ask

    def __call__(self, context: AuditContext) -> Finding:
        """Returns what the check finds."""
        try:
            answer = self.ask(context)
        except Unanswered as reason:
            answer = Answer("unknown", str(reason))
        return Finding(check=self.name, question=self.question, claim=self.claim, **vars(answer))


CHECKS: Final = Registry[Check]("check", "pulmo.audit.checks")


def check(name: str, *, question: str, claim: str) -> Callable[[Ask], Check]:
    """Returns a decorator that registers what answers a question as the check `name`.

    Args:
        name: of the check, of small letters and hyphens.
        question: what it asks.
        claim: what a model that passes has been shown, to follow the words `the model`, such as
            `does not give another answer for a mirrored image`.
    """

    def decorate(ask: Ask) -> Check:
        return CHECKS.register(name)(Check(name, question, claim, ask))

    return decorate
