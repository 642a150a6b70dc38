from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from pulmo.audit import audit as audit_module
from pulmo.audit.audit import audit
from pulmo.audit.check import CHECKS, Answer, Ask, Check, Unanswered
from pulmo.audit.context import AuditContext
from pulmo.core.errors import UsageError
from pulmo.core.registry import Registry
from pulmo.datasets.manifest import Manifest


def unanswered(_: AuditContext) -> Answer:
    raise Unanswered("Nobody knows.")


def answering(answer: Answer) -> Ask:
    return lambda _: answer


@pytest.fixture
def four(monkeypatch: pytest.MonkeyPatch) -> Registry[Check]:
    """Four checks, one a verdict."""
    registry = Registry[Check]("check", "pulmo.audit.checks")
    registry._loaded = True
    answers = [Answer("passes", "It passes."), Answer("warns", "It warns."), Answer("fails", "No.")]
    for answer in answers:
        made = Check(answer.verdict, "Is it?", f"is {answer.verdict}", answering(answer))
        registry.register(answer.verdict)(made)
    registry.register("unknown")(Check("unknown", "Is it?", "is known", unanswered))
    monkeypatch.setattr(audit_module, "CHECKS", registry)
    return registry


@pytest.fixture
def context(
    make_rows: Callable[..., pd.DataFrame], tell: Callable[..., AuditContext]
) -> AuditContext:
    rows = make_rows(["normal", "covid", "covid"]).assign(
        group=["a", "b", "b"], source=["x", "x", "y"]
    )
    return tell(rows, np.full((3, 2), 0.5), fit=make_rows(["normal"] * 4, 10))


@pytest.mark.usefixtures("four")
def test_answers_end_in_sentences_what_matters_most_first(context: AuditContext) -> None:
    heard: list[tuple[int, int]] = []
    found = audit(context, split="test", on_progress=lambda *done: heard.append(done))
    assert heard == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert [each.verdict for each in found.findings] == ["fails", "warns", "unknown", "passes"]
    assert found.shown == ("The model is passes.",)
    assert found.not_shown == (
        "Contradicted: that the model is fails. No.",
        "In doubt: whether the model is warns. It warns.",
        "Not looked at: whether the model is known. Nobody knows.",
    )
    assert (found.passed, found.gate) == (False, "closed")
    assert found.headline.startswith("The gate is closed: 1 of 4 checks fails.")
    assert found.accepted == ()


def test_what_was_not_looked_at_has_a_sentence_for_each_check(
    four: Registry[Check], context: AuditContext
) -> None:
    four.register("other")(Check("other", "Is it?", "is seen", unanswered))
    assert audit(context, only=["unknown", "other"]).not_shown == (
        "Not looked at: whether the model is known. Nobody knows.",
        "Not looked at: whether the model is seen. Nobody knows.",
    )


@pytest.mark.usefixtures("four")
def test_what_is_accepted_does_not_close_the_gate(context: AuditContext) -> None:
    found = audit(context, accepted=["fails", "passes"])
    assert found.passed
    assert found.accepted == ("fails",)


@pytest.mark.usefixtures("four")
def test_only_some_checks_are_made(context: AuditContext) -> None:
    found = audit(context, only=["warns", "warns"])
    assert [each.check for each in found.findings] == ["warns"]
    assert found.passed
    with pytest.raises(UsageError, match="There is no check 'warn'"):
        audit(context, only=["warn"])
    with pytest.raises(UsageError, match="--accept 'fail' is no check"):
        audit(context, accepted=["fail"])


@pytest.mark.usefixtures("four")
def test_the_data_are_described(context: AuditContext) -> None:
    data = audit(context, split="test").data
    assert (data.split, data.n, data.groups, data.fitted) == ("test", 3, 2, 4)
    assert data.labels == {"normal": 1, "covid": 2}
    assert data.sources == {"x": {"covid": 1, "normal": 1}, "y": {"covid": 1, "normal": 0}}
    assert data.manifest_sha256 == Manifest.from_rows(context.rows).sha256


def test_the_checks_are_those_of_the_folder() -> None:
    assert "shortcuts" in CHECKS
