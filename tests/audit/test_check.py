"""What a check promises, whichever it is."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from pulmo.audit.check import CHECKS, CannotRun, Check, Message, Outcome, check
from pulmo.audit.context import AuditContext
from pulmo.stats.estimate import Estimate


@pytest.fixture
def context(
    make_rows: Callable[..., pd.DataFrame], tell: Callable[..., AuditContext]
) -> AuditContext:
    return tell(make_rows(["normal", "covid"]), np.full((2, 2), 0.5))


def test_an_outcome_becomes_a_result(context: AuditContext) -> None:
    value = Estimate(0.5, 0.1, 0.9, 2)
    messages = (Message("yes", "Yes."), Message("sure", "Surely."))
    made = Check("x", "Is it?", "It is.", lambda _: Outcome("passes", messages, {"share": value}))
    result = made(context)
    assert (result.check, result.question, result.statement) == ("x", "Is it?", "It is.")
    assert (result.verdict, result.messages) == ("passes", messages)
    assert result.metrics == {"share": value}


def test_a_check_may_say_why_it_could_not_run(context: AuditContext) -> None:
    def run(_: AuditContext) -> Outcome:
        raise CannotRun("nothing", "There is nothing to see.")

    result = Check("x", "Is it?", "It is.", run)(context)
    assert result.verdict == "could_not_run"
    assert result.messages == (Message("nothing", "There is nothing to see."),)


def test_a_name_is_taken_once() -> None:
    with pytest.raises(ValueError, match="two of check 'shortcuts'"):
        check(CHECKS["shortcuts"].name, question="", statement="")(lambda _: Outcome("passes", ()))


@pytest.mark.parametrize("name", list(CHECKS))
def test_its_words_make_sentences(name: str) -> None:
    made = CHECKS[name]
    assert made.name == name
    assert name == name.lower().replace("_", "-")
    assert made.question[0].isupper()
    assert made.question.endswith("?")
    assert made.statement[0].isupper()
    assert made.statement.endswith(".")
