"""What a check promises, whichever it is."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from pulmo.audit.check import CHECKS, Answer, Check, Unanswered, check
from pulmo.audit.context import AuditContext
from pulmo.stats.estimate import Estimate


@pytest.fixture
def context(
    make_rows: Callable[..., pd.DataFrame], tell: Callable[..., AuditContext]
) -> AuditContext:
    return tell(make_rows(["normal", "covid"]), np.full((2, 2), 0.5))


def test_an_answer_becomes_a_finding(context: AuditContext) -> None:
    figure = Estimate(0.5, 0.1, 0.9, 2)
    made = Check("x", "Is it?", "is", lambda _: Answer("passes", "Yes.", {"share": figure}))
    finding = made(context)
    assert (finding.check, finding.question, finding.claim) == ("x", "Is it?", "is")
    assert (finding.verdict, finding.sentence) == ("passes", "Yes.")
    assert finding.figures == {"share": figure}


def test_what_cannot_be_answered_is_unknown(context: AuditContext) -> None:
    def ask(_: AuditContext) -> Answer:
        raise Unanswered("There is nothing to see.")

    finding = Check("x", "Is it?", "is", ask)(context)
    assert (finding.verdict, finding.sentence) == ("unknown", "There is nothing to see.")


def test_a_name_is_taken_once() -> None:
    with pytest.raises(ValueError, match="two of check 'shortcuts'"):
        check(CHECKS["shortcuts"].name, question="", claim="")(lambda _: Answer("passes", ""))


@pytest.mark.parametrize("name", list(CHECKS))
def test_its_words_make_sentences(name: str) -> None:
    made = CHECKS[name]
    assert made.name == name
    assert name == name.lower().replace("_", "-")
    assert made.question[0].isupper()
    assert made.question.endswith("?")
    assert made.claim[0].islower()
    assert made.claim[-1] not in ".?"
