"""Check: a question that an audit asks of a model, and the registry of all checks.

To add a check, put a file with a decorated function into `checks`. The function takes the
`AuditContext` and returns an `Outcome`; where it cannot, it raises `CannotRun` with the reason.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from pulmo.audit.check_result import CannotRun, CheckResult, Series, Table, Verdict
from pulmo.audit.context import AuditContext
from pulmo.core.message import Message
from pulmo.core.registry import Registry
from pulmo.stats.estimate import Estimate

__all__ = ["CHECKS", "CannotRun", "Check", "Message", "Outcome", "Run", "check"]


@dataclass(frozen=True)
class Outcome:
    """What a check found; the attributes are those of `CheckResult`."""

    verdict: Verdict
    messages: tuple[Message, ...]
    metrics: Mapping[str, Estimate] = field(default_factory=dict)
    tables: tuple[Table, ...] = ()
    series: tuple[Series, ...] = ()
    images: tuple[str, ...] = ()


Run = Callable[[AuditContext], Outcome]


@dataclass(frozen=True)
class Check:
    """A check; call it with a context to get its result.

    Attributes:
        name: its name.
        question: what it asks.
        statement: what is shown of a model that passes, as a sentence.
        run: finds the outcome.
    """

    name: str
    question: str
    statement: str
    run: Run

    def __call__(self, context: AuditContext) -> CheckResult:
        """Returns the result of the check."""
        try:
            outcome = self.run(context)
        except CannotRun as reason:
            outcome = Outcome("could_not_run", (reason.message,))
        return CheckResult(
            check=self.name, question=self.question, statement=self.statement, **vars(outcome)
        )


CHECKS: Final = Registry[Check]("check", "pulmo.audit.checks")


def check(name: str, *, question: str, statement: str) -> Callable[[Run], Check]:
    """Returns a decorator that registers a function as the check `name`.

    Args:
        name: of the check, of small letters and hyphens.
        question: what it asks.
        statement: what is shown of a model that passes, as a sentence.
    """

    def decorate(run: Run) -> Check:
        return CHECKS.register(name)(Check(name, question, statement, run))

    return decorate
